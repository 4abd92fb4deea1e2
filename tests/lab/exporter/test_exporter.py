"""The exporter as a process of its own, in front of a real TURN server and dead ones."""

import asyncio
import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.codes.scripts import Replies, Turn
from rtcdiag.stun.codec import decode
from rtcdiag.stun.header import Method
from support.coturn import Coturn, coturn
from support.exporter import Exporter, Samples, exporting, load, silent, target
from support.ports import free_port
from support.process import RTCDIAG, run
from support.rendezvous import asked
from support.scripted import scripted_udp

pytestmark = pytest.mark.lab

SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), users={"alice": SECRET}) as running:
        yield running


@pytest.fixture(scope="module")
def exporter(server: Coturn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    config = tmp_path_factory.mktemp("exporter") / "targets.toml"
    with silent(1) as (mute,):
        parts = [
            target("good", server.uri(), SECRET),
            target("tcp", server.uri(transport="tcp"), SECRET),
            target("wrong", server.uri(), "no-such-password"),
            target("refused", f"turn:127.0.0.1:{free_port()}"),
            target("silent", f"turn:127.0.0.1:{mute}"),
            f'[targets.both]\nurls = ["{server.uri()}", "{server.uri(transport="tcp")}"]\n',
            f'username = "alice"\ncredential = "{SECRET}"\n',
        ]
        config.write_text("".join(parts))
        with exporting(config) as running:
            yield running


def value(found: Samples, name: str, **labels: str) -> float:
    hits = [number for (key, held), number in found.items() if key == name and labels.items() <= dict(held).items()]
    assert len(hits) == 1, (name, labels, found)
    return hits[0]


@pytest.mark.parametrize("module", ["reach", "auth", "relay"])
@pytest.mark.parametrize("name", ["good", "tcp"])
def test_a_server_that_works_succeeds_in_every_module(exporter: Exporter, name: str, module: str) -> None:
    found = exporter.probe(name, module)
    assert found["probe_success", frozenset()] == 1
    assert value(found, "rtcdiag_probe_success", target=name) == 1
    stages = {dict(labels)["stage"] for key, labels in found if key == "rtcdiag_check_status"}
    assert ("allocate" in stages, "data" in stages) == (module != "reach", module == "relay")


def test_quality_tells_loss_jitter_and_round_trip_through_the_relay(exporter: Exporter) -> None:
    found = exporter.probe("good", "quality", **{"X-Prometheus-Scrape-Timeout-Seconds": "20"})
    assert value(found, "rtcdiag_relay_loss_ratio") == 0
    assert 0 < value(found, "rtcdiag_relay_rtt_seconds") < 1
    assert 0 <= value(found, "rtcdiag_relay_jitter_seconds") < 1


@pytest.mark.parametrize(("name", "code"), [("wrong", "turn-credentials-rejected"), ("refused", "server-udp-refused")])
def test_a_server_that_does_not_work_fails_with_its_finding(exporter: Exporter, name: str, code: str) -> None:
    found = exporter.probe(name)
    assert found["probe_success", frozenset()] == 0
    assert value(found, "rtcdiag_finding_active", severity="error")
    assert value(found, "rtcdiag_finding_active", code=code) == 1


class Remembers(Turn):
    """Takes the first ports for some that it knows from before: Allocation Mismatch, so often."""

    def __init__(self, times: int) -> None:
        super().__init__({Method.ALLOCATE: 437})
        self.times = times

    def __call__(self, data: bytes, source: tuple[str, int]) -> Replies:
        if (request := decode(data)).method == Method.ALLOCATE and request.username:
            self.times -= 1
            if self.times < 0:
                self.refuse = {}
        return super().__call__(data, source)


@pytest.mark.parametrize(("times", "works"), [(5, 1), (1000, 0)])
def test_a_port_that_the_server_remembers_is_changed_within_the_scrape(tmp_path: Path, times: int, works: int) -> None:
    config = tmp_path / "targets.toml"
    with scripted_udp(Remembers(times)) as server:
        config.write_text(target("remembers", f"turn:127.0.0.1:{server.port}"))
        with exporting(config) as running:
            found = running.probe("remembers", "auth")
    assert found["probe_success", frozenset()] == works
    if not works:
        assert value(found, "rtcdiag_finding_active", code="turn-allocation-mismatch") == 1


def test_every_uri_of_a_target_is_checked(exporter: Exporter, server: Coturn) -> None:
    found = exporter.probe("both")
    uris = {dict(labels)["uri"] for name, labels in found if name == "rtcdiag_probe_success"}
    assert uris == {server.uri(), server.uri(transport="tcp")}


@pytest.mark.parametrize("timeout_s", [1.0, 3.0])
def test_a_silent_server_is_answered_for_before_the_scrape_time_out(exporter: Exporter, timeout_s: float) -> None:
    began_s = time.monotonic()
    found = exporter.probe("silent", **{"X-Prometheus-Scrape-Timeout-Seconds": str(timeout_s)})
    assert time.monotonic() - began_s < timeout_s
    assert found["probe_success", frozenset()] == 0


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/probe", "target is missing: write /probe?target=NAME, with a name of the configuration"),
        ("/probe?target=turn:127.0.0.1:3478", "the configuration has no target 'turn:127.0.0.1:3478'"),
        ("/probe?target=a%0Ab%1B", r"the configuration has no target 'a\nb\x1b'"),
        ("/probe?target=good&module=icmp", "unknown module 'icmp': there are reach, auth, relay, quality"),
        ("/probe?target=good&target=tcp", "target stands here twice"),
        ("/probe?target=good&hostname=x", "unknown parameter 'hostname': there are target, module, debug"),
    ],
)
def test_what_cannot_be_probed_is_a_bad_request_in_one_line(exporter: Exporter, path: str, words: str) -> None:
    answer = exporter.get(path)
    assert (answer.status_code, answer.text) == (400, words + "\n")


