"""The other end's candidates, read from what it told."""

from collections.abc import Iterable

import msgspec

from rtcdiag.address import TransportAddress

_TYPES = ("host", "srflx", "prflx", "relay")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate attribute (RFC 8839 section 5.1)."""

    type: str
    transport: str
    """In lower case: ``udp``."""
    address: TransportAddress | None
    """None for a name, such as one of mDNS."""
    related: TransportAddress | None = None
    """What raddr and rport say; None where they are left out or hidden."""


def told_candidates(values: Iterable[str]) -> tuple[Told, ...]:
    """Read SDP values; what is no candidate is left out."""
    return tuple(told for value in values if (told := _told(value)) is not None)


def _told(value: str) -> Told | None:
    words = value.removeprefix("a=").removeprefix("candidate:").split()
    if len(words) < 8 or words[6] != "typ" or words[7] not in _TYPES:
        return None
    more = dict(zip(words[8::2], words[9::2], strict=False))
    related = _address(more.get("raddr", ""), more.get("rport", ""))
    hidden = related is None or related.ip.is_unspecified
    return Told(
        type=words[7],
        transport=words[2].lower(),
        address=_address(words[4], words[5]),
        related=None if hidden else related,
    )


def _address(host: str, port: str) -> TransportAddress | None:
    try:
        return TransportAddress(host, int(port))
    except ValueError:
        return None
