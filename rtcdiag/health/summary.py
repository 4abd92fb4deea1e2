"""All results to one verdict: counted as they come, so that none has to be kept."""

from typing import Literal

from rtcdiag.health.result import HealthResult, HealthStatus, Met, Requirement
from rtcdiag.report import Status, Verdict

Required = Literal["all", "any"] | int
_MOST_CODES = 50


class Tally:
    """What a run has found so far."""

    def __init__(self, required: Required = "all") -> None:
        """Take how many targets have to work."""
        self.required = required
        self.counts: dict[HealthStatus, int] = dict.fromkeys(_STATUSES, 0)
        self.warnings = self.failures = self.unknown = self.crashes = 0
        self._codes: dict[str, int] = {}
        self._worst: HealthResult | None = None

    def add(self, result: HealthResult) -> None:
        """Count one target."""
        self.counts[result.status] += 1
        counted = result.counts_as
        self.warnings += counted == "warning"
        self.failures += counted == "failed"
        self.unknown += counted == "not-tested" and result.critical
        self.crashes += any(finding.code == "probe-crashed" for finding in result.findings)
        if result.finding is not None and (result.finding in self._codes or len(self._codes) < _MOST_CODES):
            self._codes[result.finding] = self._codes.get(result.finding, 0) + 1
        if self._worst is None or _rank(result) < _rank(self._worst):
            self._worst = result

    @property
    def total(self) -> int:
        """How many targets there were."""
        return sum(self.counts.values())

    @property
    def working(self) -> int:
        """How many work, with or without a warning."""
        return self.counts["ok"] + self.counts["warning"]

    def requirement(self) -> Requirement:
        """Return whether enough targets work; what was not tested may be what is missing."""
        return Requirement(servers=self.required, met=self._met())

    def _met(self) -> Met:
        if self.required == "all":
            return "no" if self.failures else "unknown" if self.unknown or not self.working else "yes"
        needed = 1 if self.required == "any" else self.required
        if self.working >= needed:
            return "yes"
        return "unknown" if self.working + self.counts["not-tested"] >= needed else "no"

    def verdict(self) -> Verdict:
        """Return the verdict in the words of reports."""
        codes = sorted(self._codes, key=lambda code: -self._codes[code])
        status = self._status()
        return Verdict(
            status=status,
            direct_p2p="not-tested",
            confidence="low" if status == "inconclusive" else "high",
            summary=self._sentence(),
            because=tuple(codes),
        )

    def _status(self) -> Status:
        match self._met():
            case "no":
                return "broken"
            case "unknown":
                return "inconclusive"
            case "yes":
                return "degraded" if self.warnings or self.failures else "healthy"

    def _sentence(self) -> str:
        tested = self.total - self.counts["skipped"] - self.counts["not-tested"]
        told = f"{self.working} of {tested} tested server{'s' if tested != 1 else ''} work{'s' if tested == 1 else ''}"
        parts = [f"{self.counts[name]} {words}" for name, words in _LEFT.items() if self.counts[name]]
        worst = self._worst
        first = f"{worst.summary} " if worst is not None and worst.status == "failed" else ""
        return f"{first}{told}{''.join(f', {part}' for part in parts)}."


_STATUSES: tuple[HealthStatus, ...] = ("ok", "warning", "failed", "not-tested", "skipped")
_LEFT: dict[HealthStatus, str] = {"not-tested": "not tested", "skipped": "skipped"}


def _rank(result: HealthResult) -> tuple[bool, int]:
    return not result.critical, ("failed", "not-tested", "warning", "ok", "skipped").index(result.status)
