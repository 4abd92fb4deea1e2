"""Whether a relay lasts, and how much it carries."""

from collections.abc import Iterator

from rtcdiag.evidence import DataStop, Evidence, RelaySoak, RelayThroughput, Upkeep
from rtcdiag.findings import Facts, Finding
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths

_CARRIED = 0.9
"""Of what arrived at the lowest rate: what is less has come to a limit, and not only to the loss of the line."""
_STALE, _MISMATCH = 438, 437


def soak(evidence: Evidence) -> Iterator[Finding]:
    """Judge whether data went on, and whether everything could be renewed."""
    for path in asked_paths(evidence):
        for item in path.of(RelaySoak):
            if item.stop is not None:
                yield _stopped(path, item, item.stop)
            for kept in item.upkeep:
                if kept.failed and kept.failure not in UNFINISHED:
                    yield _not_renewed(path, item, kept)


def _stopped(path: Path, item: RelaySoak, stop: DataStop) -> Finding:
    facts: Facts = {"after_s": round(stop.after_s), "receiver": stop.receiver}
    lost = stop.refresh_code == _MISMATCH or stop.refresh_failure is not None
    if lost and stop.mapping_changed:
        return path.find("turn-soak-mapping-changed", item, **facts)
    if stop.refresh_code == _MISMATCH:
        return path.find("turn-allocation-lost", item, error_code=_MISMATCH, **facts)
    if stop.resumed_after != "nothing":
        return path.find(f"turn-{stop.resumed_after}-too-short", item, **facts)
    why = "a Refresh was answered as if nothing were wrong"
    if stop.refresh_failure is not None:
        why = "the server answered nothing any more"
    elif stop.refresh_code is not None:
        why = f"a Refresh was refused with error {stop.refresh_code}"
    return path.find("turn-soak-data-stopped", item, then=why, **facts)


def _not_renewed(path: Path, item: RelaySoak, kept: Upkeep) -> Finding:
    if kept.error_code == _STALE:
        return path.find("turn-stale-nonce-loop", item, stage="refresh")
    if kept.what == "allocation" and kept.error_code == _MISMATCH:
        return path.find("turn-allocation-lost", item, error_code=_MISMATCH)
    how = f"error {kept.error_code}" if kept.error_code is not None else "no answer"
    return path.find(
        "turn-not-renewed", item, what=kept.what, how=how, times=kept.failed, after_s=round(kept.failed_after_s or 0)
    )


def throughput(evidence: Evidence) -> Iterator[Finding]:
    """Judge whether more arrived where more was sent."""
    for path in asked_paths(evidence):
        for item in path.of(RelayThroughput):
            limit = limit_of(item)
            if limit is not None:
                yield path.find("turn-throughput-limited", item, kbps=round(limit), up_to_kbps=item.up_to_kbps)


def limit_of(item: RelayThroughput) -> float | None:
    """Return the rate at which a relay flattens, in kbit/s; None where it carried all that was tried."""
    shares = [step.carried_kbps / step.offered_kbps if step.offered_kbps > 0 else 0.0 for step in item.steps]
    if not shares or all(share >= _CARRIED * min(1.0, shares[0]) for share in shares):
        return None
    return max(step.carried_kbps for step in item.steps)
