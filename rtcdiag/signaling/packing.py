"""A description as few bytes as it takes: what a code holds between its head and its checksum.

::

    flags            1  bit 0: all candidates are here; bit 1: it expires. Another bit is a newer version's
    session          8
    expires          4  UNIX seconds, where bit 1 is set
    ufrag, pwd          each a length byte, then 6 bits a character
    candidates          each as `_candidate` writes it, until the end

A candidate is a byte that says what follows, then its address, port, local preference (or whole priority), foundation
and related address. Foundations are numbered anew: only which of them are equal means anything (RFC 8445 section
5.1.1.3). Only UDP is told: nothing else is gathered.
"""

import base64
import re
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import get_args
from uuid import UUID

from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.evidence.session import SessionRole
from rtcdiag.signaling.candidate import SdpCandidate, parse_candidate
from rtcdiag.signaling.messages import MAX_CANDIDATES, Description

_COMPLETE, _EXPIRES = 1, 2
_TYPES: tuple[CandidateType, ...] = get_args(CandidateType)
_PREFERENCES: dict[CandidateType, int] = {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}
"""The recommended type preferences (RFC 8445 section 5.1.2.2)."""
_IPV4, _IPV6, _MDNS, _NAME = range(4)
_NONE, _HIDDEN, _EARLIER, _OTHER = range(4)
_MDNS_NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local")
_HIDDEN_ADDRESSES = (("0.0.0.0", 9), ("::", 9))  # noqa: S104 - what SDP writes in place of an address
_ICE_CHARS = re.compile(r"[A-Za-z0-9+/]{0,255}")


class UnpackError(ValueError):
    """Bytes that `pack` cannot have written."""


class NewerFormError(UnpackError):
    """Bytes that a newer version wrote."""


def pack(description: Description) -> bytes:
    """Return the bytes of a description; raise ValueError where it holds what an ICE agent never tells."""
    candidates = [parse_candidate(value) for value in description.candidates]
    told = [item for item in candidates if item.protocol == "udp"][:MAX_CANDIDATES]
    expires_at_s = description.expires_at_s
    flags = (_COMPLETE if description.complete else 0) | (_EXPIRES if expires_at_s is not None else 0)
    expires = struct.pack(">I", int(expires_at_s)) if expires_at_s is not None else b""
    head = bytes([flags]) + bytes.fromhex(description.session).rjust(8, b"\0") + expires
    names = list(dict.fromkeys(item.foundation for item in told))
    packed = (_candidate(item, names.index(item.foundation), told[:at]) for at, item in enumerate(told))
    return b"".join((head, _secret(description.ufrag), _secret(description.pwd), *packed))


def _secret(text: str) -> bytes:
    """Pack ice-chars (RFC 8839 section 5.4), which are the alphabet of base64."""
    if not _ICE_CHARS.fullmatch(text):
        raise ValueError("a user fragment or password of other characters than ICE allows")
    whole = base64.b64decode(text + "A" * (-len(text) % 4))
    return bytes([len(text)]) + whole[: _secret_bytes(len(text))]


def _secret_bytes(characters: int) -> int:
    return (characters * 6 + 7) // 8


def _candidate(item: SdpCandidate, foundation: int, earlier: list[SdpCandidate]) -> bytes:
    kind, host = _host(item.host)
    usual = _priority(item.type, item.priority >> 8 & 0xFFFF, item.component) == item.priority
    how, related = _related(item, earlier)
    first = _TYPES.index(item.type) | kind << 2 | how << 4 | usual << 6 | (item.component != 1) << 7
    component = bytes([item.component % 256]) if item.component != 1 else b""
    priority = struct.pack(">H", item.priority >> 8 & 0xFFFF) if usual else struct.pack(">I", item.priority)
    return bytes([first]) + component + host + struct.pack(">H", item.port) + priority + bytes([foundation]) + related


def _priority(type_: CandidateType, local: int, component: int) -> int:
    """Return the priority that RFC 8445 section 5.1.2.1 recommends."""
    return (_PREFERENCES[type_] << 24) + (local << 8) + 256 - component


