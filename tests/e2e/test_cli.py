"""The installed command against the embedded server on loopback: what it prints, writes, releases and returns."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtcdiag.version import __version__
from support.process import RTCDIAG, run
from support.validity import validator

PASSWORD = "correct-horse-battery"
CANARY_USER, CANARY_SECRET = "canary-user-8431", "canary-secret-5177"
ENVIRONMENT = {"NO_COLOR": "", "FORCE_COLOR": "", "TERM": "xterm", "COLUMNS": "80", "PYTHONWARNINGS": ""}


class Server:
    """The embedded server, and the URIs that it printed."""

    def __init__(self, stun: str, turn_udp: str, turn_tcp: str) -> None:
        self.stun, self.turn_udp, self.turn_tcp = stun, turn_udp, turn_tcp


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    users = tmp_path_factory.mktemp("server") / "users"
    users.write_text(f"ann:{PASSWORD}\n{CANARY_USER}:{PASSWORD}\n", encoding="utf-8")
    command: list[str | Path] = [
        RTCDIAG,
        "serve",
        "stun",
        "--port",
        "0",
        "--turn-users",
        users,
        "--allow-loopback-peers",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield Server(*(process.stdout.readline().strip() for _ in range(3)))
    process.terminate()
    assert process.wait(10) == 143
    assert process.stdout.read() == ""
    process.stdout.close()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A UDP socket that answers nothing; a test can tell by it whether anybody asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(20)
        yield sock


def stun_at(sock: socket.socket) -> str:
    return f"stun:127.0.0.1:{sock.getsockname()[1]}"


def rtcdiag(*args: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return run([RTCDIAG, *args], stdin=stdin, env={**ENVIRONMENT, **environment})


def valid(text: str) -> dict[str, object]:
    report: dict[str, object] = json.loads(text)
    validator().validate(report)
    return report


def test_json_on_standard_output_is_a_valid_report_and_nothing_else(server: Server) -> None:
    ran = rtcdiag("nat-type", "--server", server.stun, "--json")
    report = valid(ran.stdout)
    assert report["command"] == "nat-type"
    assert ran.stderr == ""
    assert ran.returncode == 3  # only this computer was asked
    assert json.loads(ran.stdout)["verdict"]["status"] == "inconclusive"


def test_a_report_is_saved_as_json_and_html_beside_the_text(server: Server, tmp_path: Path) -> None:
    ran = rtcdiag("report", "--server", server.stun, "--reports-dir", tmp_path / "new" / "reports")
    paths = sorted((tmp_path / "new" / "reports").iterdir())
    assert [path.suffix for path in paths] == [".html", ".json"]
    assert re.fullmatch(r"rtcdiag-\d{8}T\d{6}Z", paths[0].stem)
    assert ran.stderr == f"Saved {paths[1]} and {paths[0]}\n"
    assert ran.stdout.splitlines()[0] == ran.stdout.splitlines()[-1]
    assert len(ran.stdout.splitlines()) <= 24
    valid(paths[1].read_text(encoding="utf-8"))
    from_json, from_html = (rtcdiag("show", path, "--json") for path in reversed(paths))
    assert from_json.returncode == from_html.returncode == 0
    assert from_json.stdout == from_html.stdout


def test_a_turn_server_that_relays_is_healthy_over_udp_and_tcp(server: Server) -> None:
    ran = rtcdiag(
        "check-turn", server.turn_udp, server.turn_tcp, "--username", "ann", "--json", RTCDIAG_PASSWORD=PASSWORD
    )
    report = valid(ran.stdout)
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = json.loads(ran.stdout)["servers"]
    assert {(row["transport"], row["status"]) for row in rows} == {("udp", "ok"), ("tcp", "ok")}
    assert report["interrupted"] is False


def test_a_wrong_password_is_a_finding_and_exit_code_1(server: Server, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong-password\n", encoding="utf-8")
    ran = rtcdiag(
        "check-turn", server.turn_udp, "--username", "ann", "--password-file", tmp_path / "password", "--json"
    )
    assert ran.returncode == 1
    assert "turn-credentials-rejected" in json.loads(ran.stdout)["verdict"]["because"]


def test_a_turn_server_without_credentials_is_a_finding(server: Server) -> None:
    ran = rtcdiag("check-turn", server.turn_udp, "--json")
    assert ran.returncode == 1
    assert [item["row"] for item in json.loads(ran.stdout)["findings"] if item["severity"] == "error"] == ["C5"]


def test_a_password_is_in_no_output_wherever_it_came_from(server: Server, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    listed = [{"urls": server.turn_udp, "username": "ann", "credential": PASSWORD}]
    (tmp_path / "list.json").write_text(json.dumps(listed), encoding="utf-8")
    user = ("check-turn", server.turn_udp, "--username", "ann")
    files = [tmp_path / f"out{suffix}" for suffix in (".json", ".html", ".md", ".txt")]
    outputs = [part for path in files for part in ("--output", path)]
    ways = [
        rtcdiag(*user, "-vv", *outputs, "--password-file", tmp_path / "password"),
        rtcdiag(*user, "-vv", "--password-file", "-", stdin=PASSWORD + "\n"),
        rtcdiag(*user, "-vv", "--json", RTCDIAG_PASSWORD=PASSWORD),
        rtcdiag("check-turn", "-vv", "--ice-servers", tmp_path / "list.json"),
        rtcdiag("check-turn", "-vv", "--ice-servers", "-", stdin=json.dumps(listed)),
    ]
    for ran in ways:
        assert ran.returncode == 0, ran.stderr
        assert PASSWORD not in ran.stdout + ran.stderr
    for path in files:
        assert PASSWORD not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("level", ["none", "share", "strict"])
def test_no_format_of_any_level_tells_a_credential(level: str, server: Server, tmp_path: Path) -> None:
    password, secret = tmp_path / "password", tmp_path / "secret"
    password.write_text(PASSWORD, encoding="utf-8")
    secret.write_text(CANARY_SECRET, encoding="utf-8")
    files = [tmp_path / f"out{suffix}" for suffix in (".json", ".html", ".md", ".txt", ".firewall")]
    outputs = [part for path in files for part in ("--output", path)]
    user = ("check-turn", server.turn_udp, server.turn_tcp, "--username", CANARY_USER, "--redact", level, "-vv")
    for way in (("--password-file", password), ("--secret-file", secret)):
        ran = rtcdiag(*user, *way, *outputs)
        assert ran.returncode in (0, 1), ran.stderr
        told = [ran.stdout, ran.stderr, *(path.read_text(encoding="utf-8") for path in files)]
        for word in (PASSWORD, CANARY_USER, CANARY_SECRET):
            assert not [text for text in told if word in text]
        assert level != "strict" or not [text for text in told[2:] if re.search(r'"name": ?"(lo|eth0)"', text)]


def test_packets_are_recorded_for_their_owner_alone(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "packets.pcapng"
    both = (server.turn_udp, server.turn_tcp)
    ran = rtcdiag("check-turn", *both, "--username", "ann", "--pcap", path, RTCDIAG_PASSWORD=PASSWORD)
    content = path.read_bytes()
    assert ran.returncode == 0
    assert str(path) in ran.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert content[:4] == b"\x0a\x0d\x0d\x0a"
    assert content.count(b"\x21\x12\xa4\x42") > 20, "STUN's magic cookie, of both transports"
    assert PASSWORD.encode() not in content


def test_packets_that_could_not_be_written_are_bad_input(server: Server, tmp_path: Path) -> None:
    ran = rtcdiag("check-stun", server.stun, "--pcap", tmp_path / "nowhere" / "packets")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "--pcap" in ran.stderr


def test_several_files_are_written_each_in_its_format(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old", encoding="utf-8")
    outputs = ("-o", tmp_path / "a.json", "-o", tmp_path / "b.html", "-o", f"markdown={tmp_path / 'c.ticket'}")
    ran = rtcdiag("check-stun", server.stun, "--quiet", *outputs)
    assert ran.returncode == 0
    assert ran.stdout.count("\n") == 1
    assert ran.stdout.startswith("healthy: ")
    assert ran.stderr == ""
    valid((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (tmp_path / "b.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "c.ticket").read_text(encoding="utf-8").startswith("#")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.html", "c.ticket"]


def test_what_cannot_be_written_or_read_is_said_before_anybody_is_contacted(
    silent: socket.socket, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    bad: list[tuple[str, str | Path]] = [
        ("--output", tmp_path / "missing" / "x.json"),
        ("--output", tmp_path / "x.pdf"),
        ("--output", tmp_path),
        ("--reports-dir", tmp_path / "file"),
        ("--ca-file", tmp_path / "file"),
        ("--server", "turn://example.org"),
        ("--port", "99999"),
    ]
    for option in bad:
        ran = rtcdiag("report", "--server", stun_at(silent), "--reports-dir", tmp_path / "reports", *option)
        assert (ran.returncode, ran.stdout) == (2, ""), option
        assert ran.stderr.startswith("rtcdiag: "), option
        assert ran.stderr.count("\n") == 1, option
    silent.setblocking(False)
    with pytest.raises(BlockingIOError):
        silent.recv(2048)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_a_partial_report(
    number: signal.Signals, code: int, silent: socket.socket, tmp_path: Path
) -> None:
    command: list[str | Path] = [RTCDIAG, "report", "--server", stun_at(silent), "--json", "--reports-dir", tmp_path]
    bounds = ["--timeout", "50", "--deadline", "60"]
    with subprocess.Popen(
        [*command, *bounds],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    ) as process:
        silent.recv(2048)  # the run is under way
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == code
    assert valid(out)["interrupted"] is True
    assert "Traceback" not in err
    saved = next(tmp_path.glob("*.json"))
    assert json.loads(saved.read_text(encoding="utf-8")) == json.loads(out)


def test_a_silent_server_is_given_up_at_the_deadline(silent: socket.socket) -> None:
    began = time.monotonic()
    ran = rtcdiag("check-stun", stun_at(silent), "--timeout", "50", "--deadline", "1", "--json")
    assert time.monotonic() - began < 15
    assert ran.returncode == 3
    assert valid(ran.stdout)["interrupted"] is False


def test_a_pipe_that_its_reader_closed_is_silent(server: Server) -> None:
    ends = [(["--help"], 0), (["explain"], 0), (["schema"], 0), (["check-turn", server.turn_udp, "--json"], 1)]
    for args, code in ends:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            ran = subprocess.run([RTCDIAG, *args], stdout=pipe, stderr=subprocess.PIPE, timeout=30, check=False)
        assert (ran.returncode, ran.stderr) == (code, b""), args


def test_a_full_disk_is_one_line_and_a_failure_of_the_program() -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run([RTCDIAG, "schema"], stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
    assert (ran.returncode, ran.stderr) == (3, b"rtcdiag: standard output: No space left on device\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_is_not_utf_8_is_no_reason_to_crash(server: Server, encoding: str) -> None:
    for args in (["check-stun", server.stun, "-vv"], ["explain"], ["show", "-", "--format", "markdown"]):
        saved = rtcdiag("check-stun", server.stun, "--json").stdout if args[0] == "show" else ""
        environment = {**os.environ, **ENVIRONMENT, "PYTHONIOENCODING": encoding}
        ran = subprocess.run(
            [RTCDIAG, *args], input=saved.encode(), capture_output=True, timeout=30, check=False, env=environment
        )
        assert (ran.returncode, ran.stderr) == (0, b""), args


def on_terminal(
    command: list[str], *, typed: bytes = b"", environment: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Run a command on a terminal of its own; what is typed is sent once it asks. Return exit code and screen."""
    pid, terminal = pty.fork()
    if pid == 0:  # the child becomes the command
        child = {**os.environ, **ENVIRONMENT, **(environment or {})}
        os.execve(RTCDIAG, ["rtcdiag", *command], child)  # noqa: S606 - pty.fork is for this
    screen = b""
    until = time.monotonic() + 30
    while time.monotonic() < until and select.select([terminal], [], [], 30)[0]:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # what Linux says when the other end is closed
            break
        screen += data
        if not data:
            break
        if typed and b"not shown" in screen:
            os.write(terminal, typed)
            typed = b""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen


