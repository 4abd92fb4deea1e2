"""A candidate as SDP writes it (RFC 8839 section 5.1), taken apart and put together again."""

import re
from ipaddress import ip_address
from typing import Literal, cast, get_args

import msgspec

from rtcdiag.address import IPAddress
from rtcdiag.evidence.candidate import CandidateType

PREFIX = "candidate:"
_TYPES = get_args(CandidateType)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
_IS_NUMBERS = re.compile(r"[0-9.]*")


class SdpCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate; an extension attribute that this program does not need is left out."""

    foundation: str
    component: int = 1
    protocol: Literal["udp", "tcp"] = "udp"
    priority: int
    host: str
    """An IP address, or a name: browsers tell ``<uuid>.local`` (mDNS)."""
    port: int
    type: CandidateType
    related: tuple[str, int] | None = None
    """IP address and port; ``0.0.0.0`` or ``::`` and 9 where they are hidden."""
    tcptype: str | None = None

    @property
    def ip(self) -> IPAddress | None:
        """The address, None for a name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        parts = [self.foundation, self.component, self.protocol, self.priority, self.host, self.port, "typ", self.type]
        if self.related is not None:
            parts += ["raddr", self.related[0], "rport", self.related[1]]
        if self.tcptype is not None:
            parts += ["tcptype", self.tcptype]
        return PREFIX + " ".join(map(str, parts))


def parse_candidate(value: str) -> SdpCandidate:
    """Read the attribute's value, ``candidate:…``; raise ValueError where it is none.

    Names and numbers are checked, so that what comes of it can be written into SDP and on a terminal.
    """
    if not value.startswith(PREFIX):
        raise ValueError("a candidate begins with candidate:")
    words = value.removeprefix(PREFIX).split()
    if len(words) < 8 or len(words) % 2 or words[6] != "typ" or words[7] not in _TYPES:
        raise ValueError("a candidate has eight words or more, among them typ and its type")
    more = dict(zip(words[8::2], words[9::2], strict=True))
    return SdpCandidate(
        foundation=_token(words[0], 32),
        component=_number(words[1], 256),
        protocol=_protocol(words[2]),
        priority=_number(words[3], 2**32 - 1),
        host=_host(words[4]),
        port=_number(words[5], 65535),
        type=cast("CandidateType", words[7]),
        related=_related(more),
        tcptype=_token(more["tcptype"], 32) if "tcptype" in more else None,
    )


def _related(more: dict[str, str]) -> tuple[str, int] | None:
    """Return the related address, None where it is missing or a name: nothing rests on it."""
    try:
        return _address(more["raddr"]), _number(more["rport"], 65535)
    except (KeyError, ValueError):
        return None


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > most:
        raise ValueError(f"not a number from 0 to {most}")
    return int(text)


def _token(text: str, most: int) -> str:
    if not text.isascii() or not all(char.isalnum() or char in "+/-_." for char in text) or not 0 < len(text) <= most:
        raise ValueError(f"not one to {most} letters and digits")
    return text


def _protocol(text: str) -> Literal["udp", "tcp"]:
    if (lower := text.lower()) in {"udp", "tcp"}:
        return cast('Literal["udp", "tcp"]', lower)
    raise ValueError("neither udp nor tcp")


def _host(text: str) -> str:
    return text.lower() if _NAME.fullmatch(text) and not _IS_NUMBERS.fullmatch(text) else _address(text)


def _address(text: str) -> str:
    if "%" in text:
        raise ValueError("an address with a zone, which means nothing elsewhere")
    return str(ip_address(text))