def _host(host: str) -> tuple[int, bytes]:
    if _MDNS_NAME.fullmatch(host):
        return _MDNS, UUID(host.removesuffix(".local")).bytes
    try:
        ip = ip_address(host)
    except ValueError:
        return _NAME, bytes([len(host)]) + host.encode("ascii")
    return (_IPV4 if ip.version == 4 else _IPV6), ip.packed


def _related(item: SdpCandidate, earlier: list[SdpCandidate]) -> tuple[int, bytes]:
    if item.related is None:
        return _NONE, b""
    if item.related in _HIDDEN_ADDRESSES:
        return _HIDDEN, bytes([_HIDDEN_ADDRESSES.index(item.related)])
    for at, other in enumerate(earlier):
        if (other.host, other.port) == item.related:
            return _EARLIER, bytes([at])
    ip = ip_address(item.related[0])
    return _OTHER, bytes([ip.version]) + ip.packed + struct.pack(">H", item.related[1])


class _Reader:
    """What is left of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self, size: int) -> bytes:
        taken, self._left = self._left[:size], self._left[size:]
        if len(taken) < size:
            raise UnpackError("it ends too early")
        return taken

    def number(self, size: int = 1) -> int:
        return int.from_bytes(self.take(size))


def unpack(data: bytes, role: SessionRole) -> Description:
    """Read what `pack` wrote; raise UnpackError for anything else."""
    reader = _Reader(data)
    flags = reader.number()
    if flags & ~(_COMPLETE | _EXPIRES):
        raise NewerFormError("it has parts that this version does not know")
    return Description(
        session=reader.take(8).hex(),
        role=role,
        expires_at_s=float(reader.number(4)) if flags & _EXPIRES else None,
        ufrag=_take_secret(reader),
        pwd=_take_secret(reader),
        candidates=tuple(map(str, _take_candidates(reader))),
        complete=bool(flags & _COMPLETE),
    )


def _take_secret(reader: _Reader) -> str:
    length = reader.number()
    packed = reader.take(_secret_bytes(length))
    return base64.b64encode(packed + bytes(-len(packed) % 3)).decode("ascii")[:length]


def _take_candidates(reader: _Reader) -> list[SdpCandidate]:
    taken: list[SdpCandidate] = []
    while reader:
        if len(taken) == MAX_CANDIDATES:
            raise UnpackError("it holds too many candidates")
        taken.append(_take_candidate(reader, taken))
    return taken


def _take_candidate(reader: _Reader, earlier: list[SdpCandidate]) -> SdpCandidate:
    first = reader.number()
    type_ = _TYPES[first & 3]
    component = reader.number() or 256 if first & 0x80 else 1
    host = _take_host(reader, first >> 2 & 3)
    port = reader.number(2)
    usual = first & 0x40
    priority = _priority(type_, reader.number(2), component) if usual else reader.number(4)
    return SdpCandidate(
        foundation=str(reader.number() + 1),
        component=component,
        priority=priority,
        host=host,
        port=port,
        type=type_,
        related=_take_related(reader, first >> 4 & 3, earlier),
    )


def _take_host(reader: _Reader, kind: int) -> str:
    if kind == _IPV4:
        return str(IPv4Address(reader.take(4)))
    if kind == _IPV6:
        return str(IPv6Address(reader.take(16)))
    if kind == _MDNS:
        return f"{UUID(bytes=reader.take(16))}.local"
    name = reader.take(reader.number())
    if not re.fullmatch(rb"[a-z0-9._-]{1,253}", name):
        raise UnpackError("a name in it is none")
    return name.decode("ascii")


def _take_related(reader: _Reader, how: int, earlier: list[SdpCandidate]) -> tuple[str, int] | None:
    if how == _NONE:
        return None
    if how == _OTHER:
        ip = IPv4Address(reader.take(4)) if reader.number() == 4 else IPv6Address(reader.take(16))
        return str(ip), reader.number(2)
    at = reader.number()
    known = list(_HIDDEN_ADDRESSES) if how == _HIDDEN else [(item.host, item.port) for item in earlier]
    if at >= len(known):
        raise UnpackError("an address in it refers to none")
    return known[at]
