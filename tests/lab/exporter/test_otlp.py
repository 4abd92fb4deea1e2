"""``rtcdiag health --otlp`` against a receiver that decodes what comes with OpenTelemetry's own messages."""

import contextlib
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from rtcdiag.formats.health.prometheus import FAMILIES
from support.coturn import Coturn, coturn
from support.exporter import samples, target
from support.ports import free_port
from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab

SECRET = "correct-horse-battery"


class Receiver(ThreadingHTTPServer):
    """A collector on loopback."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.requests: list[ExportMetricsServiceRequest] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies = b""
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.bodies += body
        self.server.paths.append(self.path)
        self.server.headers.append({name.lower(): text for name, text in self.headers.items()})
        self.server.requests.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    with Receiver(status) as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), users={"alice": SECRET}) as relay:
        yield relay


@pytest.fixture
def config(server: Coturn, tmp_path: Path) -> Path:
    path = tmp_path / "targets.toml"
    parts = [target("good", server.uri(), SECRET), target("bad", f"turn:127.0.0.1:{free_port()}", SECRET)]
    path.write_text("".join(parts))
    return path


def points(request: ExportMetricsServiceRequest) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (metric.name, frozenset((one.key, one.value.string_value) for one in point.attributes)): point.as_double
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.gauge.data_points
    }


def test_the_collector_gets_what_prometheus_gets(config: Path, tmp_path: Path) -> None:
    written = tmp_path / "turn.prom"
    with receiving() as receiver:
        ended = run([RTCDIAG, "health", str(config), "--otlp", receiver.url, "--output", str(written), "--quiet"])
    assert (ended.returncode, ended.stderr) == (1, "")
    assert receiver.paths == ["/v1/metrics"]
    (request,) = receiver.requests
    (resource,) = request.resource_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes["service.name"] == "rtcdiag"
    units = {metric.name: metric.unit for metric in resource.scope_metrics[0].metrics}
    assert units["rtcdiag_relay_rtt_seconds"] == "s"
    sent, file = points(request), samples(written.read_text())
    assert set(sent) == set(file)
    assert sent == pytest.approx(file)
    assert sent["rtcdiag_probe_success", frozenset({("target", "good"), ("uri", uri_of(sent, "good"))})] == 1
    assert {name for name, _ in sent} >= {FAMILIES[0].name, "rtcdiag_health_targets"}


def uri_of(sent: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str) -> str:
    return next(dict(labels)["uri"] for _, labels in sent if dict(labels).get("target") == name)


def test_no_credential_is_sent_and_the_headers_of_the_environment_are(config: Path) -> None:
    env = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
    with receiving() as receiver:
        run([RTCDIAG, "health", str(config), "--otlp", f"{receiver.url}/v1/metrics", "--quiet"], env=env)
    assert receiver.paths == ["/v1/metrics"]
    assert receiver.headers[0]["authorization"] == "Bearer abc"
    assert not [word for word in (SECRET, "alice") if word.encode() in receiver.bodies]


def test_a_collector_that_refuses_is_told_in_one_line_after_the_result(config: Path) -> None:
    with receiving(400) as receiver:
        ended = run([RTCDIAG, "health", str(config), "--otlp", receiver.url, "--quiet"])
    assert ended.stdout.startswith("broken: ")
    assert ended.stderr.startswith(f"rtcdiag: --otlp {receiver.url}/v1/metrics: ")
    assert ended.stderr.count("\n") == 1
    assert ended.returncode != 0


def test_a_collector_that_is_not_there_is_told_in_one_line_in_bounded_time(config: Path) -> None:
    ended = run([RTCDIAG, "health", str(config), "--otlp", f"http://127.0.0.1:{free_port()}", "--quiet"], timeout=60)
    assert ended.stdout.startswith("broken: ")
    assert ended.stderr.count("\n") == 1
    assert ended.returncode != 0


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("collector:4318", "--otlp collector:4318: no URL (write http://HOST:4318)"),
        ("http://", "--otlp http://: no URL (write http://HOST:4318)"),
        ("http://h:99999", "--otlp http://h:99999: no URL (write http://HOST:4318)"),
        (
            "http://ann:secret@h",
            "--otlp takes a URL and no credentials: OTEL_EXPORTER_OTLP_HEADERS is for these",
        ),
    ],
)
def test_an_address_that_is_none_is_bad_input(config: Path, url: str, words: str) -> None:
    ended = run([RTCDIAG, "health", str(config), "--otlp", url])
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"rtcdiag: {words}\n")
