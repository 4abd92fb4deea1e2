"""Whether data really passes the relay, in both directions, and whether the allocation lives on."""

from collections.abc import Iterator
from typing import Literal

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence, Refresh, RelayedData
from rtcdiag.findings import Facts, Finding, Severity
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths

_Data = tuple[RelayedData, ...]
_LOSS = 0.1


def data(evidence: Evidence) -> Iterator[Finding]:
    """Judge the datagrams of each path and family: between two relayed addresses, and between one and this computer."""
    for path in asked_paths(evidence):
        for family in Family:
            items = tuple(item for item in path.of(RelayedData) if item.peer.family is family and item.sent > 0)
            if items:
                yield from _flow(path, items)
                yield from _source(path, items)
                yield from _loss(path, items)


def _along(items: _Data, *ways: Literal["relay-to-relay", "relay-to-mapped", "mapped-to-relay"]) -> _Data:
    return tuple(item for item in items if item.path in ways)


def _passed(items: _Data) -> bool:
    return any(item.received > 0 for item in items)


def _flow(path: Path, items: _Data) -> Iterator[Finding]:
    """Name the broken part by which of the two experiments failed."""
    between = _along(items, "relay-to-relay")
    here = _along(items, "relay-to-mapped", "mapped-to-relay")
    facts: Facts = {"family": items[0].peer.family.value, "sent": sum(item.sent for item in items)}
    if not _passed(items):
        yield path.find(_all_lost(between, here), *items, **facts)
    elif between and not _passed(between):
        yield _half(path, items, facts)
    else:
        yield from _one_way(path, between, facts)
        yield from _framing(path, between, facts)
        yield from _here(path, here, facts)


def _all_lost(between: _Data, here: _Data) -> str:
    if between and here:
        return "turn-relays-no-data"
    return "turn-relay-to-relay-silent" if between else "turn-data-undetermined"


def _half(path: Path, items: _Data, facts: Facts) -> Finding:
    """Tell a relay that cannot reach itself from one whose ports are closed one way: that also shows from here."""
    inward, outward = _along(items, "mapped-to-relay"), _along(items, "relay-to-mapped")
    if inward and not _passed(inward):
        return path.find("turn-relay-half-open", *items, half="sends, but nothing gets into it", **facts)
    # A packet from here got in just before, so the way back was open here.
    if outward and not _passed(outward):
        return path.find("turn-relay-half-open", *items, half="gets packets, but none of its own gets out", **facts)
    return path.find("turn-cannot-reach-itself", *_along(items, "relay-to-relay"), **facts)


def _one_way(path: Path, between: _Data, facts: Facts) -> Iterator[Finding]:
    arrivals = {side: _passed(tuple(item for item in between if item.receiver == side)) for side in ("a", "b")}
    tried = {item.receiver for item in between}
    dead = [side for side, arrived in arrivals.items() if side in tried and not arrived]
    if dead:
        yield path.find("turn-relays-one-way", *between, silent_side=dead[0], **facts)


def _framing(path: Path, between: _Data, facts: Facts) -> Iterator[Finding]:
    for lost, works in (("channel-data", "send"), ("send", "channel-data")):
        silent = tuple(item for item in between if item.method == lost)
        if silent and not _passed(silent):
            yield path.find("turn-framing-lost", *silent, lost=lost, works=works, **facts)


def _here(path: Path, here: _Data, facts: Facts) -> Iterator[Finding]:
    """Judge what got lost between the relay and this computer while two relays reach each other."""
    inward, outward = _along(here, "mapped-to-relay"), _along(here, "relay-to-mapped")
    if not outward:
        return
    lost = inward and not _passed(inward) and not _has_several_addresses(path, here)
    relayed = outward[0].expected_source
    if _passed(outward):
        # Packets of two relays meet inside their host, and pass no firewall in front of it.
        if lost:
            yield path.find("turn-relay-half-open", *here, half="sends, but nothing gets into it", **facts)
    elif lost and relayed is not None:
        elsewhere = relayed.ip != path.address.ip
        code = "turn-relay-address-unreachable" if elsewhere else "turn-relay-ports-unreachable"
        yield path.find(code, *here, relayed=str(relayed), **facts)
    else:
        yield path.find("relay-cannot-reach-here", *outward, **facts)


def _has_several_addresses(path: Path, here: _Data) -> bool:
    """Whether this computer's NAT gives it several addresses in turn: a permission is for one (RFC 8656 section 9)."""
    answers = [step.exchange.answer for step in path.steps if step.exchange.answer is not None]
    seen = {mapped.ip for answer in answers if (mapped := answer.xor_mapped or answer.mapped) is not None}
    return len(seen | {item.peer.ip for item in here}) > 1


def _source(path: Path, items: _Data) -> Iterator[Finding]:
    """Compare where the data came from with the relayed address: a peer drops what comes from elsewhere."""
    relayed = _along(items, "relay-to-relay", "relay-to-mapped")
    wrong = [item for item in relayed if item.expected_source and set(item.sources) - {item.expected_source}]
    outside = _along(items, "relay-to-mapped")
    if wrong:
        inside_only = _passed(outside) and not any(item in outside for item in wrong)
        source = next(one for one in wrong[0].sources if one != wrong[0].expected_source)
        severity = Severity.WARNING if inside_only else None
        facts: Facts = {"source": str(source), "relayed": str(wrong[0].expected_source)}
        yield path.find("turn-relays-from-other-address", *wrong, severity=severity, **facts)


def _loss(path: Path, items: _Data) -> Iterator[Finding]:
    arriving = [item for item in items if item.received > 0]
    sent = sum(item.sent for item in arriving)
    lost = sum(max(0, item.sent - item.received) for item in arriving)
    if lost > 1 and lost / sent >= _LOSS:
        yield path.find("turn-relay-loss", *arriving, lost=lost, sent=sent)


def refresh(evidence: Evidence) -> Iterator[Finding]:
    """Judge whether allocations can be prolonged, and released."""
    for path in asked_paths(evidence):
        for item in path.of(Refresh):
            answer = item.exchange.answer
            if item.exchange.succeeded or item.exchange.failure in UNFINISHED:
                continue
            if item.lifetime_s == 0:
                yield path.find("turn-release-failed", item)
            elif answer is None:
                yield path.find("turn-refresh-silent", item)
            else:
                lost = answer.error_code == 437
                code = "turn-allocation-lost" if lost else "turn-refresh-rejected"
                yield path.find(code, item, error_code=answer.error_code or 0)
