"""What a scrape is answered: the metrics of ``rtcdiag health --format prometheus``, and those of blackbox_exporter."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rtcdiag.formats.health.prometheus import FAMILIES, Labels
from rtcdiag.formats.safe import clean
from rtcdiag.health import HealthResult

_WORKS = ("ok", "warning")


class Probed(Collector):
    """The results of one scrape, as prometheus-client takes them."""

    def __init__(self, results: tuple[HealthResult, ...], duration_s: float) -> None:
        """Take what was found, and how long it took."""
        self._results, self._duration_s = results, duration_s

    def collect(self) -> Iterator[Metric]:
        """Yield every metric that has a sample; those without labels are about the target as a whole."""
        tested = [item for item in self._results if item.status != "skipped"]
        works = bool(tested) and all(item.status in _WORKS for item in tested)
        yield _plain("probe_success", "Whether every URI of the target works; 0 too where it is not known.", works)
        yield _plain("probe_duration_seconds", "How long the scrape took.", self._duration_s)
        expiries = [item.certificate_expires_at for item in self._results if item.certificate_expires_at is not None]
        if expiries:
            words = "When the first certificate expires, in unixtime."
            yield _plain("probe_ssl_earliest_cert_expiry", words, min(expiries))
        for family in FAMILIES:
            samples = (sample for result in self._results for sample in family.samples(result))
            yield from _family(family.name, family.help, samples)


def _plain(name: str, words: str, value: float) -> Metric:
    metric = GaugeMetricFamily(name, words)
    metric.add_metric([], float(value))
    return metric


def _family(name: str, words: str, samples: Iterable[tuple[Labels, float]]) -> Iterator[Metric]:
    metric: GaugeMetricFamily | None = None
    for labels, value in samples:
        metric = metric or GaugeMetricFamily(name, words, labels=tuple(labels))
        metric.add_metric([clean(text) for text in labels.values()], value)
    if metric is not None:
        yield metric


def exposition(collector: Collector, accept: str) -> tuple[bytes, str]:
    """Return metrics in the format that the other side prefers, and its content type."""
    encode, content_type = choose_encoder(accept)
    if not isinstance(collector, CollectorRegistry):
        registry = CollectorRegistry(auto_describe=False)
        registry.register(collector)
        return encode(registry), content_type
    return encode(collector), content_type
