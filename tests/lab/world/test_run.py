"""`rtcdiag lab run`: what the command gets, and what becomes of its end, of signals and of mistakes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rtcdiag.lab.spec import presets
from support.lab import SERVER, behind, lab
from support.process import RTCDIAG, run
from support.terminal import on_a_terminal

pytestmark = pytest.mark.lab

COUNT_SIGNALS = """
import os, select, signal, sys
arrived, note = os.pipe()
os.set_blocking(note, False)
signal.set_wakeup_fd(note)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, lambda number, frame: None)
for _ in range(int(sys.argv[1])):
    print("ready", flush=True)
    seen = b""
    while select.select([arrived], [], [], 0.2 if seen else 20)[0]:
        seen += os.read(arrived, 1)
    print(*seen, flush=True)
sys.exit(9)
"""
"""Prints the number of each signal as often as it arrives, in so many rounds."""
GET = """
import sys, time, urllib.error, urllib.request
for _ in range(200):
    try:
        print(urllib.request.urlopen(sys.argv[1], timeout=15).status)
        break
    except urllib.error.URLError:
        time.sleep(0.05)
"""
"""Fetches a page from a server that may not have started yet."""
SERVE_ONE = """
import http.server, sys
http.server.HTTPServer(("198.51.100.130", 80), http.server.SimpleHTTPRequestHandler).handle_request()
sys.exit(6)
"""


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("exit 125", 125), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_the_exit_code_is_the_commands_own(script: str, code: int) -> None:
    done = lab("run", "--nat", "symmetric", "--", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_be_run_is_named(command: str, code: int) -> None:
    done = lab("run", "--", command)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"rtcdiag: cannot run {command}: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["run", "--nat", "nonsense", "--", "true"], "nonsense"),
        (["run", "--nat", "eim/apdf loss=150%", "--", "true"], "150%"),
        (["run", "--address", "1.2.3", "--", "true"], "1.2.3"),
        (["run", "--with", "nginx", "--", "true"], "nginx"),
        (["run", "--with", "coturn", "--with", "coturn", "--with", "coturn", "--", "true"], "--with"),
        (["run"], "COMMAND"),
        (["pair", "--a", "open", "--b", "nonsense", "--", "true"], "--b"),
        (["pair", "--", "true", "--and"], "--and"),
    ],
)
def test_bad_input_is_one_line_that_names_it(args: list[str], word: str) -> None:
    done = lab(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("program", "options"), [("turnserver", ["--with", "coturn"]), ("ip", [])])
def test_a_program_that_is_not_installed_is_named_and_the_lab_fails(program: str, options: list[str]) -> None:
    hide = f'mount --bind /dev/null "$(command -v {program})"; exec "$@"'
    wanted = [RTCDIAG, "lab", "run", "--nat", "symmetric", *options, "--", "true"]
    done = run(["unshare", "--mount", "sh", "-c", hide, "sh", *wanted])
    assert (done.returncode, done.stdout) == (125, "")
    assert f"{program} is not installed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_arguments_and_standard_input_and_output_are_the_commands() -> None:
    command = [
        RTCDIAG,
        "lab",
        "run",
        "--nat",
        "open",
        "--",
        "sh",
        "-c",
        'cat; printf "%s\n" "$@" --nat; echo no >&2',
        "sh",
    ]
    done = subprocess.run([*command, "--nat", "a b"], input="in\n", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("in\n--nat\na b\n--nat\n", "no\n")


def test_the_environment_tells_of_the_servers_and_of_none_without_any() -> None:
    script = 'env | grep -E "^RTCDIAG_(LAB|USERNAME|PASSWORD)" | cut -d= -f1'
    assert behind("open", "sh", "-c", script + "; true") == ""
    named = set(behind("open", "sh", "-c", script, options=("--with", "embedded", "--with", "coturn")).split())
    servers = {f"RTCDIAG_LAB_{kind}{tail}" for kind in ("STUN", "TURN") for tail in ("", "6", "6_2", "_2")}
    assert named == {*servers, "RTCDIAG_PASSWORD", "RTCDIAG_USERNAME"}


@pytest.mark.parametrize("server", ["embedded", "coturn"])
def test_both_servers_relay_over_both_families_for_the_user_of_the_environment(server: str) -> None:
    asking = f'{RTCDIAG} check-turn "$RTCDIAG_LAB_TURN" "$RTCDIAG_LAB_TURN6" "$RTCDIAG_LAB_TURN?transport=tcp" -q'
    assert behind("symmetric", "sh", "-c", asking, options=("--with", server)).startswith("healthy: 3 of 3")


def test_nothing_of_this_computer_or_beyond_is_reachable() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as here:
        port = here.getsockname()[1]
        script = f"""
