"""STUN and TURN servers as the user names them: URIs of RFC 7064 and RFC 7065, and credentials that never print."""

import re
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Literal

import msgspec


class Transport(StrEnum):
    """How this computer talks to a server."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    DTLS = "dtls"
    """TLS over UDP (RFC 7350): what ``turns:…?transport=udp`` asks for and browsers do not speak."""


class UriError(ValueError):
    """A URI that RFC 7064 and RFC 7065 do not allow; the message names it, says why, and shows the corrected form."""


class Credential:
    """A username and a password for long-term credentials (RFC 8489 section 9.2).

    It prints as neither, and is no msgspec type on purpose: encoding one into JSON raises.
    """

    __slots__ = ("password", "username")

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password

    def __repr__(self) -> str:
        return "Credential(…)"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One server of one URI."""

    uri: str
    """As written, without surrounding blanks."""
    protocol: Literal["stun", "turn"]
    secure: bool
    """``stuns:`` or ``turns:``."""
    host: str
    """A name in lower case, or an IP address without brackets."""
    port: int
    transport: Transport
    ignored_query: str | None = None
    """What stood behind ``?`` and has no meaning for the scheme."""
    credential: Credential | None = None
    origin: Literal["user", "default"] = "user"

    @property
    def ip_literal(self) -> bool:
        """Whether the host is an IP address."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True


_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_SCHEMES = ("stun", "stuns", "turn", "turns")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?")
_TRANSPORT = re.compile(r"transport=(?P<name>[A-Za-z0-9._~-]+)")


def parse_server(text: str, *, credential: Credential | None = None) -> Server:
    """Read a STUN or TURN URI (RFC 7064 section 3.1, RFC 7065 section 3.1); raise UriError for anything else."""
    uri = text.strip()
    scheme, rest = _split_scheme(uri)
    authority, question, query = rest.partition("?")
    host, port = _split_authority(uri, scheme, authority)
    protocol: Literal["stun", "turn"] = "turn" if scheme.startswith("turn") else "stun"
    transport, ignored = _transport(uri, scheme, query if question else None)
    return Server(
        uri=uri,
        protocol=protocol,
        secure=scheme.endswith("s"),
        host=host,
        port=_port(uri, port, 5349 if scheme.endswith("s") else 3478),
        transport=transport,
        ignored_query=ignored,
        credential=credential if protocol == "turn" else None,
    )


def _split_scheme(uri: str) -> tuple[str, str]:
    match = _URI.fullmatch(uri)
    scheme = match["scheme"].lower() if match else ""
    if match is None or scheme not in _SCHEMES:
        raise UriError(f"{uri!r} is no STUN or TURN URI: it has to start with stun:, stuns:, turn: or turns:")
    rest = match["rest"]
    if rest.startswith("//"):
        raise UriError(f"{uri!r}: no slashes stand behind {scheme}: (write {scheme}:{rest.lstrip('/')})")
    return scheme, rest


def _split_authority(uri: str, scheme: str, authority: str) -> tuple[str, str]:
    if "@" in authority:
        raise UriError(f"{scheme}:…@…: a URI carries no user name (write {scheme}:{authority.rpartition('@')[2]})")
    if "/" in authority or "#" in authority:
        raise UriError(f"{uri!r}: a {scheme} URI has no path (write {scheme}:{re.split('[/#]', authority)[0]})")
    if authority.startswith("["):
        literal, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")) or not _is_ipv6(literal):
            raise UriError(f"{uri!r}: {authority!r} is no IPv6 address in brackets with an optional port")
        return literal.lower(), port
    host, colon, port = authority.partition(":")
    if _is_ipv6(authority):
        raise UriError(f"{uri!r}: an IPv6 address stands in brackets (write {scheme}:[{authority}])")
    if not _HOST.fullmatch(host):
        raise UriError(f"{uri!r}: {host!r} is no host name" if host else f"{uri!r}: the host is missing")
    return host.lower(), colon + port


def _is_ipv6(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv6Address)
    except ValueError:
        return False


def _port(uri: str, text: str, default: int) -> int:
    if not text:
        return default
    digits = text[1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise UriError(f"{uri!r}: port {digits!r} is not a number from 1 to 65535")
    return int(digits)


def _transport(uri: str, scheme: str, query: str | None) -> tuple[Transport, str | None]:
    secure = scheme.endswith("s")
    plain = Transport.TLS if secure else Transport.UDP
    if scheme.startswith("stun"):
        return plain, query
    if query is None:
        return plain, None
    base = uri.partition("?")[0]
    match = _TRANSPORT.fullmatch(query)
    if match is None:
        raise UriError(f"{uri!r}: the only query is ?transport=udp or ?transport=tcp (write {base}?transport=udp)")
    name = match["name"].lower()
    if name not in ("udp", "tcp"):
        raise UriError(f"{uri!r}: transport {name!r} is neither udp nor tcp (write {base}?transport=tcp)")
    if name == "tcp":
        return (Transport.TLS if secure else Transport.TCP), None
    return (Transport.DTLS if secure else Transport.UDP), None
