"""The fixed list of peers that an audit asks permissions for: none of them is ever sent a packet."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Literal

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, family_of, scope_of
from rtcdiag.targets import Server

Group = Literal["loopback", "this-host", "embedded", "link-local", "private", "special", "own", "own-inner"]


class Peer(msgspec.Struct, frozen=True):
    """An address that a relay should not, or should, send to."""

    ip: IPAddress
    group: Group


_FIXED: tuple[tuple[Group, tuple[str, ...]], ...] = (
    ("loopback", ("127.0.0.1", "127.0.0.8", "::1")),
    ("this-host", ("0.0.0.0", "::")),  # noqa: S104 - nothing binds to it
    ("embedded", ("::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::")),
    ("link-local", ("169.254.0.1", "169.254.169.254", "fe80::1")),
    ("private", ("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fd00::1")),
    ("special", ("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "ff02::1")),
)
PEERS: tuple[Peer, ...] = tuple(Peer(ip_address(text), group) for group, texts in _FIXED for text in texts)
CHANNEL_PEERS: tuple[IPAddress, ...] = tuple(
    ip_address(text) for text in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1")
)
"""Asked for a channel too: a server must not allow there what it denies as a permission."""
PORT = 9
"""Of every peer; a permission is about the address alone (RFC 8656 section 9)."""


def fixed_peers(family: Family) -> tuple[Peer, ...]:
    """Return the peers that an allocation of a family is asked about, whatever the server is."""
    return tuple(peer for peer in PEERS if family_of(peer.ip) is family)


def own_peers(addresses: Iterator[IPAddress] | tuple[IPAddress, ...], family: Family) -> tuple[Peer, ...]:
    """Return the server's own addresses of a family, as far as they are known, each once and none that is listed."""
    listed = {peer.ip for peer in PEERS}
    own = dict.fromkeys(ip for ip in addresses if family_of(ip) is family and ip not in listed)
    return tuple(Peer(ip, "own" if scope_of(ip) is Scope.GLOBAL else "own-inner") for ip in own)


def group_of(ip: IPAddress) -> Group:
    """Return the group of a peer that was asked about; what is not listed was an address of the server."""
    listed = {peer.ip: peer.group for peer in PEERS}
    return listed.get(ip) or ("own" if scope_of(ip) is Scope.GLOBAL else "own-inner")


def text_of(ip: IPAddress) -> str:
    """Return an address as people write it: an IPv4-mapped one with dots."""
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return str(ip) if mapped is None else f"::ffff:{mapped}"


_STRANGER, _LOGIN, _SECOND, _EXPIRED, _TCP, _TLS = 2, 2, 2, 2, 4, 4
"""Packets besides those about peers: Binding and Allocate; login and release; and so on."""
_OWN = 2
"""Own addresses that are usually known."""


def audit_seconds(servers: Sequence[Server]) -> int:
    """Return about how many seconds an audit takes: one a packet, and some where the server is slow or silent."""
    return round(1.1 * sum(map(_packets, servers))) + 3


def _packets(server: Server) -> int:
    if server.credential is None:
        return _STRANGER + 1 + _TLS
    peers = len(PEERS) + len(CHANNEL_PEERS) + _OWN
    expired = _EXPIRED if server.expired_credential is not None else 0
    return _STRANGER + _LOGIN + peers + _SECOND + 1 + expired + _TCP + _TLS