import socket
for address in [("127.0.0.1", {port}), ("192.0.2.2", {port}), ("1.1.1.1", 443), ("2606:4700:4700::1111", 443)]:
    try:
        socket.create_connection(address, 3)
    except OSError as error:
        print(error.strerror)
try:
    socket.getaddrinfo("example.com", 443)
except OSError as error:
    print(error.strerror)
"""
        began = time.monotonic()
        refusals = behind("open", sys.executable, "-c", script).splitlines()
    assert refusals[0] == "Connection refused"
    assert set(refusals[1:4]) <= {"Network is unreachable", "No route to host"}
    assert len(refusals) == 5
    assert time.monotonic() - began < 10  # nobody waits for an answer that cannot come


def test_more_addresses_and_a_command_are_on_the_internet_of_the_lab() -> None:
    serve = f"{sys.executable} -m http.server --bind 1.1.1.1 80"
    options = ("--address", "1.1.1.1", "--internet", serve)
    assert behind("home-router", sys.executable, "-c", GET, "http://1.1.1.1", options=options) == "200\n"


def test_a_command_on_the_internet_that_fails_ends_the_lab() -> None:
    done = lab("run", "--internet", "exit 4", "--", "sleep", "20")
    assert done.returncode == 125
    assert done.stderr == "rtcdiag: the command on the internet ended early, with exit code 4\n"


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[str]]:
    args = [RTCDIAG, "lab", "run", "--nat", "symmetric", "--", *command]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_signal_is_passed_on_to_the_command_once(name: str, send: Callable[[int, int], None]) -> None:
    with started(sys.executable, "-c", COUNT_SIGNALS, "1") as process:
        send(process.pid, getattr(signal, name))
        out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == (f"{getattr(signal, name):d}\n", 9)


def test_a_command_that_a_signal_ends_gives_the_code_of_the_signal() -> None:
    with started("sh", "-c", "echo ready; exec sleep 30") as process:
        process.terminate()
        assert process.wait(20) == 143


def test_ctrl_c_on_a_terminal_reaches_the_command_once_each_time() -> None:
    rounds = 10
    with on_a_terminal(RTCDIAG, "lab", "run", "--", sys.executable, "-c", COUNT_SIGNALS, str(rounds)) as terminal:
        for _ in range(rounds):
            assert terminal.readline().strip() == "ready"
            terminal.write("\x03")
            assert terminal.readline().strip() == f"^C{signal.SIGINT:d}"
        assert terminal.wait() == 9


def test_both_of_a_pair_run_and_the_first_failure_is_the_exit_code() -> None:
    done = lab("pair", "--a", "open", "--b", "symmetric", "--", "sh", "-c", "echo $RTCDIAG_LAB_SIDE; exit 3")
    assert (sorted(done.stdout.split()), done.returncode) == (["a", "b"], 3)
    done = lab("pair", "--", "echo", "one", "--and", "sh", "-c", "echo two; exit 4")
    assert (sorted(done.stdout.split()), done.returncode) == (["one", "two"], 4)


def test_a_pair_reaches_each_other_where_nothing_is_in_the_way() -> None:
    get = [sys.executable, "-c", GET, "http://198.51.100.130"]
    done = lab("pair", "--a", "symmetric", "--", *get, "--and", sys.executable, "-c", SERVE_ONE)
    assert (done.stdout, done.returncode) == ("200\n", 6), done.stderr


def test_presets_are_listed_with_what_they_mean() -> None:
    done = lab("presets")
    assert done.returncode == 0
    assert {"symmetric", "cgnat", "hotel-wifi", "office-udp-blocked", "mobile-carrier"} <= set(done.stdout.splitlines())


@pytest.mark.parametrize("preset", presets())
def test_every_preset_lets_the_web_through(preset: str) -> None:
    serve = f"{sys.executable} -m http.server --bind {SERVER} 80"
    assert behind(preset, sys.executable, "-c", GET, f"http://{SERVER}", options=("--internet", serve)) == "200\n"
