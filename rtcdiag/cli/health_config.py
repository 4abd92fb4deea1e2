"""Where the configuration of a health check comes from: a file, standard input, or a service that is asked for it."""

import asyncio
import os
from typing import NamedTuple

from msgspec.structs import replace

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import STDIN, read_text
from rtcdiag.cli.options import Servers
from rtcdiag.cli.servers import with_credential
from rtcdiag.cli.services import observed, token_of
from rtcdiag.config import HEALTH_BYTES, ConfigError, HealthConfig, read_health_config
from rtcdiag.evidence import Observation
from rtcdiag.options import RunOptions
from rtcdiag.services import Service, ServiceError, is_url, parse_service


class Source(NamedTuple):
    """What CONFIG names."""

    name: str
    service: Service | None
    token: str | None
    config: HealthConfig | None
    """What a file holds; a service is asked for each round."""


class Loaded(NamedTuple):
    """What to check now: a configuration, or what was observed of a service that gave none."""

    config: HealthConfig | None
    observations: tuple[Observation, ...] = ()


def source_of(name: str, token_file: str | None, servers: Servers) -> Source:
    """Read a file, or make sure that a service can be asked; raise BadInputError."""
    if is_url(name):
        try:
            service = parse_service(name, "--token-file")
        except ServiceError as error:
            raise BadInputError(str(error)) from None
        return Source(service.label, service, token_of(token_file, "--token-file"), None)
    if token_file is not None:
        raise BadInputError("--token-file needs a URL as CONFIG (https://HOST/PATH)")
    if name == STDIN and STDIN in (servers.password_file, servers.secret_file):
        raise BadInputError("only one of CONFIG and a file of secrets can be -, standard input")
    text = read_text(name, what="health", limit=HEALTH_BYTES)
    try:
        config = read_health_config(text, name, os.environ)
    except ConfigError as error:
        raise BadInputError(str(error)) from None
    return Source(name, None, None, _with_credentials(config, servers))


def load(source: Source, servers: Servers, options: RunOptions) -> Loaded:
    """Return what to check in this round."""
    if source.service is None:
        return Loaded(source.config)
    from rtcdiag.net.service import fetch

    seen = asyncio.run(fetch(source.service, source.token, options, HEALTH_BYTES))
    problem = f"longer than {HEALTH_BYTES >> 20} MiB" if seen.too_long else ""
    config: HealthConfig | None = None
    if seen.content is not None and seen.failure is None:
        try:
            # What a stranger hands out gets to see nothing of this environment.
            config = read_health_config(seen.content.decode("utf-8-sig"), "", {})
        except UnicodeDecodeError as error:
            problem = f"not UTF-8 text (byte {error.start})"
        except ConfigError as error:
            problem = str(error).removeprefix(": ")
    found = observed(source.service, seen, len(config.targets) if config else 0, problem)
    return Loaded(_with_credentials(config, servers) if config else None, found)


def _with_credentials(config: HealthConfig, servers: Servers) -> HealthConfig:
    """Give the user's credential to the TURN servers that came without one."""
    bare = [item for item in config.targets if item.secret is None]
    given = iter(with_credential(tuple(item.server for item in bare), servers))
    filled = (replace(item, server=next(given)) if item.secret is None else item for item in config.targets)
    return replace(config, targets=tuple(filled))
