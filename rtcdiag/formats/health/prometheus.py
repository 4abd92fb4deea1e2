"""Prometheus' text format, for the textfile collector: a file that is written again in each run."""

from collections.abc import Callable, Iterator

import msgspec

from rtcdiag.formats.health.words import level
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import clean
from rtcdiag.health.result import HealthPath, HealthResult, HealthSummary, Round
from rtcdiag.report import started_at_s

Labels = dict[str, str]
Samples = Iterator[tuple[Labels, float]]


class Family(msgspec.Struct, frozen=True):
    """One metric, and its samples of one target."""

    name: str
    help: str
    samples: Callable[[HealthResult], Samples]


def render(found: Round, options: RenderOptions) -> Iterator[str]:  # noqa: ARG001 - every format has this signature
    """Yield the metrics; all samples of one stand together, so the results are read once for each."""
    if redacted := level(found.summary):
        yield f"# {redacted}\n"
    yield from _of_run(found)
    for family in FAMILIES:
        yield _head(family.name, family.help)
        for result in found.results:
            for labels, value in family.samples(result):
                yield sample(family.name, labels, value)


def _of_run(found: Round) -> Iterator[str]:
    for name, words, samples in run_metrics(found.summary):
        yield _head(name, words) + "".join(sample(name, labels, value) for labels, value in samples)


def run_metrics(summary: HealthSummary) -> Iterator[tuple[str, str, list[tuple[Labels, float]]]]:
    """Yield name, meaning and samples of each metric of a run as a whole."""
    counts = [({"status": str(status)}, float(number)) for status, number in summary.counts.items()]
    yield "rtcdiag_health_targets", "How many targets fare so.", counts
    met = {"yes": 1.0, "no": 0.0}.get(summary.requirement.met, float("nan"))
    words = "Whether as many servers work as are required; NaN where unknown."
    yield "rtcdiag_health_requirement_met", words, [({}, met)]
    yield "rtcdiag_health_duration_seconds", "How long the run took.", [({}, summary.duration_ms / 1000)]
    began = started_at_s(summary.started_at)
    yield "rtcdiag_health_last_run_timestamp_seconds", "When the run began.", [({}, began)]


def _head(name: str, words: str) -> str:
    return f"# HELP {name} {words}\n# TYPE {name} gauge\n"


def sample(name: str, labels: Labels, value: float) -> str:
    """Return one line."""
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{'{' + told + '}' if told else ''} {value:.10g}\n".replace(" nan", " NaN")


def _escaped(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')


def _of(result: HealthResult) -> Labels:
    return {"target": result.name, "uri": result.uri}


def _at(result: HealthResult, path: HealthPath) -> Labels:
    return {**_of(result), "address": str(path.address or ""), "transport": path.transport}


def _success(result: HealthResult) -> Samples:
    if result.status not in ("skipped", "not-tested"):
        yield _of(result), float(result.status != "failed")


def _tested(result: HealthResult) -> Samples:
    if result.status != "skipped":
        yield _of(result), float(result.status != "not-tested")


def _duration(result: HealthResult) -> Samples:
    yield _of(result), result.duration_ms / 1000


def _stages(result: HealthResult) -> Samples:
    for path in result.paths:
        for row in path.stages:
            if row.status != "not-tested" and path.status != "skipped":
                yield {**_at(result, path), "stage": row.stage}, float(row.status != "failed")


def _stage_durations(result: HealthResult) -> Samples:
    for path in result.paths:
        for row in path.stages:
            if row.duration_ms is not None:
                yield {**_at(result, path), "stage": row.stage}, row.duration_ms / 1000


def _figure(name: str, scale: float) -> Callable[[HealthResult], Samples]:
    def samples(result: HealthResult) -> Samples:
        for path in result.paths:
            if name in path.figures:
                yield _at(result, path), path.figures[name] * scale

    return samples


def _certificate(result: HealthResult) -> Samples:
    if result.certificate_expires_at is not None:
        yield _of(result), result.certificate_expires_at


def _credentials(result: HealthResult) -> Samples:
    if result.credentials_expire_at is not None:
        yield _of(result), result.credentials_expire_at


def _findings(result: HealthResult) -> Samples:
    codes = {finding.code: finding.severity for finding in result.findings}
    for code, severity in codes.items():
        yield {**_of(result), "code": code, "severity": severity.value}, 1.0


FAMILIES: tuple[Family, ...] = (
    Family("rtcdiag_probe_success", "Whether the target works as deep as it was checked.", _success),
    Family("rtcdiag_probe_tested", "Whether there is an answer: 0 where the check was cut off or failed.", _tested),
    Family("rtcdiag_probe_duration_seconds", "How long the check of the target took.", _duration),
    Family("rtcdiag_check_status", "Whether a stage held: 1 or 0.", _stages),
    Family("rtcdiag_stage_duration_seconds", "How long a stage took.", _stage_durations),
    Family("rtcdiag_relay_rtt_seconds", "The way through the relay and back.", _figure("rtt_ms", 0.001)),
    Family("rtcdiag_relay_jitter_seconds", "Jitter through the relay (RFC 3550).", _figure("jitter_ms", 0.001)),
    Family("rtcdiag_relay_loss_ratio", "Which share of packets the relay lost.", _figure("loss_percent", 0.01)),
    Family("rtcdiag_certificate_expiry_timestamp_seconds", "Until when the certificate is valid.", _certificate),
    Family("rtcdiag_credential_expiry_timestamp_seconds", "Until when the credentials are valid.", _credentials),
    Family("rtcdiag_finding_active", "What was found about the target.", _findings),
)
