"""A real Prometheus server scrapes the exporter as the documentation says; its own tool checks the rules."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support.coturn import Coturn, coturn
from support.exporter import Exporter, exporting, target
from support.ports import free_port
from support.process import run, running
from support.ready import answers

pytestmark = pytest.mark.lab

DOCS = Path(__file__).parents[3] / "docs"
LIMIT_S = 45.0


def test_promtool_accepts_the_rules_and_their_tests_and_the_configuration() -> None:
    for arguments in (
        ["check", "rules", DOCS / "alerts.yml"],
        ["test", "rules", DOCS / "alerts.test.yml"],
        ["check", "config", DOCS / "prometheus.yml"],
    ):
        ended = run(["promtool", *map(str, arguments)])
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn")) as relay:
        yield relay


@pytest.fixture(scope="module")
def exporter(server: Coturn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    config = tmp_path_factory.mktemp("exporter") / "targets.toml"
    parts = [target("frankfurt", server.uri()), target("paris", f"turn:127.0.0.1:{free_port()}")]
    config.write_text("".join(parts))
    with exporting(config) as serving:
        yield serving


@contextlib.contextmanager
def prometheus(directory: Path, exporter: Exporter) -> Iterator[str]:
    """Run Prometheus with the configuration of the documentation, only faster, until the block ends; yield its URL."""
    text = (DOCS / "prometheus.yml").read_text().replace("127.0.0.1:9481", f"127.0.0.1:{exporter.port}")
    tree = yaml.safe_load(text)
    tree["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    (directory / "prometheus.yml").write_text(yaml.safe_dump(tree))
    rules = (DOCS / "alerts.yml").read_text().replace("for: 3m", "for: 1s")
    (directory / "alerts.yml").write_text(rules)
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, log=directory / "prometheus.log"):
        assert answers("127.0.0.1", port, "open"), (directory / "prometheus.log").read_text()[-2000:]
        yield f"http://127.0.0.1:{port}"


def asked(url: str, path: str, **parameters: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{url}/api/v1/{path}", params=parameters, timeout=10, trust_env=False)
    if answer.status_code == 503:  # not ready yet
        return []
    data = answer.json()["data"]
    found: list[dict[str, Any]] = data.get("result") or data.get("alerts") or data.get("activeTargets") or []
    return found


def awaited(url: str, path: str, **parameters: str) -> list[dict[str, Any]]:
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if found := asked(url, path, **parameters):
            return found
        time.sleep(0.2)
    raise AssertionError(f"Prometheus never had {path} {parameters}")


def test_prometheus_knows_which_server_works_which_fails_and_raises_the_alert(
    exporter: Exporter, server: Coturn, tmp_path: Path
) -> None:
    with prometheus(tmp_path, exporter) as url:
        works = awaited(url, "query", query="rtcdiag_probe_success == 1")
        fails = awaited(url, "query", query="rtcdiag_probe_success == 0")
        found = awaited(url, "query", query='rtcdiag_finding_active{severity="error"}')
        own = awaited(url, "query", query='rtcdiag_exporter_targets{job="rtcdiag-exporter"}')
        alerts = awaited(url, "alerts")
        targets = awaited(url, "targets", state="active")
    assert [item["metric"]["instance"] for item in works] == ["frankfurt"]
    assert works[0]["metric"]["uri"] == server.uri()
    assert [item["metric"]["target"] for item in fails] == ["paris"]
    assert {item["metric"]["code"] for item in found} == {"server-udp-refused"}
    assert own[0]["value"][1] == "2"
    assert [(one["labels"]["alertname"], one["labels"]["target"]) for one in alerts] == [("RtcServerFails", "paris")]
    assert {one["health"] for one in targets} <= {"up", "unknown"}, targets
    assert server.wait_until_empty()
