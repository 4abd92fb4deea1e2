"""A server that sends clients on to another one (RFC 8489 section 10): whether to go there, and under which name."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Allocation, Challenge, Redirect
from rtcdiag.evidence.turn import WhyNot
from rtcdiag.net import Net
from rtcdiag.probes.connection import Path
from rtcdiag.probes.relay import may_be_sent_to

TRY_ALTERNATE = 300
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


def redirect_of(step: Challenge | Allocation, asked: Sequence[TransportAddress], net: Net) -> Redirect | None:
    """Return what to record of a step that ended with 300, None of any other; ``asked`` are all servers up to here."""
    answer = step.exchange.answer
    if answer is None or answer.error_code != TRY_ALTERNATE:
        return None
    named = answer.alternate_domain
    return Redirect(
        t_ms=net.now_ms(),
        server=step.server,
        transport=step.transport,
        destination=step.destination,
        local=step.local,
        allocation=step.allocation,
        alternate=answer.alternate_server,
        domain=named.lower() if named is not None and _NAME.fullmatch(named) else None,
        not_followed=_why_not(answer.alternate_server, asked, net),
    )


def path_after(path: Path, redirect: Redirect) -> Path | None:
    """Return where to go on: the same server under its alternate's name and address; None where not to."""
    if redirect.not_followed is not None or redirect.alternate is None:
        return None
    server = path.server if redirect.domain is None else replace(path.server, host=redirect.domain)
    return Path(server, redirect.alternate, path.transport)


def _why_not(alternate: TransportAddress | None, asked: Sequence[TransportAddress], net: Net) -> WhyNot | None:
    if alternate is None or alternate.port == 0:
        return "names-no-server"
    if alternate in asked:
        return "circle"
    if len(asked) > 1:
        return "second"
    if alternate.family is not asked[-1].family:
        return "other-family"
    return None if may_be_sent_to(alternate, asked[-1]) and not _is_nearer(alternate, asked[-1], net) else "own-network"


def _is_nearer(alternate: TransportAddress, server: TransportAddress, net: Net) -> bool:
    """Whether it is this computer or a neighbor with a public address, and the server is not."""
    own = (net.interface_of(ip) is not None for ip in (alternate.ip, server.ip))
    routed = (net.gateway_towards(ip) is not None for ip in (alternate.ip, server.ip))
    return tuple(own) == (True, False) or tuple(routed) == (False, True)
