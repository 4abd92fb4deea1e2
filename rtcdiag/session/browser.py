"""Why a browser's candidates differ from those of this program, as far as both lists tell."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from rtcdiag.address import IPAddress
from rtcdiag.evidence import BrowserView, Candidate
from rtcdiag.session.end import End
from rtcdiag.session.told import Told, told_candidates

Why = Literal["names", "default-route", "other-address", "no-udp", "no-srflx", "no-relay", "changed"]
UNREACHED = 701
"""icecandidateerror's code for a server that was not reached (W3C WebRTC, RTCPeerConnectionIceErrorEvent)."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the two lists differ."""

    why: Why
    here: tuple[str, ...] = ()
    """What this program has."""
    there: tuple[str, ...] = ()
    """What the browser has."""


def differences(end: End, view: BrowserView) -> tuple[Difference, ...]:
    """Return how the browser's candidates differ, most telling first."""
    told = told_candidates(view.candidates)
    return tuple(item for judge in _JUDGES for item in judge(end, view, told))


def _no_udp(end: End, view: BrowserView, told: tuple[Told, ...]) -> Iterator[Difference]:
    """A browser that may not use UDP tells nothing of this computer, or a TCP candidate that only calls."""
    own = [item for item in end.candidates if item.type in ("host", "srflx")]
    udp = [item for item in told if item.transport == "udp" and item.type != "relay"]
    if own and not udp and view.gathered_ms is not None and not view.relay_only:
        yield Difference(why="no-udp", here=_texts(own), there=tuple(f"{item.type} {item.transport}" for item in told))


def _other_address(end: End, _: BrowserView, told: tuple[Told, ...]) -> Iterator[Difference]:
    """On one computer both leave the network by one address, unless something sits between one of them and it."""
    here, there = _mapped(end), _reflexive(told)
    for version in (4, 6):
        own, other = ({ip for ip in ips if ip.version == version} for ips in (here, there))
        if own and other and not own & other and end.same_computer:
            yield Difference(why="other-address", here=_sorted(own), there=_sorted(other))


def _no_srflx(end: End, view: BrowserView, told: tuple[Told, ...]) -> Iterator[Difference]:
    reflexive = [item for item in end.candidates if item.type == "srflx"]
    has_udp = any(item.transport == "udp" and item.type == "host" for item in told)
    done = view.gathered_ms is not None and not view.relay_only
    # What no NAT translates is no second candidate (RFC 8445 section 5.1.3).
    if done and has_udp and reflexive and not _reflexive(told):
        yield Difference(why="no-srflx", here=_texts(reflexive), there=_codes(view))


def _no_relay(end: End, view: BrowserView, told: tuple[Told, ...]) -> Iterator[Difference]:
    relays = [item for item in end.candidates if item.type == "relay"]
    if relays and view.gathered_ms is not None and not any(item.type == "relay" for item in told):
        yield Difference(why="no-relay", here=_texts(relays), there=_codes(view))


def _default_route(end: End, view: BrowserView, told: tuple[Told, ...]) -> Iterator[Difference]:
    own = [item for item in end.candidates if item.type == "host"]
    hosts = [item for item in told if item.type == "host" and item.transport == "udp"]
    if hosts and len(own) > len(hosts) and view.gathered_ms is not None:
        yield Difference(why="default-route", here=_texts(own), there=tuple(str(len(hosts)) for _ in hosts))


def _names(_: End, __: BrowserView, told: tuple[Told, ...]) -> Iterator[Difference]:
    names = [item for item in told if item.type == "host" and item.transport == "udp" and item.address is None]
    if names:
        yield Difference(why="names", there=tuple("name" for _ in names))


def _changed(_: End, view: BrowserView, __: tuple[Told, ...]) -> Iterator[Difference]:
    used = list(dict.fromkeys(f"{item.local_type} to {item.remote_type}" for item in view.selected))
    if len(used) > 1:
        yield Difference(why="changed", there=tuple(used))


_JUDGES = (_no_udp, _other_address, _no_srflx, _no_relay, _default_route, _names, _changed)


def _mapped(end: End) -> set[IPAddress]:
    return {item.address.ip for item in end.candidates if item.type == "srflx"}


def _reflexive(told: tuple[Told, ...]) -> set[IPAddress]:
    return {item.address.ip for item in told if item.type == "srflx" and item.address is not None}


def _texts(own: list[Candidate]) -> tuple[str, ...]:
    return _sorted({item.address.ip for item in own})


def _sorted(ips: set[IPAddress]) -> tuple[str, ...]:
    return tuple(str(ip) for ip in sorted(ips, key=lambda ip: (ip.version, int(ip))))


def _codes(view: BrowserView) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(item.code) for item in view.errors))
