"""What real ICE agents say of a relay, where that differs from what the probe's own data said."""

from collections.abc import Iterator

from rtcdiag.address import Family
from rtcdiag.evidence import Allocation, Evidence, IceMeeting, RelayedData
from rtcdiag.findings import Finding
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths


def agents(evidence: Evidence) -> Iterator[Finding]:
    """Compare the meeting of two agents with the data between the probe's two allocations; agreement says nothing."""
    for path in asked_paths(evidence):
        for meeting in path.of(IceMeeting):
            if meeting.failure not in UNFINISHED:
                yield from _judged(path, meeting)


def _judged(path: Path, meeting: IceMeeting) -> Iterator[Finding]:
    between = tuple(item for item in path.of(RelayedData) if item.path == "relay-to-relay" and item.sent > 0)
    passed = any(item.received > 0 for item in between)
    why = meeting.detail or "no reason is known"
    if meeting.outcome == "connected":
        if between and not passed:
            yield path.find("turn-ice-agents-connect", meeting, *between)
    elif meeting.outcome == "no-relay":
        if _both_granted(path):
            yield path.find("turn-ice-agents-get-no-relay", meeting, why=why)
    elif passed:
        yield path.find("turn-ice-agents-fail", meeting, why=why)


def _both_granted(path: Path) -> bool:
    """Whether the probe was given two allocations of the kind that the agents ask for, which is IPv4."""
    granted = (item for item in path.of(Allocation) if item.exchange.succeeded and item.family is Family.IPV4)
    return {item.allocation for item in granted} == {"a", "b"}
