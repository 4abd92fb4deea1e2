"""What a peer-reflexive candidate proves about a NAT: that it used another port than the one that was told, or nothing.

A proof needs the port that a STUN server saw of the same socket. A host address behind a NAT that was learned because
the server-reflexive one was hidden, or another interface's, proves no more than that there is a NAT.
"""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import LearnedCandidate
from rtcdiag.session.end import End


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """One learned candidate, and what follows from it."""

    seen: LearnedCandidate
    whose: Literal["own", "remote"]
    told: TransportAddress | None
    address: TransportAddress
    dependent: bool
    """Whether it proves that the NAT maps to another port towards this destination than towards a STUN server."""
    why_not: str = ""
    """Why it proves nothing; empty where it does."""


def lessons(end: End) -> tuple[Lesson, ...]:
    """Return what each learned candidate proves."""
    return tuple(_lesson(end, item) for item in end.learned)


def _lesson(end: End, item: LearnedCandidate) -> Lesson:
    why_not = _doubt(end, item)
    return Lesson(
        seen=item,
        whose=item.whose,
        told=item.told,
        address=item.address,
        dependent=not why_not,
        why_not=why_not,
    )


def _doubt(end: End, item: LearnedCandidate) -> str:
    told = item.told
    if told is None:
        return "no address had been told to compare it with"
    if told.ip != item.address.ip:
        return "it is another public address: another way out, or a pool of them"
    if told.port == item.address.port:
        return "it is the address that was told"
    if end.session.address_changed:
        return "the network address changed while waiting"
    return _own_doubt(end, item, told) if item.whose == "own" else _remote_doubt(end, told)


def _own_doubt(end: End, item: LearnedCandidate, told: TransportAddress) -> str:
    if told not in end.server_reflexive(item.local):
        return "no STUN server saw this socket as the address that was told"
    return ""


def _remote_doubt(end: End, told: TransportAddress) -> str:
    """Only where each socket of the other end has told what a server saw of it, none other can have sent the check."""
    mine = [one for one in end.told if one.transport == "udp" and (one.address is None or _alike(one.address, told))]
    if not any(one.type == "srflx" and one.address == told for one in mine):
        return "what was told is not what a STUN server saw"
    hosts = {one.address for one in mine if one.type == "host"}
    if not hosts:
        return "the other end hides its own addresses, so the check may come from another socket"
    if None in hosts or not hosts <= {one.related for one in mine if one.type == "srflx"}:
        return "the check may come from a socket of which no public address was told"
    return ""


def _alike(one: TransportAddress, two: TransportAddress) -> bool:
    return one.family is two.family
