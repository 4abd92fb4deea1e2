"""The path from this computer through interface and NAT to each server, as places and words."""

import msgspec

from rtcdiag.address import Scope
from rtcdiag.formats.nat_words import used_interface
from rtcdiag.formats.tables.servers import broken, label, place, rtt_ms, some
from rtcdiag.formats.words import STAGE_TONE, STAGE_WORD, Tone, familiar, ms
from rtcdiag.nat import Nat
from rtcdiag.report import Report, ServerRow

_MOST = 8
"""Servers drawn; the rest is a number."""
_BESIDE = 2
"""Other interfaces, and addresses, that are written out."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A stop on the way: a title and what is known of it."""

    title: str
    lines: tuple[str, ...]
    tone: Tone = ""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """The way to one server."""

    place: Place
    words: str
    """What stands above the line: ``udp 21 ms``."""
    code: str = ""
    """The finding that breaks it."""
    broken: bool = False
    tone: Tone = ""


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """The places in their order, before any layout."""

    computer: Place
    stops: tuple[Place, ...]
    """Interface and NAT; none where every server runs on this computer."""
    hops: tuple[Hop, ...]
    """To the servers outside."""
    local: tuple[Hop, ...]
    """To the servers on this computer: neither interface nor NAT lies between."""
    more: str
    connected: bool
    """Whether this computer has a route at all."""

    @property
    def sentence(self) -> str:
        """The figure in words."""
        way = ", then ".join(" ".join((stop.title, *stop.lines)) for stop in (self.computer, *self.stops))
        here = f" On this computer itself: {_told(self.local)}." if self.local else ""
        left = f" {self.more.capitalize()}." if self.more else ""
        servers = "" if self.local and not self.hops else f" Servers: {_told(self.hops) or 'none'}."
        return f"{way}.{servers}{here}{left}"


def _told(hops: tuple[Hop, ...]) -> str:
    return "; ".join(f"{hop.place.title} {hop.words} {hop.code}".strip() for hop in hops)


def path(report: Report) -> Path:
    """Return the stops and the servers of a report."""
    left = len(report.servers) - _MOST
    shown = some(report.servers, _MOST)
    here = report.environment
    own = {address for interface in here.interfaces for address in interface.addresses}
    local = tuple(row for row in shown if _is_local(row, own))
    outside = tuple(row for row in shown if row not in local)
    return Path(
        computer=Place(title="This computer", lines=(here.os,) if here.os else ()),
        stops=(_interface(report), *_nats(report)) if outside or not local else (),
        hops=tuple(_hop(row) for row in outside),
        local=tuple(_hop(row) for row in local),
        more=f"and {left} more" if left > 0 else "",
        connected=_connected(report),
    )


def _is_local(row: ServerRow, own: set[str]) -> bool:
    return row.address is not None and (row.address.scope is Scope.LOOPBACK or row.address.host in own)


def _connected(report: Report) -> bool:
    return report.environment.default_route is not None or any(row.status == "ok" for row in report.servers)


def _interface(report: Report) -> Place:
    here = report.environment
    name = used_interface(report)
    used = next((item for item in here.interfaces if item.name == name), None)
    if used is None:
        return Place(title=name or "No default route", lines=(), tone="" if _connected(report) else "bad")
    others = [f"{item.name} ({item.role})" for item in here.interfaces if item is not used and item.role != "loopback"]
    shown = others[:_BESIDE]
    lines = (
        *(used.addresses[:_BESIDE] or ("no address",)),
        *(["beside it:", *shown] if shown else []),
        f"and {len(others) - len(shown)} more" if len(others) > len(shown) else "",
    )
    vpn = " through a VPN" if here.vpn and name == here.default_route else ""
    return Place(title=f"{used.name} ({used.role}){vpn}", lines=tuple(filter(None, lines)), tone="warn" if vpn else "")


def _nats(report: Report) -> tuple[Place, ...]:
    """Return the NAT that servers see, behind the one nearby where there are two or more in a row."""
    nats = [nat for nat in (report.nat.ipv4, report.nat.ipv6) if nat is not None]
    several = any((nat.layers or 0) > 1 for nat in nats)
    nearby = Place(title="NAT nearby", lines=("another one follows",))
    return (nearby, _nat(report)) if several else (_nat(report),)


def _nat(report: Report) -> Place:
    asked = [(name, nat) for name, nat in (("IPv4", report.nat.ipv4), ("IPv6", report.nat.ipv6)) if nat is not None]
    nats = [(name, nat) for name, nat in asked if not nat.local_only]
    if not nats:
        nearby = "no server outside" if asked else "NAT not examined"
        return Place(title="NAT not known" if asked else "Network", lines=(nearby,), tone="muted")
    known = [(name, nat) for name, nat in nats if nat.behind_nat is not None] or nats[:1]
    lines = [line for name, nat in known for line in _nat_lines(nat, name if len(known) > 1 else "")]
    tone: Tone = "" if any(familiar(nat) for _, nat in known) else "muted"
    return Place(title=_nat_title([nat for _, nat in known]), lines=tuple(filter(None, lines)), tone=tone)


def _nat_title(nats: list[Nat]) -> str:
    if any(nat.behind_nat for nat in nats):
        return "Carrier-grade NAT" if any(nat.cgnat for nat in nats) else "NAT"
    return "NAT not known" if nats[0].behind_nat is None else "No NAT"


def _nat_lines(nat: Nat, family: str) -> tuple[str, str]:
    hosts = ", ".join(dict.fromkeys(address.host for address in nat.mapped))
    known = familiar(nat) or "behavior undetermined"
    if family:
        return f"{family} {hosts}".strip(), known
    return ("stateful firewall" if nat.firewall else "") if nat.behind_nat is False else known, hosts


def _hop(row: ServerRow) -> Hop:
    stage = broken(row)
    failed = row.status == "failed"
    took = ms(rtt_ms(row)) if row.status == "ok" else ""
    words = f"{row.transport} {STAGE_WORD[row.status]} {stage.stage if stage else took}".strip()
    return Hop(
        place=Place(title=label(row.uri), lines=(place(row),)),
        words=words,
        code=(stage.finding or "") if stage else "",
        broken=failed,
        tone=STAGE_TONE[row.status],
    )
