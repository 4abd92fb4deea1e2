"""What several formats of a health check say alike."""

from rtcdiag.formats.words import Tone, redaction
from rtcdiag.health.result import HealthPath, HealthResult, HealthStatus, HealthSummary

WORD: dict[HealthStatus, str] = {
    "ok": "ok",
    "warning": "warning",
    "failed": "FAIL",
    "not-tested": "not tested",
    "skipped": "skipped",
}
TONE: dict[HealthStatus, Tone] = {
    "ok": "ok",
    "warning": "warn",
    "failed": "bad",
    "not-tested": "muted",
    "skipped": "muted",
}
ORDER: tuple[HealthStatus, ...] = ("failed", "warning", "not-tested", "skipped", "ok")
"""What a reader looks for first."""
_FIGURES = (
    ("allocate_ms", "allocate", "ms"),
    ("rtt_ms", "relay", "ms"),
    ("jitter_ms", "jitter", "ms"),
    ("loss_percent", "loss", "%"),
    ("certificate_days", "certificate", "days"),
)


def level(summary: HealthSummary) -> str:
    """Return how far the results are redacted, empty where they are not."""
    return "" if summary.redaction.level == "none" else redaction(summary.redaction.level)


def label(result: HealthResult) -> str:
    """Return the URI, behind the user's name for it where there is one."""
    return result.uri if result.name == result.uri else f"{result.name} ({result.uri})"


def told(result: HealthResult) -> str:
    """Return what to say of a target: what it measures where it works, else why it does not."""
    flaky = f", at try {result.attempts}" if result.flaky else ""
    if result.status in ("failed", "warning"):
        code = f" [{result.finding}]" if result.finding else ""
        lesser = " (not critical)" if not result.critical else ""
        return f"{_without_uri(result)}{code}{flaky}{lesser}"
    if result.status == "ok":
        return f"{measured(result.paths)}{flaky}"
    return result.summary.rstrip(".")


def _without_uri(result: HealthResult) -> str:
    """Return the sentence without the URI, which stands before it anyway."""
    said = result.summary.rstrip(".").replace(f" ({result.uri})", "")
    return said.removeprefix(result.uri).lstrip()


def measured(paths: tuple[HealthPath, ...]) -> str:
    """Return the figures of a target, the worst of its addresses."""
    found = []
    for name, words, unit in _FIGURES:
        values = [path.figures[name] for path in paths if name in path.figures]
        if values:
            worst = min(values) if unit == "days" else max(values)
            found.append(f"{words} {worst:.{0 if worst >= 10 or unit == 'days' else 1}f} {unit}")
    if not found:
        values = [path.figures["binding_ms"] for path in paths if "binding_ms" in path.figures]
        found = [f"answers in {max(values):.1f} ms"] if values else ["ok"]
    return ", ".join(found)
