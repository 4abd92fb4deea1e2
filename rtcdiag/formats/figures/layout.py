"""The figure of the path with its coordinates: wide for a screen, tall for a phone."""

from typing import NamedTuple
from unicodedata import east_asian_width

import msgspec

from rtcdiag.formats.figures import shorten
from rtcdiag.formats.figures.path import Hop, Path, Place
from rtcdiag.formats.safe import clean


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


_Drawn = list[tuple[Node, Edge]]


_TEXT = 18
"""Height of a line of text, in pixels."""
_SERVER = 52
"""Height of a server's box."""
_ROW = _SERVER + 14
_STOP, _GAP = 170, 24
"""Width of a stop in the wide figure, and the way to the next."""


def _box(place: Place) -> float:
    return 20 + _TEXT * (1 + len(place.lines))


def wide(route: Path) -> Drawing:
    """Return the figure from left to right, 1030 pixels wide for up to three stops; below, what runs here itself."""
    stops = (route.computer, *route.stops)
    more = max(0, len(stops) - 3) * (_STOP + _GAP)
    fan, below = (route.hops, route.local) if route.stops else (route.local, ())
    upper = max(96.0, len(fan) * _ROW - 14, *(_box(stop) for stop in stops)) + 12
    middle = upper / 2
    nodes = [
        Node(2 + at * (_STOP + _GAP), middle - _box(stop) / 2, _STOP, _box(stop), stop) for at, stop in enumerate(stops)
    ]
    drawn = _fanned(fan, nodes[-1].x + _STOP, middle, more)
    drawn += _beneath(below, middle + _box(route.computer) / 2, upper + 8, more)
    return Drawing(
        name="wide",
        width=1030 + more,
        height=upper + len(below) * _ROW + (20 if route.more else 0),
        nodes=(*nodes, *(node for node, _ in drawn)),
        edges=tuple(edge for _, edge in drawn),
        links=tuple(f"{node.x - _GAP:g},{middle:g} {node.x:g},{middle:g}" for node in nodes[1:]),
        link_broken=not route.connected,
        cross=(2 + _STOP + _GAP / 2, middle - 8),
        more=route.more,
    )


def _fanned(hops: tuple[Hop, ...], right: float, middle: float, more: float) -> _Drawn:
    """Return servers around the middle, each with a line from the stop that ends at ``right``."""
    top = middle - (len(hops) * _ROW - 14) / 2
    rows = [(hop, top + at * _ROW + _SERVER / 2) for at, hop in enumerate(hops)]
    turn = right + 12
    return [_served(hop, y, f"{right:g},{middle:g} {turn:g},{middle:g} {turn:g},{y:g}", more) for hop, y in rows]


def _beneath(hops: tuple[Hop, ...], bottom: float, top: float, more: float) -> _Drawn:
    """Return servers below each other, each with a line from the bottom of the computer."""
    rows = [(hop, top + at * _ROW + _SERVER / 2) for at, hop in enumerate(hops)]
    return [_served(hop, y, f"87,{bottom:g} 87,{y:g}", more) for hop, y in rows]


def _served(hop: Hop, y: float, way: str, more: float) -> tuple[Node, Edge]:
    """Return a server and the line to it; ``more`` is how much further right than usual."""
    left = 808 + more
    return Node(left, y - _SERVER / 2, 220, _SERVER, hop.place), Edge(f"{way} {left:g},{y:g}", left - 228, y, hop)


def tall(route: Path) -> Drawing:
    """Return the figure from top to bottom, 340 pixels wide; what runs on this computer hangs right below it."""
    nodes, links = [Node(2, 2, 336, _box(route.computer), route.computer)], []
    end = 2 + _box(route.computer)
    drawn = _hung(route.local, end)
    y = end + 22 + 100 * len(drawn)
    cross = (36, y - 6)
    for stop in route.stops:
        links.append(f"20,{end:g} 20,{y:g}")
        nodes.append(Node(2, y, 336, _box(stop), stop))
        end = y + _box(stop)
        y = end + 22
    drawn += _hung(route.hops, end)
    return Drawing(
        name="tall",
        width=340,
        height=y + 100 * len(route.hops) + (20 if route.more else 2),
        nodes=(*nodes, *(node for node, _ in drawn)),
        edges=tuple(edge for _, edge in drawn),
        links=tuple(links),
        link_broken=not route.connected,
        cross=cross,
        more=route.more,
    )


def _hung(hops: tuple[Hop, ...], end: float) -> _Drawn:
    """Return servers below each other, each with a line from the box that ends at ``end``."""
    drawn = []
    for at, hop in enumerate(hops):
        y = end + 22 + 100 * at
        way = f"20,{end:g} 20,{y + 62:g} 52,{y + 62:g}"
        drawn.append((Node(52, y + 36, 286, _SERVER, hop.place), Edge(way, 52, y + (18 if hop.code else 34), hop)))
    return drawn


def fit(text: str, width: float, size: float = 7.2) -> str:
    """Return a text that is at most ``width`` pixels wide, at ``size`` pixels a character and two for a wide one."""
    text = clean(text)
    columns = sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
    return shorten(text, max(4, int((width - 16) / size * len(text) / max(columns, 1))))
