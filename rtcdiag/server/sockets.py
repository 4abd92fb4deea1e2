"""Binding: the addresses and ports on which the server listens, UDP and TCP on each."""

import errno
import os
import socket
from contextlib import suppress
from secrets import token_bytes

import msgspec

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.server.binding import Square
from rtcdiag.server.config import ConfigError, ServerConfig, alternate_port
from rtcdiag.server.effects import OpenRelay

_RESERVATION_MS = 30_000
_TRIES = 20
"""How often a free pair of ports is looked for where the system chooses them."""
_ADDRESS_FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class Place(msgspec.Struct, frozen=True):
    """One transport address with its two bound sockets."""

    address: TransportAddress
    udp: socket.socket
    tcp: socket.socket

    def close(self) -> None:
        """Close both sockets."""
        self.udp.close()
        self.tcp.close()


class Bound(msgspec.Struct, frozen=True):
    """Everything that was bound."""

    places: tuple[Place, ...]
    squares: dict[Family, Square]
    notes: tuple[str, ...]
    """What was left out, and why."""


def bind_socket(kind: socket.SocketKind, ip: IPAddress, port: int) -> socket.socket:
    """Bind one non-blocking socket; raise OSError."""
    made = socket.socket(_ADDRESS_FAMILIES[family_of(ip)], kind)
    try:
        made.setblocking(False)
        if family_of(ip) is Family.IPV6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM and os.name == "posix":
            # Otherwise connections of the last run keep the port for a minute. On Windows it would mean sharing it.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((str(ip), port))
    except OSError:
        made.close()
        raise
    return made


def bind_all(config: ServerConfig) -> Bound:
    """Bind every place of a checked configuration; raise ConfigError where the first address cannot be had."""
    ips, notes = _available(config.listen)
    for attempt in range(_TRIES):
        try:
            return _bind_once(config, ips, notes)
        except _TakenError as taken:
            # Only a port that the system chose can be replaced by another.
            if (config.port and alternate_port(config)) or attempt == _TRIES - 1:
                raise ConfigError(str(taken)) from None
    raise AssertionError  # the last attempt has raised


class _TakenError(Exception):
    """A place could not be bound."""


def _available(listen: tuple[IPAddress, ...]) -> tuple[list[IPAddress], tuple[str, ...]]:
    """Leave out a second address that this computer does not have: macOS has 127.0.0.1 and no 127.0.0.2."""
    ips: list[IPAddress] = []
    notes: list[str] = []
    for ip in listen:
        reason = _why_not(ip)
        if reason is None:
            ips.append(ip)
        elif any(family_of(other) is family_of(ip) for other in ips):
            notes.append(f"not listening on {ip} ({reason}): CHANGE-REQUEST is answered with 420")
        else:
            raise ConfigError(f"cannot listen on {ip}: {reason}")
    return ips, tuple(notes)


def _why_not(ip: IPAddress) -> str | None:
    try:
        bind_socket(socket.SOCK_DGRAM, ip, 0).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _bind_once(config: ServerConfig, ips: list[IPAddress], notes: tuple[str, ...]) -> Bound:
    places: list[Place] = []
    try:
        first = _bind_place(ips[0], config.port)
        places.append(first)
        port = first.address.port
        places.extend(_bind_place(ip, port) for ip in ips[1:])
        squares = _bind_squares(config, places)
    except BaseException:
        for place in places:
            place.close()
        raise
    return Bound(tuple(places), squares, notes)


def _bind_squares(config: ServerConfig, places: list[Place]) -> dict[Family, Square]:
    """Add the alternate port wherever a family has two addresses."""
    squares: dict[Family, Square] = {}
    port = alternate_port(config)
    for family in Family:
        primary = [place.address for place in places if place.address.family is family]
        if len(primary) < 2:
            continue
        for address in primary:
            places.append(_bind_place(address.ip, port))
            port = places[-1].address.port
        squares[family] = Square((primary[0], primary[1]), port)
    return squares


def _bind_place(ip: IPAddress, port: int) -> Place:
    udp: socket.socket | None = None
    try:
        udp = bind_socket(socket.SOCK_DGRAM, ip, port)
        bound = TransportAddress(ip, udp.getsockname()[1])
        return Place(bound, udp, bind_socket(socket.SOCK_STREAM, ip, bound.port))
    except OSError as error:
        if udp is not None:
            udp.close()
        wanted = TransportAddress(ip, port)
        if error.errno == errno.EADDRINUSE:
            raise _TakenError(f"{wanted} is in use: choose another port with --port") from None
        raise _TakenError(f"cannot listen on {wanted}: {error.strerror or error}") from None


class RelaySocket(msgspec.Struct, frozen=True):
    """A bound socket for an allocation."""

    udp: socket.socket
    address: TransportAddress
    token: bytes | None = None
    """Under which the port above is held."""


class RelaySockets:
    """Binds the sockets of allocations, and holds reserved ones for 30 seconds (RFC 8656 section 7.2)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[bytes, tuple[float, socket.socket]] = {}

    def open(self, now_ms: float, wanted: OpenRelay, ip: IPAddress | None) -> RelaySocket | None:
        """Bind what is wanted; None where it cannot be had."""
        if wanted.token is not None:
            _, udp = self._held.pop(wanted.token, (0, None))
            return None if udp is None else RelaySocket(udp, _address_of(udp))
        if ip is None:
            return None
        with suppress(OSError):
            for _ in range(_TRIES):
                udp = bind_socket(socket.SOCK_DGRAM, ip, 0)
                even = _address_of(udp).port % 2 == 0
                if not wanted.even_port or (even and not wanted.reserve_next):
                    return RelaySocket(udp, _address_of(udp))
                token = self._hold_next(now_ms, _address_of(udp)) if even else None
                if token is not None:
                    return RelaySocket(udp, _address_of(udp), token)
                udp.close()
        return None

    def expire(self, now_ms: float) -> None:
        """Close what nobody came for."""
        for token, (until_ms, udp) in list(self._held.items()):
            if until_ms <= now_ms:
                udp.close()
                del self._held[token]

    def _hold_next(self, now_ms: float, address: TransportAddress) -> bytes | None:
        if len(self._held) >= self._limit:
            return None
        try:
            udp = bind_socket(socket.SOCK_DGRAM, address.ip, address.port + 1)
        except OSError:
            return None
        token = token_bytes(8)
        self._held[token] = (now_ms + _RESERVATION_MS, udp)
        return token


def _address_of(udp: socket.socket) -> TransportAddress:
    name = udp.getsockname()
    return TransportAddress(name[0], name[1])
