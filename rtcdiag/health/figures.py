"""What was measured of one path, in numbers that thresholds and metrics can be about."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from rtcdiag.evidence import Evidence, RelayedData, Target, TlsHandshake
from rtcdiag.findings import Stage
from rtcdiag.report import ServerRow

DAY_S = 86400.0
_STAGES: dict[str, Stage] = {"dns_ms": "dns", "connect_ms": "connect", "tls_ms": "tls", "allocate_ms": "allocate"}
_MOST = 1e10


def figures_of(row: ServerRow, evidence: Evidence) -> dict[str, float]:
    """Return the figures of a path, by the names of `demands.FIGURES`; what was not measured is not in it."""
    found = dict(_all(row, evidence))
    return {name: round(max(-_MOST, min(_MOST, value)), 3) for name, value in found.items() if value is not None}


def _all(row: ServerRow, evidence: Evidence) -> Iterator[tuple[str, float | None]]:
    took = {stage.stage: stage.duration_ms for stage in row.stages if stage.status in ("ok", "warning")}
    yield from ((name, took.get(stage)) for name, stage in _STAGES.items())
    quality = row.quality or {}
    yield "binding_ms", quality.get("rtt_median_ms")
    yield "rtt_ms", _rtt_ms(row, quality, evidence)
    relay = quality.get("relay") or {}
    yield "jitter_ms", _within(relay, "jitter_ms", "mean")
    losses = [value for name, value in (relay.get("loss_percent") or {}).items() if name.startswith("round-trip")]
    yield "loss_percent", max(losses, default=None)
    expires_at = certificate_expires_at(row, evidence)
    yield "certificate_days", None if expires_at is None else (expires_at - evidence.started_at_s) / DAY_S
    ends_at = credentials_expire_at(evidence)
    yield "credential_s", None if ends_at is None else ends_at - evidence.started_at_s


def _rtt_ms(row: ServerRow, quality: Mapping[str, Any], evidence: Evidence) -> float | None:
    """Return how long it takes through the relay and back here: at the rate of a call, else of single packets."""
    measured = _within(quality.get("relay") or {}, "rtt_ms", "p50")
    if measured is not None:
        return measured
    times = [item.rtt_ms for item in evidence.of(RelayedData) if _on(item, row) and item.path == "relay-to-relay"]
    known = [time for time in times if time is not None]
    return median(known) if known else None


def _within(found: Mapping[str, Any], name: str, key: str) -> float | None:
    value = (found.get(name) or {}).get(key)
    return float(value) if isinstance(value, int | float) else None


def _on(item: RelayedData | TlsHandshake, row: ServerRow) -> bool:
    return item.destination == row.address and item.transport == row.transport


def certificate_expires_at(row: ServerRow, evidence: Evidence) -> float | None:
    """Return until when the certificate of a path is valid, as UNIX seconds."""
    seen = evidence.of(TlsHandshake, lambda item: _on(item, row))
    return min((item.certificate.not_after for item in seen if item.certificate is not None), default=None)


def certificate_life_days(row: ServerRow, evidence: Evidence) -> float | None:
    """Return for how long the certificate of a path was issued."""
    seen = [item.certificate for item in evidence.of(TlsHandshake, lambda item: _on(item, row)) if item.certificate]
    return min(((one.not_after - one.not_before) / DAY_S for one in seen), default=None)


def credentials_expire_at(evidence: Evidence) -> float | None:
    """Return until when the credentials are valid by their own word, as UNIX seconds."""
    shapes = (target.credential for target in evidence.of(Target))
    return min((shape.expires_at for shape in shapes if shape and shape.expires_at is not None), default=None)
