"""The exporter's metrics of itself."""

import asyncio
from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from rtcdiag.exporter.checks import Checks
from rtcdiag.exporter.reading import Reading
from rtcdiag.health import HealthResult
from rtcdiag.version import __version__

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
MODULE_UNSET = "default"


class Own:
    """Counters of one exporter, in a registry of their own."""

    def __init__(self, checks: Checks, reading: Reading) -> None:
        """Count from 0."""
        # When each was first counted: as many series again, that nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs
        self.registry = registry = CollectorRegistry()
        name = "rtcdiag_exporter"
        probes = "Scrapes of targets, by how the target fared."
        self._probes = Counter(f"{name}_probes", probes, ["module", "status"], registry=registry)
        refused = "Scrapes that were not begun, or given up by who asked."
        self._refused = Counter(f"{name}_refused", refused, ["reason"], registry=registry)
        lasted = "How long scrapes of targets took."
        self._duration = Histogram(
            f"{name}_probe_duration_seconds", lasted, ["module"], buckets=_BUCKETS, registry=registry
        )
        self._gauge("scrapes_in_progress", "Scrapes of targets under way.", lambda: checks.scrapes)
        self._gauge("checks_in_progress", "Checks that have not given everything back yet.", lambda: checks.under_way)
        self._gauge("tasks", "Tasks of the event loop.", lambda: len(asyncio.all_tasks()))
        self._gauge("targets", "Targets of the configuration.", lambda: len(checks.targets))
        successful, at = "config_last_reload_successful", "config_last_reload_success_timestamp_seconds"
        self._gauge(successful, "Whether the configuration was read when last tried.", lambda: reading.successful)
        self._gauge(at, "When the configuration was last read, in unixtime.", lambda: reading.succeeded_at_s)
        Info("rtcdiag_exporter_build", "The program.", registry=self.registry).info({"version": __version__})
        ProcessCollector(registry=self.registry)

    def _gauge(self, name: str, words: str, value: Callable[[], float]) -> None:
        Gauge(f"rtcdiag_exporter_{name}", words, registry=self.registry).set_function(value)

    def probed(self, module: str, results: Iterable[HealthResult], duration_s: float) -> None:
        """Count a scrape."""
        order = ("failed", "not-tested", "warning", "ok", "skipped")
        worst = min((item.status for item in results), key=order.index)
        self._probes.labels(module, worst).inc()
        self._duration.labels(module).observe(duration_s)

    def refused(self, reason: str) -> None:
        """Count a scrape that came to nothing: busy, bad-request, disconnected."""
        self._refused.labels(reason).inc()
