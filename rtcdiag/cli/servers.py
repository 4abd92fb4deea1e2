"""Whom a command asks: URIs, ICE server lists, the default list, and the credentials for TURN."""

import os
import sys
from collections.abc import Sequence
from typing import Literal

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import STDIN, read_text
from rtcdiag.cli.options import Servers
from rtcdiag.cli.secrets import secret_of
from rtcdiag.cli.services import service_of
from rtcdiag.config import MAX_BYTES, ConfigError, read_ice_servers
from rtcdiag.contacts import STUN_SERVERS
from rtcdiag.stun.credentials import mint
from rtcdiag.targets import Credential, Server, UriError, parse_server

MINTED_LIFETIME_S = 3600
"""How long a credential made from a shared secret is valid: longer than any run, too short to be worth stealing."""


def named_servers(options: Servers, uris: Sequence[str], *, only: Literal["stun", "turn"] | None) -> tuple[Server, ...]:
    """Return the servers that the user named, each once; ``only`` is the one kind that the command is about."""
    _check_stdin(options)
    service = service_of(options)
    servers = [_parsed(uri, only) for uri in (*uris, *(options.server or ()))]
    if options.ice_servers is not None and service is None:
        servers += _listed(options.ice_servers, only)
    if not servers and service is None:
        raise BadInputError(f"no server is named (write rtcdiag check-{only} {only}:HOST, or use --ice-servers FILE)")
    return tuple({server.uri: server for server in servers}.values())


def default_servers() -> tuple[Server, ...]:
    """Return the documented default list."""
    return tuple(parse_server(contact.target, origin="default") for contact in STUN_SERVERS)


def _check_stdin(options: Servers) -> None:
    given = {
        "--ice-servers": options.ice_servers,
        "--ice-servers-token-file": options.ice_servers_token_file,
        "--password-file": options.password_file,
        "--secret-file": options.secret_file,
    }
    readers = [name for name, value in given.items() if value == STDIN]
    if len(readers) > 1:
        raise BadInputError(f"only one of {' and '.join(readers)} can be -, standard input")


def _parsed(uri: str, only: Literal["stun", "turn"] | None) -> Server:
    try:
        server = parse_server(uri)
    except UriError as error:
        raise BadInputError(str(error)) from None
    if only is not None and server.protocol != only:
        right = only + uri.strip()[len(server.protocol) :].partition("?")[0]
        raise BadInputError(
            f"{uri!r}: no {only.upper()} server, as this command wants (write {right}, or use check-{server.protocol})"
        )
    return server


def _listed(name: str, only: Literal["stun", "turn"] | None) -> list[Server]:
    try:
        servers = read_ice_servers(read_text(name, what="--ice-servers", limit=MAX_BYTES), name)
    except ConfigError as error:
        raise BadInputError(f"--ice-servers {error}") from None
    fitting = [server for server in servers if only is None or server.protocol == only]
    if not fitting:
        raise BadInputError(f"--ice-servers {name}: there is no {only}: or {only}s: server in it")
    return fitting


def with_credential(servers: tuple[Server, ...], options: Servers) -> tuple[Server, ...]:
    """Give the user's credential to the TURN servers that came without one; this may prompt.

    A file that was named is read also where no server needs it: a wrong name is never passed over in silence.
    """
    from msgspec.structs import replace

    bare = [server for server in servers if server.protocol == "turn" and server.credential is None]
    named = options.password_file is not None or options.secret_file is not None
    credential = _credential(options) if bare or named else None
    return tuple(replace(server, credential=credential) if server in bare else server for server in servers)


def check_credential(options: Servers) -> None:
    """Read the files that hold a credential now, so that a wrong name is found before anybody is contacted."""
    files = [name for name in (options.password_file, options.secret_file) if name is not None]
    if files and STDIN not in files:
        _credential(options)


def _credential(options: Servers) -> Credential | None:
    """Return the credential that the options and the environment give; None without any: that is a finding."""
    if options.username is not None:
        _check_text(options.username, "--username or RTCDIAG_USERNAME")
    if options.secret_file is not None:
        return _minted(options, options.secret_file)
    if options.username is None:
        if options.password_file is not None:
            raise BadInputError("--password-file needs --username NAME beside it")
        return None
    if options.password_file is not None:
        return Credential(options.username, secret_of(options.password_file, "--password-file"))
    if password := os.environ.get("RTCDIAG_PASSWORD"):
        _check_text(password, "RTCDIAG_PASSWORD")
        return Credential(options.username, password)
    return Credential(options.username, _prompted(options))


def _check_text(value: str, what: str) -> None:
    """Refuse what the system passed on undecoded: TURN's names and passwords are UTF-8 (RFC 8489 section 14.3)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadInputError(f"{what}: holds bytes that are no UTF-8 text") from None


def _minted(options: Servers, name: str) -> Credential:
    import time

    if options.password_file is not None:
        raise BadInputError("--secret-file and --password-file exclude each other: a secret makes the password")
    return mint(secret_of(name, "--secret-file"), options.username or "rtcdiag", int(time.time()) + MINTED_LIFETIME_S)


def _prompted(options: Servers) -> str:
    if options.no_input or sys.stdin is None or not sys.stdin.isatty():
        raise BadInputError(
            "--username needs a password: use --password-file FILE or RTCDIAG_PASSWORD, or run it on a terminal"
        )
    from getpass import getpass

    try:
        password = getpass(f"Password of {options.username} (not shown): ", stream=sys.stderr)
    except EOFError:
        password = ""
    if not password:
        raise BadInputError("no password was entered")
    _check_text(password, "the password")
    return password
