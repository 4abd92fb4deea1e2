"""Figures against thresholds."""

from collections.abc import Iterator
from functools import partial

from rtcdiag.demands import FIGURES, Threshold, Thresholds
from rtcdiag.evidence import Evidence
from rtcdiag.findings import Finding, Severity, Stage, find
from rtcdiag.health.figures import certificate_life_days
from rtcdiag.report import ServerRow

CODE = "health-threshold"
_STAGES: dict[str, Stage] = {
    "dns_ms": "dns",
    "connect_ms": "connect",
    "tls_ms": "tls",
    "certificate_days": "tls",
    "credential_s": "config",
    "binding_ms": "binding",
    "allocate_ms": "allocate",
    "rtt_ms": "data",
    "jitter_ms": "data",
    "loss_percent": "data",
}


def limit_of(name: str, thresholds: Thresholds) -> Threshold:
    """Return the threshold of a figure: the user's, else the default."""
    figure = FIGURES[name]
    return thresholds.get(name) or Threshold(warning=figure.warning, critical=figure.critical)


def in_time(figures: dict[str, float], late_ms: float) -> dict[str, float]:
    """Return the figures less what this computer may have added to them."""
    return {name: value - late_ms if FIGURES[name].unit == "ms" else value for name, value in figures.items()}


def exceeded(
    row: ServerRow, figures: dict[str, float], thresholds: Thresholds, evidence: Evidence
) -> Iterator[Finding]:
    """Yield a finding for each figure of a path that is worse than its threshold."""
    for name, value in figures.items():
        limit = limit_of(name, thresholds)
        if name == "certificate_days" and name not in thresholds:
            limit = _for_a_life(limit, certificate_life_days(row, evidence))
        for severity, bound in ((Severity.ERROR, limit.critical), (Severity.WARNING, limit.warning)):
            if bound is not None and _is_worse(name, value, bound):
                yield _finding(row, name, value, bound, severity)
                break


def _for_a_life(limit: Threshold, life_days: float | None) -> Threshold:
    """Return the default for certificates that are renewed late on purpose, as their life is short."""
    if limit.critical is None or life_days is None:
        return limit
    return Threshold(warning=limit.warning, critical=min(limit.critical, life_days / 9))


def _is_worse(name: str, value: float, bound: float) -> bool:
    return value < bound if FIGURES[name].low_is_bad else value > bound


def _finding(row: ServerRow, name: str, value: float, bound: float, severity: Severity) -> Finding:
    figure = FIGURES[name]
    about = partial(find, CODE, subject=row.uri, stage=_STAGES[name], severity=severity)
    return about(
        address=str(row.address),
        transport=row.transport,
        figure=name,
        words=figure.words,
        value=_plain(value),
        limit=_plain(bound),
        unit=figure.unit,
        beyond="less than" if figure.low_is_bad else "more than",
    )


def _plain(value: float) -> float | int:
    return round(value) if abs(value) >= 10 or value == round(value) else round(value, 1)
