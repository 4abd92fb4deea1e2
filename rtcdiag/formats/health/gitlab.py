"""GitLab's code quality report: an issue for each server that ails, at its line of the configuration."""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from rtcdiag.formats.health.words import label, told
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import json_text
from rtcdiag.health.result import HealthResult, Round

_SEVERITIES = {"failed": "critical", "warning": "minor", "not-tested": "info"}


def render(found: Round, options: RenderOptions) -> Iterator[str]:
    """Yield a JSON array."""
    yield "["
    comma = "\n"
    for result in found.results:
        severity = _SEVERITIES.get(result.counts_as)
        if severity is not None:
            yield comma + "  " + json_text(msgspec.json.encode(_issue(result, severity, options)))
            comma = ",\n"
    yield "\n]\n"


def _issue(result: HealthResult, severity: str, options: RenderOptions) -> dict[str, object]:
    code = result.finding or result.status
    return {
        "description": f"{label(result)}: {told(result)}",
        "check_name": code,
        # The same server with the same fault is the same issue in every run.
        "fingerprint": sha256(f"{result.name}\n{result.uri}\n{code}".encode()).hexdigest(),
        "severity": severity,
        "location": {"path": options.source or "rtcdiag", "lines": {"begin": result.line or 1}},
    }