def test_a_password_is_prompted_for_on_a_terminal_and_not_echoed(server: Server) -> None:
    code, screen = on_terminal(["check-turn", server.turn_udp, "--username", "ann"], typed=(PASSWORD + "\n").encode())
    assert b"Password of ann" in screen
    assert PASSWORD.encode() not in screen
    assert code == 0


def test_a_terminal_gets_color_unless_it_is_not_wanted(server: Server) -> None:
    command = ["check-stun", server.stun]
    assert b"\x1b[" in on_terminal(command)[1]
    for environment in ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}):
        shown = on_terminal(command, environment=environment)[1]
        assert re.search(rb"\x1b\[[0-9;]*3[0-7]m", shown) is None, environment
    assert "\x1b[" in rtcdiag(*command, FORCE_COLOR="1").stdout
    assert "\x1b[" not in rtcdiag(*command).stdout


def test_progress_is_shown_on_a_terminal_only_and_leaves_nothing(server: Server) -> None:
    _, screen = on_terminal(["check-stun", server.stun])
    assert b"rtcdiag check-stun: asking 1 server" in screen
    assert rtcdiag("check-stun", server.stun).stderr == ""


def test_the_embedded_server_refuses_a_port_that_is_taken_with_one_line(server: Server) -> None:
    port = server.stun.rpartition(":")[2]
    ran = rtcdiag("serve", "stun", "--listen", "127.0.0.1", "--port", port)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert port in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_the_module_is_the_command_too() -> None:
    ran = subprocess.run([sys.executable, "-m", "rtcdiag", "--version"], capture_output=True, text=True, check=True)

    assert ran.stdout == f"rtcdiag {__version__}\n"
