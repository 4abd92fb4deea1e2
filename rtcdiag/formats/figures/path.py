"""The path from this computer through interface and NAT to each server, wide for a screen and tall for a phone."""

from typing import NamedTuple
from unicodedata import east_asian_width

import msgspec

from rtcdiag.formats.figures import shorten
from rtcdiag.formats.safe import clean
from rtcdiag.formats.tables.servers import broken, rtt_ms, short
from rtcdiag.formats.words import STAGE_TONE, STAGE_WORD, Tone, familiar, ms
from rtcdiag.nat import Nat
from rtcdiag.report import Report, ServerRow

_MOST = 8
"""Servers drawn; the rest is a number."""


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


class Node(NamedTuple):
    """A place with its box, in pixels."""

    x: float
    y: float
    width: float
    height: float
    place: Place


class Edge(NamedTuple):
    """A line through points, in pixels, with words at ``x`` and ``y``."""

    points: str
    x: float
    y: float
    hop: Hop


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """One layout of the figure."""

    name: str
    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    links: tuple[str, ...]
    """The lines between computer, interface and NAT, as points."""
    link_broken: bool
    cross: tuple[float, float]
    """Where the x of a broken line stands."""
    more: str


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """The places in their order, before any layout."""

    stops: tuple[Place, Place, Place]
    hops: tuple[Hop, ...]
    more: str
    connected: bool
    """Whether this computer has a route at all."""

    @property
    def sentence(self) -> str:
        """The figure in words."""
        way = ", then ".join(" ".join((stop.title, *stop.lines)) for stop in self.stops)
        servers = "; ".join(f"{hop.place.title} {hop.words} {hop.code}".strip() for hop in self.hops)
        return f"{way}. Servers: {servers or 'none'}{'; ' + self.more if self.more else ''}."


def path(report: Report) -> Path:
    """Return the stops and the servers of a report."""
    left = len(report.servers) - _MOST
    here = report.environment
    return Path(
        stops=(Place(title="This computer", lines=(here.os,) if here.os else ()), _interface(report), _nat(report)),
        hops=tuple(_hop(row) for row in report.servers[:_MOST]),
        more=f"and {left} more" if left > 0 else "",
        connected=_connected(report),
    )


def _connected(report: Report) -> bool:
    return report.environment.default_route is not None or any(row.status == "ok" for row in report.servers)


def _interface(report: Report) -> Place:
    here = report.environment
    used = next((item for item in here.interfaces if item.name == here.default_route), None)
    if used is None:
        return Place(title=here.default_route or "No default route", lines=(), tone="" if _connected(report) else "bad")
    others = len(here.interfaces) - 1
    lines = (
        used.addresses[0] if used.addresses else "no address",
        f"+{others} other {'interface' if others == 1 else 'interfaces'}" if others else "",
    )
    vpn = " through a VPN" if here.vpn else ""
    return Place(title=f"{used.name} ({used.role}){vpn}", lines=tuple(filter(None, lines)), tone="warn" if vpn else "")


def _nat(report: Report) -> Place:
    nat = report.nat.ipv4 or report.nat.ipv6
    if nat is None:
        return Place(title="Network", lines=("NAT not examined",), tone="muted")
    return Place(
        title=_nat_title(nat), lines=tuple(filter(None, _nat_lines(nat))), tone="" if familiar(nat) else "muted"
    )


def _nat_title(nat: Nat) -> str:
    if nat.behind_nat is False:
        return "No NAT"
    if nat.behind_nat is None:
        return "NAT not known"
    return "Carrier-grade NAT" if nat.cgnat else "NAT"


def _nat_lines(nat: Nat) -> tuple[str, str]:
    hosts = dict.fromkeys(address.host for address in nat.mapped)
    known = familiar(nat) or "behavior undetermined"
    return ("stateful firewall" if nat.firewall else "") if nat.behind_nat is False else known, ", ".join(hosts)


def _hop(row: ServerRow) -> Hop:
    stage = broken(row)
    failed = row.status == "failed"
    took = ms(rtt_ms(row)) if row.status == "ok" else ""
    words = f"{row.transport} {STAGE_WORD[row.status]} {stage.stage if stage else took}".strip()
    return Hop(
        place=Place(title=short(row.uri), lines=(str(row.address) if row.address else "no address",)),
        words=words,
        code=(stage.finding or "") if stage else "",
        broken=failed,
        tone=STAGE_TONE[row.status],
    )


_TEXT = 18
"""Height of a line of text, in pixels."""


def _box(place: Place) -> float:
    return 20 + _TEXT * (1 + len(place.lines))


def wide(route: Path) -> Drawing:
    """Return the figure from left to right, 1030 pixels wide."""
    server = 52
    height = max(96.0, len(route.hops) * (server + 14) - 14, *(_box(stop) for stop in route.stops)) + 12
    middle = height / 2
    nodes = [
        Node(x, middle - _box(stop) / 2, 170, _box(stop), stop)
        for x, stop in zip((2, 202, 402), route.stops, strict=True)
    ]
    top = middle - (len(route.hops) * (server + 14) - 14) / 2
    edges = []
    for at, hop in enumerate(route.hops):
        y = top + at * (server + 14)
        nodes.append(Node(828, y, 200, server, hop.place))
        edges.append(Edge(f"572,{middle:g} 592,{middle:g} 592,{y + 26:g} 828,{y + 26:g}", 600, y + 26, hop))
    links = tuple(f"{x},{middle:g} {x + 30},{middle:g}" for x in (172, 372))
    return Drawing(
        name="wide",
        width=1030,
        height=height + (20 if route.more else 0),
        nodes=tuple(nodes),
        edges=tuple(edges),
        links=links,
        link_broken=not route.connected,
        cross=(187, middle - 8),
        more=route.more,
    )


def tall(route: Path) -> Drawing:
    """Return the figure from top to bottom, 340 pixels wide."""
    nodes, links, y = [], [], 2.0
    for stop in route.stops:
        nodes.append(Node(2, y, 336, _box(stop), stop))
        y += _box(stop)
        links.append(f"20,{y:g} 20,{y + 22:g}")
        y += 22
    start, edges = y - 22, []
    for hop in route.hops:
        nodes.append(Node(52, y + 36, 286, 52, hop.place))
        edges.append(Edge(f"20,{start:g} 20,{y + 62:g} 52,{y + 62:g}", 52, y + (18 if hop.code else 34), hop))
        y += 100
    return Drawing(
        name="tall",
        width=340,
        height=y + (20 if route.more else 2),
        nodes=tuple(nodes),
        edges=tuple(edges),
        links=tuple(links[:2]),
        link_broken=not route.connected,
        cross=(36, 2 + _box(route.stops[0]) + 16),
        more=route.more,
    )


def fit(text: str, width: float, size: float = 7.2) -> str:
    """Return a text that is at most ``width`` pixels wide, at ``size`` pixels a character and two for a wide one."""
    text = clean(text)
    columns = sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
    return shorten(text, max(4, int((width - 16) / size * len(text) / max(columns, 1))))
