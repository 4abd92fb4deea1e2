"""The metrics of a health check over OTLP, with OpenTelemetry's own SDK: the names that Prometheus gets, as gauges."""

import contextlib
import logging
import math
from collections.abc import Iterable, Iterator

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.resources import Resource

from rtcdiag.formats.health.prometheus import FAMILIES, Family, Labels, run_metrics
from rtcdiag.formats.safe import clean
from rtcdiag.health import Round
from rtcdiag.version import __version__

TIMEOUT_S = 10.0
_MOST_POINTS = 2000
"""In one request."""


class SendError(Exception):
    """The collector did not take the metrics; the message says why in one line."""


def send(found: Round, url: str) -> None:
    """Post the metrics of a run; raise SendError where they were not taken within ten seconds.

    Headers, certificates and compression are those of OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_HEADERS``).
    """
    resource = Resource.create({"service.name": "rtcdiag", "service.version": __version__})
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    _register(provider.get_meter("rtcdiag", __version__), found)
    with _quiet() as log:
        exporter = OTLPMetricExporter(endpoint=url, timeout=TIMEOUT_S, max_export_batch_size=_MOST_POINTS)
        try:
            data = reader.get_metrics_data()
            if data is None or exporter.export(data) is not MetricExportResult.SUCCESS:
                raise SendError(log.last or "the metrics were not taken")
        finally:
            exporter.shutdown()
            provider.shutdown()


def _register(meter: Meter, found: Round) -> None:
    for name, words, samples in run_metrics(found.summary):
        _gauge(meter, name, words, samples)
    for family in FAMILIES:
        _gauge(meter, family.name, family.help, _all(family, found))


def _all(family: Family, found: Round) -> Iterator[tuple[Labels, float]]:
    for result in found.results:
        yield from family.samples(result)


def _gauge(meter: Meter, name: str, words: str, samples: Iterable[tuple[Labels, float]]) -> None:
    def observed(_options: CallbackOptions) -> Iterator[Observation]:
        for labels, value in samples:
            if not math.isnan(value):
                yield Observation(value, {key: clean(text) for key, text in labels.items()})

    meter.create_observable_gauge(name, [observed], unit="s" if name.endswith("_seconds") else "", description=words)


class _Last(logging.Handler):
    """Keeps what was logged last."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


@contextlib.contextmanager
def _quiet() -> Iterator[_Last]:
    """Keep the SDK from writing to standard error while the block runs."""
    logger, kept = logging.getLogger("opentelemetry"), _Last()
    before = logger.propagate
    logger.addHandler(kept)
    logger.propagate = False
    try:
        yield kept
    finally:
        logger.removeHandler(kept)
        logger.propagate = before
