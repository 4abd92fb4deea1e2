"""``--ice-servers https://…``: ask the service before the run, and put on record what came of it.

What is wrong with the command line is an error; what is wrong with the service is a finding.
"""

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import Servers
from rtcdiag.cli.secrets import secret_of
from rtcdiag.evidence import ClockReading, IceService, Observation
from rtcdiag.options import RunOptions
from rtcdiag.services import Service, ServiceError, is_url, parse_service
from rtcdiag.targets import Server

if TYPE_CHECKING:  # it imports httpx
    from rtcdiag.net.service import Fetched

_TOKEN = re.compile(r"[\x21-\x7e]+")
_SHOWN = 300


class Listed(NamedTuple):
    """What a service named, and what a report keeps of how."""

    servers: tuple[Server, ...] = ()
    observations: tuple[Observation, ...] = ()


def service_of(options: Servers) -> Service | None:
    """Return the service that the options name; None where they name a file, or nothing."""
    name = options.ice_servers
    if name is None or not is_url(name):
        if options.ice_servers_token_file is not None:
            raise BadInputError("--ice-servers-token-file needs --ice-servers https://HOST/PATH beside it")
        return None
    try:
        return parse_service(name, "--ice-servers-token-file")
    except ServiceError as error:
        raise BadInputError(f"--ice-servers: {error}") from None


def ask_service(
    service: Service, servers: Servers, options: RunOptions, only: Literal["stun", "turn"] | None
) -> Listed:
    """Return the servers of a service's list, those of one kind where a command is about one."""
    import asyncio

    from rtcdiag.config import MAX_BYTES
    from rtcdiag.net.service import fetch

    token = token_of(servers.ice_servers_token_file, "--ice-servers-token-file")
    seen = asyncio.run(fetch(service, token, options, MAX_BYTES))
    named, problem = _read(seen, only)
    return Listed(named, observed(service, seen, len(named), problem))


def token_of(name: str | None, what: str) -> str | None:
    """Return the bearer token of a file, the value of the option ``what``; None where none is named."""
    if name is None:
        return None
    token = secret_of(name, what)
    if not _TOKEN.fullmatch(token):
        raise BadInputError(f"{what}: a token is one line of printable ASCII without blanks")
    return token


def observed(service: Service, seen: "Fetched", servers: int, problem: str) -> tuple[Observation, ...]:
    """Return what a report keeps of a request: how many servers the answer named, or what is wrong with it."""
    observation = IceService(
        t_ms=0.0,
        duration_ms=seen.took_ms,
        url=service.label,
        token=seen.token,
        proxy=seen.proxy,
        redirects=seen.redirects,
        outcome=_outcome(seen, problem),
        status=seen.status,
        servers=servers,
        problem=(problem or seen.away or "")[:_SHOWN] or None,
        failure=seen.failure,
        detail=seen.detail,
    )
    return (observation, *_reading(seen))


def _outcome(
    seen: "Fetched", problem: str
) -> Literal["list", "refused", "redirected-away", "too-long", "no-list", "no-answer"]:
    if seen.failure is not None:
        return "no-answer"
    if seen.away is not None:
        return "redirected-away"
    if seen.too_long:
        return "too-long"
    if seen.content is None:
        return "refused"
    return "no-list" if problem else "list"


def _read(seen: "Fetched", only: Literal["stun", "turn"] | None) -> tuple[tuple[Server, ...], str]:
    """Return the servers of the answer, or what is wrong with it."""
    from rtcdiag.config import ConfigError, read_ice_servers

    if seen.content is None or seen.failure is not None:
        return (), ""
    try:
        servers = read_ice_servers(seen.content.decode("utf-8-sig"), "")
    except UnicodeDecodeError as error:
        return (), f"not UTF-8 text (byte {error.start})"
    except ConfigError as error:
        return (), str(error).removeprefix(": ")
    fitting = tuple(server for server in servers if only is None or server.protocol == only)
    return fitting, "" if fitting else f"there is no {only}: or {only}s: server in it"


def _reading(seen: "Fetched") -> tuple[Observation, ...]:
    if seen.clock_offset_s is None:
        return ()
    return (ClockReading(t_ms=0.0, host=seen.service.host, role="service", offset_s=seen.clock_offset_s),)
