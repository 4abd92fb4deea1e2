"""What a session came to: which stage broke at whose side, or which path connected, and the verdict on it."""

from typing import NamedTuple

from rtcdiag.address import Family
from rtcdiag.compare.halves import Halves
from rtcdiag.compare.session import JoinedPair, PairEnd, SessionSide, Side, Stage
from rtcdiag.evidence.session import Policy, SessionStop
from rtcdiag.findings import Severity
from rtcdiag.report import Confidence, Direct, Report, Status
from rtcdiag.traversal import Reachable

REACHED = {
    "host": "its own address",
    "srflx": "its public address",
    "prflx": "a port learned from its checks",
    "relay": "its relay",
}
"""How a side is reached, by the type of its candidate."""
_BOTH = {
    "host": "their own addresses",
    "srflx": "their public addresses",
    "prflx": "ports learned from checks",
    "relay": "their relays",
}
_BEFORE: dict[SessionStop, Stage] = {
    "no-peer": "signaling",
    "expired": "signaling",
    "signaling": "signaling",
    "no-candidates": "gathering",
}
_WORDS: dict[SessionStop, str] = {
    "no-peer": "waited for the other one in vain",
    "expired": "waited until the session expired",
    "signaling": "lost the signaling",
    "no-candidates": "had no candidate to offer",
    "interrupted": "was ended by its user",
    "peer-left": "saw the other one leave",
}


class Outcome(NamedTuple):
    """Where it broke, and that in a sentence's part."""

    stage: Stage | None
    side: Side | None
    why: str


def outcome(found: Halves, a: SessionSide, b: SessionSide) -> Outcome:
    """Tell what connected, else what broke first and at which end."""
    if found.reached("all"):
        return _data(found) or Outcome(None, None, connected_words(found))
    if found.achieved("all") == "no-path":
        return _gathering(found) or _checks(found)
    stops = {"A": a.stop, "B": b.stop}
    for stage in ("signaling", "gathering"):
        broken = {name: stop for name, stop in stops.items() if _BEFORE.get(stop) == stage}
        if broken:
            return Outcome(stage, _side(broken), _told(broken))
    early = {name: stop for name, stop in stops.items() if stop in _WORDS}
    if early:
        doubt = ", perhaps before A had checked: their clocks may differ" if found.doubtful else ""
        return Outcome(None, _side(early), _told(early) + doubt)
    return _checks(found)


def _gathering(found: Halves) -> Outcome | None:
    """Return that an end had nothing by which it could be reached, where nothing arrived at either end."""
    if not found.inside or any(end.heard for _, end in found.each):
        return None
    side: Side = "both" if len(found.inside) > 1 else found.inside[0]
    return Outcome("gathering", side, inside_words(found))


def inside_words(found: Halves) -> str:
    """Say who told no public address."""
    if len(found.inside) > 1:
        return "neither told a public IPv4 address, which a STUN server would have given"
    return f"{found.inside[0].upper()} told no public IPv4 address, which a STUN server would have given"


def _side(broken: dict[str, SessionStop]) -> Side:
    return "both" if len(broken) > 1 else "a" if "A" in broken else "b"


def _told(broken: dict[str, SessionStop]) -> str:
    return ", and ".join(f"{name} {_WORDS[stop]}" for name, stop in broken.items())


def _data(found: Halves) -> Outcome | None:
    """Return the way on which nothing but checks passes, where there is one."""
    for letter, end in found.each:
        if any(item.inward.sent and not item.inward.received for item in end.streams):
            sender = "B" if letter == "a" else "A"
            return Outcome("data", letter, f"checks pass, and no data of {sender} reaches {letter.upper()}")
    return None


def _checks(found: Halves) -> Outcome:
    if not found.pairs:
        return Outcome("checks", "both", "no candidate of one end fits one of the other")
    heard = {"A": found.ends.a.heard, "B": found.ends.b.heard}
    match bool(heard["A"]), bool(heard["B"]):
        case False, False:
            return Outcome("checks", "both", "no check of either end arrives at the other")
        case True, False:
            return Outcome("checks", "between", "checks of B arrive at A, and none of A arrives at B")
        case False, True:
            return Outcome("checks", "between", "checks of A arrive at B, and none of B arrives at A")
        case _:
            return Outcome("checks", "both", "checks of both arrive, and no answer to them does")


def best(found: Halves, policy: Policy) -> JoinedPair | None:
    """Return the pair that a policy used, else the one with the shortest round trip."""
    pairs = found.reached(policy)
    return min(pairs, key=lambda pair: (policy not in pair.nominated, trip_ms(pair) or 1e9), default=None)


