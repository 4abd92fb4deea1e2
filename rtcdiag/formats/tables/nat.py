"""The NAT: its behavior in each family, the transactions that show it, and who can be reached through it."""

from collections import Counter
from collections.abc import Callable

from rtcdiag.evidence import Binding, Evidence, VantageKnock, VantageOpening
from rtcdiag.formats.nat_words import hairpinning, sure
from rtcdiag.formats.tables import Cell, Table, code, gateway
from rtcdiag.formats.words import PEER, REACH_TONE, count, familiar, ms, yes_no
from rtcdiag.nat import Certainty, Nat, lifetime_words
from rtcdiag.report import Report

_UNKNOWN = yes_no(None)
_ADDRESSES = 4
"""Mapped addresses that are written out."""
_IDS = 4
"""How many observations are named; all stand in the JSON."""
_Property = tuple[str, str, Callable[[Nat], str]]


def _number(value: float | None, unit: str = "") -> str:
    return _UNKNOWN if value is None else f"{value:g}{unit}"


def _assignment(nat: Nat) -> str:
    """Return how ports are chosen; of a block, from where to where ports were seen."""
    ports = [address.port for address in nat.mapped]
    if nat.port_assignment == "block" and ports:
        return f"inside one block (seen: {min(ports)} to {max(ports)})"
    return nat.port_assignment or _UNKNOWN


def _mapped(nat: Nat) -> str:
    """Return few mapped addresses as they are, many as hosts with how many ports each was seen with."""
    if len(nat.mapped) <= _ADDRESSES:
        return ", ".join(map(str, nat.mapped)) or _UNKNOWN
    hosts = Counter(address.host for address in nat.mapped)
    return ", ".join(f"{host} ({count(ports, 'port')})" for host, ports in hosts.items())


def _behind(nat: Nat) -> str:
    here = f" ({familiar(nat)})" if nat.local_only and nat.behind_nat is False else ""
    return yes_no(nat.behind_nat) + here


def _across(nat: Nat) -> str:
    return yes_no(nat.nat64) + (f" ({nat.nat64_prefix})" if nat.nat64_prefix else "")


def _layers(nat: Nat) -> str:
    return "2 or more" if nat.layers == 2 else _number(nat.layers)


_PROPERTIES: tuple[_Property, ...] = (
    ("Behind a NAT", "behind_nat", _behind),
    ("Familiar name", "", lambda nat: familiar(nat) or _UNKNOWN),
    ("Mapping behavior", "mapping", lambda nat: nat.mapping),
    ("Filtering behavior", "filtering", lambda nat: nat.filtering),
    ("Mapped addresses", "mapped", _mapped),
    ("IP address pooling", "pooling", lambda nat: nat.pooling or _UNKNOWN),
    ("Port preservation", "port_preservation", lambda nat: yes_no(nat.port_preservation)),
    ("Port parity", "port_parity", lambda nat: yes_no(nat.port_parity)),
    ("Port assignment", "port_assignment", _assignment),
    ("Port delta", "port_delta", lambda nat: _number(nat.port_delta)),
    ("Unasked packets cost a port", "tracks_unsolicited", lambda nat: yes_no(nat.tracks_unsolicited)),
    ("Hairpinning", "hairpinning", lambda nat: hairpinning(nat) or _UNKNOWN),
    ("Mapping lifetime", "lifetime_s", lambda nat: lifetime_words(nat) or _UNKNOWN),
    ("Fragments get out", "fragments_outbound", lambda nat: yes_no(nat.fragments_outbound)),
    ("Fragments get in", "fragments_inbound", lambda nat: yes_no(nat.fragments_inbound)),
    ("Largest packet that is not cut", "mtu_bytes", lambda nat: _number(nat.mtu_bytes, " bytes")),
    ("Addresses rewritten (ALG)", "alg", lambda nat: yes_no(nat.alg)),
    ("Carrier-grade NAT", "cgnat", lambda nat: yes_no(nat.cgnat)),
    ("Through a NAT64", "nat64", _across),
    ("Prefix translation", "prefix_translation", lambda nat: yes_no(nat.prefix_translation)),
    ("NAT layers", "layers", _layers),
    ("Stateful firewall", "firewall", lambda nat: yes_no(nat.firewall)),
)


def families(report: Report) -> tuple[tuple[str, Nat | None], ...]:
    """Return both families with what is known of their NAT; nothing where the command did not ask."""
    nats = (("IPv4", report.nat.ipv4), ("IPv6", report.nat.ipv6))
    return nats if any(nat is not None for _, nat in nats) else ()


