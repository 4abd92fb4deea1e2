"""A service with the faults that operators make, in one run: each by its code, each format as its reader takes it."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from support.ca import Authority
from support.coturn import coturn
from support.netns import ALTERNATE, OTHER_ALTERNATE, OTHER_SERVER, SERVER, SERVER6, Client, Topology
from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab

FAULTS = {
    "turn:good.example": ("ok", None),
    "turns:good.example": ("ok", None),
    "turn:six.example": ("ok", None),
    "turn:tcponly.example?transport=tcp": ("ok", None),
    "turn:tcponly.example": ("failed", "server-udp-filtered"),
    "turn:half.example": ("failed", "server-silent"),
    "turns:expired.example": ("failed", "tls-certificate-expired"),
    "turns:other-name.example": ("failed", "tls-hostname-mismatch"),
    "turns:hangs.example:5350": ("failed", "tls-silent"),
    f"turn:{ALTERNATE}:3500": ("warning", "turn-quota-reached"),
    f"turn:{ALTERNATE}:3600": ("failed", "turn-peer-denied"),
}
NAMES = {
    "good.example": [SERVER],
    "other-name.example": [SERVER],
    "six.example": [SERVER6],
    "half.example": [SERVER, OTHER_SERVER],
    "expired.example": [ALTERNATE],
    "tcponly.example": [OTHER_ALTERNATE],
    "hangs.example": [OTHER_ALTERNATE],
}
HANGS = f"import socket, time; held = socket.create_server(('{OTHER_ALTERNATE}', 5350)); time.sleep(120)"


@contextlib.contextmanager
def servers(net: Topology, authority: Authority, directory: Path) -> Iterator[None]:
    """Run one that is well, and others: of an expired certificate, full, forbidding, without UDP, one that hangs."""
    at: dict[str, Any] = {"prefix": net.internet.prefix}
    here: dict[str, Any] = {"listen": (ALTERNATE,), "relay": (ALTERNATE,), **at}
    expired = authority.issue("expired.example", days=(-30, -1))
    nobody = ["denied-peer-ip=0.0.0.0-255.255.255.255"]
    with (
        coturn(
            directory / "good",
            listen=(SERVER, SERVER6),
            relay=(SERVER,),
            certificate=authority.issue("good.example"),
            **at,
        ),
        coturn(directory / "expired", certificate=expired, relay_ports=(51001, 51100), **here),
        coturn(directory / "full", port=3500, relay_ports=(52001, 52100), extra=["total-quota=1"], **here),
        coturn(directory / "forbids", port=3600, relay_ports=(53001, 53100), extra=nobody, **here),
        coturn(directory / "tcp", listen=(OTHER_ALTERNATE,), relay=(OTHER_ALTERNATE,), udp=False, **at),
        net.internet.running([sys.executable, "-c", HANGS], log=directory / "hangs.log"),
    ):
        yield


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path, Path]]:
    """Yield a client, a configuration with all of them, and the authority."""
    directory = tmp_path_factory.mktemp("faults")
    authority, config = Authority(directory), directory / "servers.json"
    login = {"username": "alice", "credential": "wonderland"}
    config.write_text(json.dumps([{"urls": uri, **login} for uri in FAULTS]))
    with Topology() as net:
        net.serve_names(NAMES)
        drops = f"ip daddr {OTHER_SERVER} drop; ip daddr {OTHER_ALTERNATE} udp dport 3478 drop;"
        net.internet.nft(f"table inet dead {{ chain in {{ type filter hook input priority 0; {drops} }}\n}}\n")
        with servers(net, authority, directory):
            yield net.client("masquerade"), config, authority.ca_file


def test_each_fault_has_its_code_and_severity_in_every_format(asked: tuple[Client, Path, Path], tmp_path: Path) -> None:
    client, config, ca_file = asked
    outs = [f"--output={name}={tmp_path / name}" for name in ("json", "junit", "prometheus", "gitlab", "github")]
    done = client.run([RTCDIAG, "health", config, "--ca-file", ca_file, *outs], timeout=60, env={"NO_COLOR": "1"})
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads((tmp_path / "json").read_text())
    assert {item["uri"]: (item["status"], item["finding"]) for item in told["targets"]} == FAULTS
    failed = {uri for uri, (status, _) in FAULTS.items() if status == "failed"}

    suites = JUnitXml.fromfile(str(tmp_path / "junit"))
    assert {suite.name for suite in suites if suite.failures} == failed
    linted = run(["promtool", "check", "metrics"], stdin=(tmp_path / "prometheus").read_text())
    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")
    issues = json.loads((tmp_path / "gitlab").read_text())
    assert {item["check_name"] for item in issues} == {code for _, code in FAULTS.values() if code}
    lines = (tmp_path / "github").read_text().splitlines()
    assert sum(line.startswith("::error ") for line in lines) == len(failed)
    assert sum(line.startswith("::warning ") for line in lines) == 1


def test_a_monitoring_system_gets_the_code_and_one_line_of_what_is_critical(asked: tuple[Client, Path, Path]) -> None:
    client, config, ca_file = asked
    done = client.run([RTCDIAG, "health", config, "--ca-file", ca_file, "--format", "nagios"], timeout=60)
    first, *more = done.stdout.splitlines()
    assert done.returncode == 2
    assert first.startswith("TURN CRITICAL - 6/11 failed: ")
    assert "'working'=5;;;0;11" in first.partition("|")[2]
    assert sum(line.startswith("FAIL ") for line in more) == 6