def trip_ms(pair: JoinedPair) -> float | None:
    """Return the round trip as the end measured it that was quicker."""
    return min((trip for trip in (pair.a.rtt_ms, pair.b.rtt_ms) if trip is not None), default=None)


def connected_words(found: Halves) -> str:
    """Say what connected, and how."""
    direct, relayed = best(found, "direct"), best(found, "relay")
    if direct is None:
        assert relayed is not None
        return f"through {_relay_words(relayed)}{_trip(relayed)}"
    used = next((pair for pair in found.pairs if "all" in pair.nominated), direct)
    beside = "; the session itself used a relay, which was ready first" if used.relayed else ""
    return f"directly over IPv{direct.a.address.family.value[-1]}: {_how(direct)}{_trip(direct)}{beside}"


def _how(pair: JoinedPair) -> str:
    if pair.a.type == pair.b.type:
        return f"both at {_BOTH[pair.a.type]}"
    return f"A at {REACHED[pair.a.type]}, B at {REACHED[pair.b.type]}"


def _relay_words(pair: JoinedPair) -> str:
    ends = {"A": pair.a, "B": pair.b}
    relays = [f"{name}'s {_ip(end)}" for name, end in ends.items() if end.type == "relay"]
    return f"a relay ({' and '.join(relays)})" if relays else "a relay"


def _ip(end: PairEnd) -> str:
    return end.address.host


def _trip(pair: JoinedPair) -> str:
    trip = trip_ms(pair)
    return f", round trip {trip:.0f} ms" if trip is not None else ""


def measured(found: Halves) -> tuple[Reachable, Reachable]:
    """Return whether a direct path and one through a relay worked: no only where it was tried fairly."""
    words: dict[str, Reachable] = {"connected": "yes", "no-path": "no"}
    direct = "unknown" if found.same_computer or found.inside else words.get(found.achieved("direct"), "unknown")
    return direct, words.get(found.achieved("relay"), "unknown")


def direct_word(found: Halves) -> Direct:
    """Return the answer about direct paths: confirmed only where both ends agree, on two computers."""
    if found.same_computer or found.inside:
        return "inconclusive"
    match found.achieved("direct"), found.achieved("relay"):
        case "connected", _:
            return "confirmed"
        case "no-path", "connected":
            return "relay-needed"
        case ("no-path" | "not-tested", "no-path") | ("no-path", "not-tested"):
            return "blocked"
        case "not-tested", "connected":
            return "not-tested"
        case _:
            return "inconclusive"


def by_family(found: Halves) -> dict[str, Direct]:
    """Return the same of each family, as far as its pairs tell."""
    return {family.value: _in_family(found, family) for family in Family}


def _in_family(found: Halves, family: Family) -> Direct:
    pairs = [pair for pair in found.pairs if not pair.relayed and pair.a.address.family is family]
    if not pairs:
        return "not-tested"
    if found.same_computer:
        return "inconclusive"
    if found.reached("direct", family):
        return "confirmed"
    unfair = not all(map(_fairly, pairs)) or bool(found.inside and family is Family.IPV4)
    if found.achieved("direct") == "unfinished" or unfair:
        return "inconclusive"
    return "relay-needed" if found.reached("relay") else "blocked"


def _fairly(pair: JoinedPair) -> bool:
    """Tell whether a pair was given up after a whole transaction, or more checks than one has."""
    return pair.state == "failed" or max(pair.a.requests, pair.b.requests) >= _WHOLE


_WHOLE = 7
"""Requests of a transaction that nobody answers (RFC 8489 section 6.2.1)."""


def status_of(broken: Outcome, direct: Direct, found: Halves) -> Status:
    """Return whether calls between the two work."""
    if direct == "blocked" or broken.stage in ("gathering", "data"):
        return "broken"
    if broken.stage == "checks":
        return "broken" if direct != "inconclusive" or not found.pairs else "inconclusive"
    if direct == "inconclusive" or not found.reached("all"):
        return "inconclusive"
    return "degraded" if any(map(_warns, (found.a.report, found.b.report))) else "healthy"


def _warns(report: Report) -> bool:
    """Tell whether an end has a warning about the session itself: packets that get lost, a network that changed."""
    return any(item.code.startswith("session-") and item.severity is not Severity.INFO for item in report.findings)


def confidence_of(direct: Direct, found: Halves) -> Confidence:
    """Return how sure it is: both ends saw it."""
    if direct == "inconclusive":
        return "low"
    changed = any(end.session.address_changed for _, end in found.each)
    return "medium" if changed and direct != "confirmed" else "high"