def behavior(report: Report) -> Table | None:
    """Return every property of the NAT that is known or says why it is not, a column a family; the rest is a note."""
    known = [(name, nat) for name, nat in families(report) if nat is not None]
    if not known:
        return None
    rows = tuple(
        (Cell(title), *(_property(nat, field, tell) for _, nat in known)) for title, field, tell in _PROPERTIES
    )
    said = [gateway.said(report, name) for name, _ in known]
    rows += ((Cell("The gateway says"), *(Cell(words or _UNKNOWN) for words in said)),) if any(said) else ()
    told = tuple(row for row in rows if any(cell.text != _UNKNOWN for cell in row[1:]))
    silent = ", ".join(row[0].text for row in rows if row not in told)
    return Table(
        caption="NAT behavior",
        columns=("Property", *(name for name, _ in known)),
        rows=told,
        note=f"Not known: {silent}." if silent else "",
    )


def _property(nat: Nat, field: str, tell: Callable[[Nat], str]) -> Cell:
    text = tell(nat)
    reason = nat.undetermined.get(field)
    certainty = nat.confidence.get(field)
    if reason:
        return Cell(f"{text}: {reason}", "muted")
    text += f", inferred: {nat.inferred[field]}" if field in nat.inferred else ""
    if certainty is not None:
        text += _resting_on(certainty)
    return Cell(text, "muted" if text == _UNKNOWN else "")


def _resting_on(certainty: Certainty) -> str:
    """Return how sure a value is, and the observations that it rests on."""
    ids = ", ".join(certainty.evidence[:_IDS]) + (", …" if len(certainty.evidence) > _IDS else "")
    told = "; ".join(filter(None, (sure(certainty.p_wrong), ids)))
    return f" ({told})" if told else ""


def bindings(evidence: Evidence) -> Table | None:
    """Return the Binding transactions behind the classes: one socket's mapped addresses below each other.

    Those that only asked whether a server answers are left out, unless there are no others.
    """
    over_udp = evidence.of(Binding, lambda item: item.transport == "udp")
    tests = [item for item in over_udp if item.purpose != "reach"]
    shown = sorted(tests or over_udp, key=lambda item: (item.purpose, item.socket))
    if not shown:
        return None
    return Table(
        caption="Mapped addresses, by socket and server",
        columns=("Socket", "Test", "Asked", "Mapped address", "Answer from", "RTT", "Sent", *_beside(shown)),
        rows=tuple((*_binding_row(item), *(code(item.interface) for _ in _beside(shown))) for item in shown),
        note="One socket that has one mapped address at several servers means endpoint-independent mapping.",
    )


def _beside(shown: list[Binding]) -> tuple[str, ...]:
    """Return the column that is needed only where there were several ways out."""
    return ("Interface",) if len({item.interface for item in shown}) > 1 else ()


def _binding_row(item: Binding) -> tuple[Cell, ...]:
    answer = item.exchange.answer
    test = item.purpose if item.change == "none" else f"{item.purpose}, change {item.change}"
    return (
        Cell(item.socket, code=True),
        Cell(test),
        code(item.destination),
        code(answer.reflexive) if answer else Cell("no answer", "muted"),
        code(answer.source if answer else None),
        Cell(ms(item.exchange.rtt_ms)),
        Cell(str(len(item.exchange.sent_ms))),
    )


def knocks(evidence: Evidence) -> Table | None:
    """Return what TURN relays sent to test sockets, and what of it got in."""
    found = evidence.of(VantageKnock)
    if not found:
        return None
    return Table(
        caption="Sent by a TURN relay, by socket",
        columns=("Socket", "Had sent to", "Relay", "Sent to", "Sent", "Got in"),
        rows=tuple(_knock_row(item, evidence) for item in found),
        note="A relay gets in everywhere, where its IP address was sent to, or only where it was itself: that is the "
        "filtering behavior.",
    )


def _knock_row(item: VantageKnock, evidence: Evidence) -> tuple[Cell, ...]:
    opened = evidence.of(VantageOpening, lambda opening: opening.socket == item.socket)
    opened = tuple(opening for opening in opened if opening.relayed.family is item.relayed.family)
    to_it = any(opening.relayed == item.relayed for opening in opened)
    near = any(opening.relayed.ip == item.relayed.ip for opening in opened)
    return (
        Cell(item.socket, code=True),
        Cell("this relay" if to_it else "its IP address" if near else "other servers"),
        code(item.relayed),
        code(item.peer),
        Cell(str(len(item.sent_ms))),
        Cell(str(len(item.arrivals)), "ok" if item.arrivals else "muted"),
    )


def reach(report: Report) -> Table | None:
    """Return which kinds of peer are reached directly from here."""
    if not report.reach:
        return None
    rows = tuple(
        (Cell(PEER[row.peer]), Cell(row.direct, REACH_TONE[row.direct]), Cell(row.why)) for row in report.reach
    )
    return Table(caption="Who can you reach directly?", columns=("A peer with", "Direct", "Why"), rows=rows)