@pytest.mark.parametrize("text", ["soon", "-1", "0", "nan", "1e99"])
def test_a_time_out_that_is_none_is_a_bad_request(exporter: Exporter, text: str) -> None:
    answer = exporter.get("/probe?target=good", **{"X-Prometheus-Scrape-Timeout-Seconds": text})
    assert answer.status_code == 400
    assert answer.text.count("\n") == 1


def test_no_credential_is_in_anything_that_it_serves(exporter: Exporter) -> None:
    paths = [
        "/",
        "/metrics",
        "/-/healthy",
        *(f"/probe?target={name}{more}" for name in ("good", "wrong") for more in ("", "&debug=true")),
    ]
    text = "".join(exporter.get(path).text for path in paths)
    assert not [word for word in (SECRET, "no-such-password", "alice") if word in text]


def test_the_page_links_to_every_target(exporter: Exporter) -> None:
    page = exporter.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("good", "tcp", "wrong", "refused", "silent", "both"):
        assert f'href="/probe?target={name}"' in page.text


def test_who_goes_away_leaves_no_allocation(exporter: Exporter, server: Coturn) -> None:
    before = server.allocations_ever()
    with socket.create_connection(("127.0.0.1", exporter.port)) as sock:
        sock.sendall(b"GET /probe?target=good&module=quality HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 5
        while server.allocations_ever() == before and time.monotonic() < end:
            time.sleep(0.02)
    assert server.allocations_ever() > before
    assert server.wait_until_empty()
    assert exporter.wait_until_idle()
    assert 'rtcdiag_exporter_refused_total{reason="disconnected"}' in exporter.get("/metrics").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_back_what_is_held_and_ends_it(server: Coturn, tmp_path: Path, number: signal.Signals) -> None:
    config = tmp_path / "targets.toml"
    config.write_text(target("good", server.uri(), SECRET))
    before = server.allocations_ever()
    with exporting(config) as running, socket.create_connection(("127.0.0.1", running.port)) as sock:
        sock.sendall(b"GET /probe?target=good&module=quality HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 5
        while server.allocations_ever() == before and time.monotonic() < end:
            time.sleep(0.02)
        running.process.send_signal(number)
        assert running.process.wait(timeout=10) == 128 + number
    assert server.allocations_ever() > before
    assert server.wait_until_empty()


def reload(running: Exporter, before: float, *, works: bool) -> float:
    """Let it read its configuration again; wait, bounded, until it has, and return when it last did."""
    running.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 5
    name = "rtcdiag_exporter_config_last_reload_success"
    while time.monotonic() < end:
        at_s, successful = running.own(f"{name}_timestamp_seconds"), running.own(f"{name}ful")
        if successful == works and (at_s > before) == works:
            return at_s
        time.sleep(0.05)
    raise AssertionError(f"{successful} at {at_s}")


def test_a_new_configuration_is_taken_on_sighup_and_a_wrong_one_changes_nothing(server: Coturn, tmp_path: Path) -> None:
    config = tmp_path / "targets.toml"
    config.write_text('depth = "reach"\n' + target("old", server.uri(), SECRET))
    said = (
        f"rtcdiag: the configuration stays as it was: {config}: $.targets.new.urls: expected a string or a list of"
        " strings, found a number\n"
        "rtcdiag: read the configuration again: 2 targets\n"
        f"rtcdiag: the configuration stays as it was: health {config}: No such file or directory\n"
    )
    with exporting(config, said=said) as running:
        at_s = running.own("rtcdiag_exporter_config_last_reload_success_timestamp_seconds")
        config.write_text("[targets.new]\nurls = 7\n")
        assert reload(running, at_s, works=False) == at_s
        assert running.probe("old")["probe_success", frozenset()] == 1
        config.write_text('depth = "auth"\n' + target("new", server.uri(), SECRET) + target("x", server.uri(), SECRET))
        at_s = reload(running, at_s, works=True)
        assert running.own("rtcdiag_exporter_targets") == 2
        found = running.get("/probe?target=new")
        assert 'stage="allocate"' in found.text
        assert 'stage="permission"' not in found.text
        assert running.get("/probe?target=old").status_code == 400
        config.unlink()
        reload(running, at_s, works=False)
        assert running.own("rtcdiag_exporter_targets") == 2


def test_it_ends_when_its_terminal_is_closed(tmp_path: Path) -> None:
    config = tmp_path / "targets.toml"
    config.write_text(target("good", "turn:127.0.0.1:9", SECRET))
    window, terminal = pty.openpty()
    command = ["setsid", "--ctty", RTCDIAG, "serve", "exporter", str(config), "--port", "0"]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        try:
            with os.fdopen(window, "rb", buffering=0) as shown:
                assert shown.read(4) == b"http"
            assert process.wait(timeout=15) == 128 + signal.SIGTERM
        finally:
            process.kill()


def test_more_scrapes_at_once_than_allowed_are_refused(tmp_path: Path) -> None:
    config = tmp_path / "targets.toml"
    with silent(1) as (mute,):
        config.write_text(target("silent", f"turn:127.0.0.1:{mute}"))
        with exporting(config, "--max-scrapes", "2") as running:
            found = asyncio.run(load(running.url, ["silent"], clients=4, lasts_s=0.2, timeout_s=5))
    assert 503 in found.codes
    assert found.codes.count(200) >= 2


def test_many_scrapes_with_dead_targets_are_in_time_and_leave_nothing(server: Coturn, tmp_path: Path) -> None:
    config = tmp_path / "targets.toml"
    with silent(5) as mute:
        dead = {f"silent{port}": f"turn:127.0.0.1:{port}" for port in mute}
        dead |= {f"closed{number}": f"turn:127.0.0.1:{free_port()}?transport=tcp" for number in range(5)}
        live = {f"live{number}": server.uri() for number in range(40)}
        config.write_text("".join(target(name, uri, SECRET) for name, uri in (dead | live).items()))
        with exporting(config) as running:
            running.probe("live0")
            files, tasks = running.own("process_open_fds"), running.own("rtcdiag_exporter_tasks")
            found = asyncio.run(load(running.url, [*dead, *live], clients=20, lasts_s=4, timeout_s=10))
            assert running.wait_until_idle()
            left = running.own("process_open_fds"), running.own("rtcdiag_exporter_tasks")
    assert set(found.codes) == {200}
    assert max(found.took_s) < 10
    assert not [name for name, works in found.works if works != name.startswith("live")]
    assert left == (files, tasks)
    assert server.wait_until_empty()


def test_a_request_that_is_no_http_is_refused_and_the_next_one_answered(exporter: Exporter) -> None:
    assert b"400" in asked(exporter.port, b"\x00\x01\x00\x00 garbage\r\n\r\n")
    assert exporter.get("/-/healthy").text == "ok\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["https://ice.example.org/list"],
            "the exporter takes a file and no URL: the credentials of a service's answer expire",
        ),
        (
            ["{config}", "--bind", "localhost"],
            "--bind takes an IP address: 'localhost' does not appear to be an IPv4 or IPv6 address",
        ),
        (["{config}", "--timeout-offset", "11"], "--timeout-offset 11: not from 0 to 10"),
        (["{config}", "--max-scrapes", "0"], "--max-scrapes 0: not from 1 to 10000"),
        (["{config}", "--port", "{taken}"], "cannot listen on 127.0.0.1 port {taken}: Address already in use"),
    ],
)
def test_bad_usage_gets_one_line(exporter: Exporter, tmp_path: Path, arguments: list[str], words: str) -> None:
    config = tmp_path / "servers.json"
    config.write_text('[{"urls": "stun:127.0.0.1"}]')
    names = {"config": config, "taken": exporter.port}
    ended = run([RTCDIAG, "serve", "exporter", *(text.format(**names) for text in arguments)])
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"rtcdiag: {words.format(**names)}\n")
