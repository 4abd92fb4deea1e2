"""``rtcdiag health`` against real servers in one run: each fault by its own code, nothing left on any server."""

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import ALTERNATE, OTHER_ALTERNATE, OTHER_SERVER, SERVER, SERVER6, Client, Topology
from support.process import RTCDIAG

pytestmark = pytest.mark.lab
_ENV = {"NO_COLOR": "1", "COLUMNS": "80"}


class Place:
    """A client behind a router, and an internet with one coturn, a host that is silent and one that refuses."""

    def __init__(self, net: Topology, client: Client, server: Coturn, authority: Authority, directory: Path) -> None:
        self.net, self.client, self.server, self.authority, self.directory = net, client, server, authority, directory

    def config(self, *targets: str | dict[str, Any], password: str = "wonderland") -> Path:
        """Write a list of URIs, or of entries."""
        login = {"username": "alice", "credential": password}
        path = self.directory / "servers.json"
        path.write_text(json.dumps([{"urls": one, **login} if isinstance(one, str) else one for one in targets]))
        return path

    def health(self, *words: str | Path, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        command = [RTCDIAG, "health", *words, "--ca-file", self.authority.ca_file]
        return self.client.run(command, timeout=timeout, env=_ENV)

    def told(self, *words: str | Path) -> tuple[int, dict[str, Any]]:
        done = self.health(*words, "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("health")
    authority = Authority(directory)
    with Topology() as net:
        net.serve_names({"turn.example": [SERVER], "both.example": [SERVER, SERVER6], "six.example": [SERVER6]})
        chain = f"type filter hook input priority 0; ip daddr {OTHER_SERVER} drop;"
        net.internet.nft(f"table inet dead {{ chain in {{ {chain} }}\n}}\n")
        client = net.client("masquerade", ipv6=False)
        with coturn(
            directory / "coturn",
            listen=(SERVER, ALTERNATE, SERVER6),
            relay=(SERVER,),
            certificate=authority.issue("turn.example"),
            prefix=net.internet.prefix,
        ) as server:
            yield Place(net, client, server, authority, directory)


def test_every_fault_of_a_run_has_its_own_code_and_nothing_is_left(place: Place) -> None:
    turn = "turn:turn.example"
    wrong = {"urls": f"{turn}?transport=udp", "username": "alice", "credential": "wrong"}
    config = place.config(
        "stun:turn.example",
        turn,
        f"{turn}?transport=tcp",
        "turns:turn.example",
        wrong,
        f"turn:{OTHER_SERVER}",
        f"turn:{OTHER_ALTERNATE}:3999",
        "turn:nobody.example",
    )
    code, told = place.told(config)
    found = {item["uri"]: item["finding"] or item["status"] for item in told["targets"]}
    assert found == {
        "stun:turn.example": "ok",
        turn: "ok",
        f"{turn}?transport=tcp": "ok",
        "turns:turn.example": "ok",
        wrong["urls"]: "turn-credentials-rejected",
        f"turn:{OTHER_SERVER}": "server-silent",
        f"turn:{OTHER_ALTERNATE}:3999": "server-udp-refused",
        "turn:nobody.example": "dns-name-not-found",
    }
    assert code == 1
    assert (told["verdict"]["status"], told["requirement"]) == ("broken", {"servers": "all", "met": "no"})
    assert place.server.wait_until_empty()
    assert not any(item in json.dumps(told) for item in ("wonderland", '"wrong"'))


def test_any_server_is_enough_where_that_was_asked_for(place: Place) -> None:
    config = place.config("turn:turn.example", "turn:nobody.example")
    assert place.health(config, "-q", "--require-servers", "any").returncode == 0
    assert place.health(config, "-q", "--require-servers", "2").returncode == 1
    assert place.health(config, "-q", "--format", "nagios").returncode == 2


@pytest.mark.parametrize(
    ("depth", "stage"), [("reach", "challenge"), ("auth", "allocate"), ("relay", "data"), ("quality", "data")]
)
def test_a_depth_goes_as_far_as_it_says_and_no_farther(place: Place, depth: str, stage: str) -> None:
    code, told = place.told(place.config("turn:turn.example"), "--depth", depth)
    (target,) = told["targets"]
    stages = {row["stage"]: row["status"] for row in target["paths"][0]["stages"]}
    assert (code, target["status"], stages[stage]) == (0, "ok", "ok")
    if depth == "reach":
        assert stages["allocate"] == "not-tested"
    if depth == "auth":
        assert stages["data"] == "not-tested"
    assert ("jitter_ms" in target["paths"][0]["figures"]) == (depth == "quality")
    assert place.server.wait_until_empty()


def test_ipv6_is_skipped_and_no_failure_where_this_computer_has_none(place: Place) -> None:
    code, told = place.told(place.config("turn:both.example", "turn:six.example"))
    both, six = sorted(told["targets"], key=lambda item: item["uri"])
    assert (code, both["status"], six["status"]) == (0, "ok", "skipped")
    assert {path["family"]: path["status"] for path in both["paths"]} == {"ipv4": "ok", "ipv6": "skipped"}
    assert told["verdict"]["status"] == "healthy"


def test_all_formats_come_from_one_run(place: Place) -> None:
    files = {name: place.directory / f"out.{name}" for name in ("xml", "prom", "jsonl", "md", "json")}
    options = [word for path in files.values() for word in ("--output", path)]
    done = place.health(place.config("turn:turn.example", "turn:nobody.example"), *options)
    assert done.stdout.startswith("Servers  BROKEN  1 FAIL, 1 ok")
    suites = list(JUnitXml.fromfile(str(files["xml"])))
    assert sorted(suite.failures for suite in suites) == [0, 1]
    assert 'rtcdiag_probe_success{target="turn:turn.example",uri="turn:turn.example"} 1' in files["prom"].read_text()
    assert [json.loads(line)["kind"] for line in files["jsonl"].read_text().splitlines()][-1] == "health"
    assert len(json.loads(files["json"].read_text())["targets"]) == 2


def test_the_credentials_of_a_secret_are_made_for_each_check(tmp_path: Path, place: Place) -> None:
    path = tmp_path / "own.toml"
    with coturn(
        tmp_path, listen=(OTHER_ALTERNATE,), relay=(OTHER_ALTERNATE,), secret="north", prefix=place.net.internet.prefix
    ):
        path.write_text(f'[targets.a]\nurls = "turn:{OTHER_ALTERNATE}"\nsecret = "${{TURN_SECRET}}"\n')
        done = place.client.run([RTCDIAG, "health", path, "-q"], env={**_ENV, "TURN_SECRET": "north"})
        assert (done.returncode, done.stderr) == (0, "")


def test_a_small_quota_fails_nobody_of_a_large_list(tmp_path: Path, place: Place) -> None:
    with coturn(
        tmp_path,
        listen=(OTHER_ALTERNATE,),
        relay=(OTHER_ALTERNATE,),
        prefix=place.net.internet.prefix,
        extra=("user-quota=4",),
    ) as server:
        code, told = place.told(place.config(*[f"turn:{OTHER_ALTERNATE}?transport=udp"] * 12))
        assert {item["status"] for item in told["targets"]} == {"ok"}
        assert code == 0
        assert server.wait_until_empty()


def test_a_target_that_comes_back_is_flaky_and_no_failure(tmp_path: Path, place: Place) -> None:
    chain = f"type filter hook input priority 0; ip daddr {OTHER_ALTERNATE} udp dport 3478 counter;"
    place.net.internet.nft(f"table inet asked {{ chain in {{ {chain} }}\n}}\n")
    words = [RTCDIAG, "health", str(place.config(f"turn:{OTHER_ALTERNATE}")), "--json", "--retries", "10"]
    with place.client.running(words, log=tmp_path / "out.json") as process:
        while "packets 0 " in place.net.internet.run(["nft", "list", "table", "inet", "asked"]).stdout:
            assert process.poll() is None
        with coturn(
            tmp_path / "coturn", listen=(OTHER_ALTERNATE,), relay=(OTHER_ALTERNATE,), prefix=place.net.internet.prefix
        ):
            assert process.wait(timeout=40) == 0
    (target,) = json.loads((tmp_path / "out.json").read_text())["targets"]
    assert target["flaky"]
    assert target["attempts"] > 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_tells_what_it_knows_and_leaves_nothing(
    tmp_path: Path, place: Place, number: signal.Signals
) -> None:
    uris = ["turn:turn.example"] * 60 + [f"turn:{OTHER_SERVER}"] * 400
    out = tmp_path / "out.jsonl"
    with place.client.running([RTCDIAG, "health", place.config(*uris), "--jsonl"], log=out) as process:
        while not out.exists() or '"status":"ok"' not in out.read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=20) == 128 + number
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[-1]["kind"] == "health"
    assert lines[-1]["interrupted"] is True
    assert len(lines) == len(uris) + 1
    assert {line["status"] for line in lines[:-1]} >= {"ok", "not-tested"}
    assert place.server.wait_until_empty()


def test_the_deadline_ends_the_run_and_what_was_not_tested_is_not_failed(place: Place) -> None:
    config = place.config(*[f"turn:{OTHER_SERVER}"] * 300)
    began = time.monotonic()
    code, told = place.told(config, "--deadline", "1")
    assert time.monotonic() - began < 15
    assert {item["status"] for item in told["targets"]} == {"not-tested"}
    assert len(told["targets"]) == 300
    assert code == 3


def test_watching_says_what_changed(tmp_path: Path, place: Place) -> None:
    out = tmp_path / "out"
    words = [RTCDIAG, "health", str(place.config(f"turn:{OTHER_ALTERNATE}")), "--watch", "1s", "-q"]
    with place.client.running(words, log=out) as process:
        with coturn(
            tmp_path / "coturn", listen=(OTHER_ALTERNATE,), relay=(OTHER_ALTERNATE,), prefix=place.net.internet.prefix
        ):
            _until(out, "healthy: ")
        assert re.search(r"^\d{4}-\d\d-\d\dT[\d:.]+Z healthy: ", out.read_text(), re.MULTILINE)
        _until(out, "ok -> failed [server-udp-refused]")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130


def test_a_file_that_cannot_be_written_ends_no_watch(tmp_path: Path, place: Place) -> None:
    out, files = tmp_path / "out", tmp_path / "files"
    files.mkdir()
    metrics = f"--output={files / 'turn.prom'}"
    words: list[str | Path] = [RTCDIAG, "health", place.config("turn:turn.example"), "--watch", "1s", "-q", metrics]
    with place.client.running(words, log=out) as process:
        _until(out, "healthy: ")
        shutil.rmtree(files)
        _until(out, "rtcdiag: ")
        files.mkdir()
        _until(files / "turn.prom", "rtcdiag_probe_success")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 143


def _until(path: Path, said: str, limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not path.exists() or said not in path.read_text():
        assert time.monotonic() < end, path
        time.sleep(0.1)


def test_a_redacted_check_names_neither_server_nor_address_and_fares_the_same(place: Place) -> None:
    config = place.config("turn:both.example", "stun:turn.example", "turn:nobody.example")
    plain, told = (place.health(config, "--json", "--redact", level) for level in ("none", "strict"))
    assert plain.returncode == told.returncode
    statuses = [
        [(item["status"], item["finding"]) for item in json.loads(done.stdout)["targets"]] for done in (plain, told)
    ]
    assert sorted(statuses[0]) == sorted(statuses[1])
    shown = told.stdout + told.stderr
    assert not [word for word in (SERVER, SERVER6, "turn.example", "both.example", "nobody.example") if word in shown]
    assert SERVER in plain.stdout
