"""A configuration that a service hands out: any form of it, and nothing that it does can hang or fool the check."""

import contextlib
import gzip
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.coturn import Coturn, coturn
from support.process import RTCDIAG, run
from support.services import service

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


def health(url: str, *words: str | Path) -> tuple[int, dict[str, Any], str]:
    done = run([RTCDIAG, "health", url, "--json", *words], timeout=40)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_a_list_of_a_service_is_checked_with_its_token(tmp_path: Path, server: Coturn) -> None:
    entry = {"uris": [server.uri()], "username": "alice", "password": "wonderland", "ttl": 300}
    (tmp_path / "token").write_text("s3cret")
    with service(tmp_path, {"/ice": {"body": json.dumps(entry)}}, certificate=None) as asked:
        code, told, _ = health(f"http://127.0.0.1:{asked.port}/ice", "--token-file", tmp_path / "token")
        assert asked.requests[0]["headers"]["Authorization"] == "Bearer s3cret"
    assert (code, told["targets"][0]["status"]) == (0, "ok")
    assert "s3cret" not in json.dumps(told)


ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "refuses": ({"status": 401}, "ice-service-refuses"),
    "fails": ({"status": 500}, "ice-service-fails"),
    "leads to a file": ({"status": 302, "headers": {"Location": "file:///etc/passwd"}}, "ice-service-leads-away"),
    "has no list": ({"body": '{"iceServers":[{"urls":"turn//a"}]}'}, "ice-service-list-unusable"),
    "is too long": ({"body": "[" + " " * (9 << 20) + "]"}, "ice-service-list-unusable"),
    "asks for the environment": ({"body": '[targets.a]\nurls = "turn:${HOME}"'}, "ice-service-list-unusable"),
    "is nested": ({"body": "[" * 100_000}, "ice-service-list-unusable"),
}


@pytest.mark.parametrize(("answer", "code"), ANSWERS.values(), ids=ANSWERS)
def test_a_service_that_gives_no_list_is_a_failure_of_its_own(
    tmp_path: Path, answer: dict[str, Any], code: str
) -> None:
    with service(tmp_path, {"/ice": answer}, certificate=None) as asked:
        returned, told, _ = health(f"http://127.0.0.1:{asked.port}/ice")
    (target,) = told["targets"]
    assert (returned, target["status"], target["finding"]) == (1, "failed", code)
    assert target["uri"] == f"http://127.0.0.1:{asked.port}"


def test_a_service_that_never_ends_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            conversation, _ = listener.accept()
            with conversation:
                conversation.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                try:
                    while True:
                        conversation.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        code, told, _ = health(f"http://127.0.0.1:{listener.getsockname()[1]}/ice", "--timeout", "0.5")
        thread.join(timeout=10)
    assert (code, told["targets"][0]["status"]) == (1, "failed")
    assert told["targets"][0]["finding"] in ("ice-service-list-unusable", "ice-service-unreachable")


ONE_BYTE = b"1\r\n \r\n" * 10_000
HOSTILE: dict[str, tuple[bytes, bytes, float]] = {
    "headers without end": (b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 4000 + b"\r\n", 0.0),
    "one header without end": (b"HTTP/1.1 200 OK\r\nX-Filler: ", b"x" * 65_536, 0.0),
    "a drop now and then": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" ", 0.05),
    "a header drop now and then": (b"HTTP/1.1 200 OK\r\n", b"x", 0.05),
    "chunks of one byte": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ONE_BYTE, 0.0),
    "a bomb": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n",
        gzip.compress(bytes(1 << 20)) * 64,
        0.0,
    ),
    "a status without end": (b"HTTP/1.1 200 ", b"O" * 65_536, 0.0),
    "interim answers without end": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, 0.0),
}


@pytest.mark.parametrize(("first", "then", "pause_s"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_service_is_given_up_in_bounded_time_and_memory_with_one_line(
    first: bytes, then: bytes, pause_s: float
) -> None:
    with never_ending(first, then, pause_s) as port:
        began_s = time.monotonic()
        command = [RTCDIAG, "health", f"http://127.0.0.1:{port}/ice", "--timeout", "0.4", "--format", "nagios"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            out, err = process.stdout.read(), process.stderr.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        took_s = time.monotonic() - began_s
    assert (process.returncode, err) == (2, "")
    assert "ice-service-" in out
    assert out.partition("|")[0].count("\n") <= 1
    assert took_s < 20
    assert used.ru_maxrss < 200 << 10, "200 MiB"


@contextlib.contextmanager
def never_ending(first: bytes, then: bytes, pause_s: float) -> Iterator[int]:
    """Answer the one who connects with the first bytes, and then with the others for as long as the block lasts."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            conversation, _ = listener.accept()
            with conversation, contextlib.suppress(OSError):
                conversation.sendall(first)
                while not over.wait(pause_s):
                    conversation.sendall(then)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join(timeout=10)
