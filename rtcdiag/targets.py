"""STUN and TURN servers as the user names them: URIs of RFC 7064 and RFC 7065, and credentials that never print."""

import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

import msgspec


class Transport(StrEnum):
    """How this computer talks to a server."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    DTLS = "dtls"
    """TLS over UDP (RFC 7350): what ``turns:…?transport=udp`` asks for and browsers do not speak."""

    @property
    def is_datagrams(self) -> bool:
        """Whether each message is a datagram of its own, which may get lost (RFC 8489 section 6.2.1)."""
        return self in (Transport.UDP, Transport.DTLS)


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

    @property
    def secrets(self) -> frozenset[str]:
        """What must not come back in evidence, whatever a server says."""
        return frozenset({self.username, self.password})


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
    expired_credential: Credential | None = None
    """One of the same secret that was valid until a minute ago: an audit asks whether it is refused."""
    origin: Literal["user", "default"] = "user"
    via: str | None = None
    """The proxy through which it is asked, as a URL without login; ``uri`` names it too then."""

    @property
    def ip_literal(self) -> bool:
        """Whether the host is an IP address."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True


VIA = " via "
"""Stands between the URI of a server and the proxy through which it is asked, where evidence names both."""


def through(server: Server, proxy: str) -> Server:
    """Return the same server as it is asked through a proxy."""
    return msgspec.structs.replace(server, uri=f"{server.uri}{VIA}{proxy}", via=proxy)


def may_go_through(server: Server) -> bool:
    """Tell whether browsers would ask a server through an HTTP proxy: TURN over TCP and TLS."""
    return server.protocol == "turn" and server.transport in (Transport.TCP, Transport.TLS)


_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_SCHEMES = ("stun", "stuns", "turn", "turns")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_TRANSPORT = re.compile(r"transport=(?P<name>[A-Za-z0-9._~-]+)")
_SHOWN = 120
"""How many characters of a bad URI an error shows."""


def parse_server(
    text: str, *, credential: Credential | None = None, origin: Literal["user", "default"] = "user"
) -> Server:
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
        origin=origin,
    )


def _bad(uri: str, why: str, *instead: str) -> UriError:
    """Build the error; what stands before an ``@`` may be a password and is left out."""
    before, at, rest = uri.rpartition("@")
    scheme = before.partition(":")[0].lower()
    shown = f"{scheme + ':' if scheme in _SCHEMES else ''}…@{rest}" if at else uri
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
    right = [form for form in instead if _parses(form)]
    return UriError(f"{shown!r}: {why}" + (f" (write {' or '.join(right)})" if right else ""))


def _parses(uri: str) -> bool:
    try:
        parse_server(uri)
    except UriError:
        return False
    return len(uri) <= _SHOWN


def _bare(text: str) -> str:
    """Return the host and port of whatever stood there: no slashes, user, path, query or fragment."""
    return re.split("[/?#]", text.lstrip("/").rpartition("@")[2], maxsplit=1)[0]


def _query_of(text: str) -> str:
    """Return a transport query that the author may have meant (``?proto=tcp`` of an old draft), or nothing."""
    match = re.search(r"[?&;](?:transport|proto)=(udp|tcp)(?![a-z])", text, re.IGNORECASE)
    return f"?transport={match[1].lower()}" if match else ""


def _corrected(scheme: str, text: str) -> str:
    return f"{scheme}:{_bare(text)}" + (_query_of(text) if scheme.startswith("turn") else "")


def _split_scheme(uri: str) -> tuple[str, str]:
    match = _URI.fullmatch(uri)
    scheme = match["scheme"].lower() if match else ""
    if match is None or scheme not in _SCHEMES:
        why = "a URI starts with stun:, stuns:, turn: or turns:"
        meant = uri.partition("://")[2] or uri
        raise _bad(uri, why, _corrected("stun", meant), _corrected("turn", meant))
    rest = match["rest"]
    if "@" in rest:
        raise _bad(uri, "a URI carries no user name or password", _corrected(scheme, rest))
    if rest.startswith("//"):
        raise _bad(uri, f"{scheme}: is not followed by //", _corrected(scheme, rest))
    return scheme, rest


def _split_authority(uri: str, scheme: str, authority: str) -> tuple[str, str]:
    if "/" in authority or "#" in authority:
        raise _bad(uri, f"a {scheme}: URI has no path", _corrected(scheme, uri.partition(":")[2]))
    if authority.startswith("["):
        literal, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port.startswith(":")) or not _is_ipv6(literal):
            raise _bad(uri, f"{authority[:_SHOWN]!r} is no IPv6 address in brackets with an optional port")
        return literal.lower(), port
    if _is_ipv6(authority):
        raise _bad(uri, "an IPv6 address stands in brackets", f"{scheme}:[{authority}]")
    host, colon, port = authority.partition(":")
    if why := why_no_host(host):
        raise _bad(uri, why, *_ascii_form(uri, host))
    return host.lower(), colon + port


def why_no_host(host: str) -> str | None:
    """Return why a text is neither an IPv4 address nor a host name (RFC 1123 section 2.1), None where it is one."""
    labels = host.removesuffix(".").split(".")
    if not host:
        return "the host is missing"
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return f"{host[:_SHOWN]!r} is no host name"
    # A resolver would take 127.1 or 0x7f.1 for an address that the user does not see.
    if _NUMBER.fullmatch(labels[-1]) and not _is_ipv4(host):
        return f"{host!r} is neither an IPv4 address nor a host name"
    return None


def _ascii_form(uri: str, host: str) -> tuple[str, ...]:
    try:
        return (uri.replace(host, host.encode("idna").decode(), 1),) if host and not host.isascii() else ()
    except UnicodeError:
        return ()


def _is_ipv4(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv4Address)
    except ValueError:
        return False


def _is_ipv6(text: str) -> bool:
    try:
        return "%" not in text and isinstance(ip_address(text), IPv6Address)
    except ValueError:
        return False


def _port(uri: str, text: str, default: int) -> int:
    digits = text[1:]
    if not digits:
        return default
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise _bad(uri, f"port {digits[:_SHOWN]!r} is not a number from 1 to 65535")
    return int(digits)


def _transport(uri: str, scheme: str, query: str | None) -> tuple[Transport, str | None]:
    secure = scheme.endswith("s")
    plain = Transport.TLS if secure else Transport.UDP
    if scheme.startswith("stun"):
        return plain, query
    if query is None:
        return plain, None
    match = _TRANSPORT.fullmatch(query)
    name = match["name"].lower() if match else None
    if name not in ("udp", "tcp"):
        why = "the only query is ?transport=udp or ?transport=tcp"
        queries = [_query_of(uri)] if _query_of(uri) else ["?transport=udp", "?transport=tcp"]
        raise _bad(uri, why, *(uri.partition("?")[0] + right for right in queries))
    if name == "tcp":
        return (Transport.TLS if secure else Transport.TCP), None
    return (Transport.DTLS if secure else Transport.UDP), None
