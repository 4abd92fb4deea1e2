"""What each test socket was told, in one row: whether its mapped address stayed, and what got in."""

from itertools import groupby

from rtcdiag.address import Family
from rtcdiag.evidence import Binding, Evidence
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.words import count

_MOST = 2
"""Mapped addresses that are written out."""
_CHANGED = {"port": "another port", "address-and-port": "another address and port"}
_Key = tuple[str, str, Family]


def sockets(evidence: Evidence) -> Table | None:
    """Return a row for each socket that NAT tests sent from, and one for all that only showed how ports are chosen."""
    tests = evidence.of(Binding, lambda item: item.transport == "udp" and item.purpose != "reach")
    if not tests:
        return None
    rows = tuple(_row(list(items)) for _, items in groupby(sorted(tests, key=_key), key=_key))
    return Table(
        caption="What each test showed",
        columns=("Test", "Socket", "Result", "Seen as", "Asked", "Family"),
        rows=rows,
        note="Seen as: the mapped address, as servers see the socket. One that stays wherever the socket sends "
        "means endpoint-independent mapping; which answers get in is the filtering.",
    )


def _key(item: Binding) -> _Key:
    return (item.purpose, "" if item.purpose == "ports" else item.socket, item.destination.family)


def _row(items: list[Binding]) -> tuple[Cell, ...]:
    names = list(dict.fromkeys(item.socket for item in items))
    asked = len({item.destination for item in items})
    return (
        Cell(items[0].purpose),
        code(names[0] if len(names) == 1 else f"{len(names)} sockets"),
        Cell("; ".join(_ports(items) if len(names) > 1 else [*_mapping(items), *_filtering(items)])),
        code(_seen_as(items)),
        Cell(count(asked, "address", "addresses")),
        Cell("IPv6" if items[0].destination.family is Family.IPV6 else "IPv4"),
    )


def _mapped(items: list[Binding]) -> list[str]:
    answers = [item.exchange.answer for item in items]
    return [str(answer.reflexive) for answer in answers if answer is not None and answer.reflexive is not None]


def _seen_as(items: list[Binding]) -> str:
    seen = list(dict.fromkeys(_mapped(items)))
    left = len(seen) - _MOST
    return ", ".join(seen[:_MOST]) + (f" and {left} more" if left > 0 else "")


def _mapping(items: list[Binding]) -> list[str]:
    asked = [item for item in items if item.change == "none"]
    seen = _mapped(asked)
    if not seen:
        return [f"no answer to {count(len(asked), 'request')}"] if asked else []
    silent = f", {len(asked) - len(seen)} without an answer" if len(seen) < len(asked) else ""
    if len(set(seen)) > 1:
        return [f"{len(set(seen))} different mapped addresses{silent}"]
    return [f"the same at all {len(seen)}{silent}" if len(seen) > 1 else f"answered{silent}"]


def _filtering(items: list[Binding]) -> list[str]:
    changed = [(item.change, item.exchange.answer is not None) for item in items if item.change != "none"]
    return [
        f"from {_CHANGED[change]}: {'got in' if (change, True) in changed else 'nothing came'}"
        for change in dict.fromkeys(change for change, _ in changed)
    ]


def _ports(items: list[Binding]) -> list[str]:
    told = [(item.local, item.exchange.answer.reflexive) for item in items if item.exchange.answer is not None]
    pairs = [(local.port, seen.port) for local, seen in told if local is not None and seen is not None]
    return [f"{sum(local == seen for local, seen in pairs)} of {len(pairs)} keep their port"]
