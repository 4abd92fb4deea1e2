"""Servers over TCP and TLS that are up to no good: one precise finding, in bounded time and memory."""

import itertools
import os
import socket
import ssl
import subprocess
import threading
import time
from typing import Any

import pytest

from lab.codes.asking import PLAIN, Asked, report_of, turn
from lab.codes.place import Lab
from support.process import RTCDIAG
from support.raw import Handler, inside_tls, raw_server, renegotiating
from support.scripted import tls_context

pytestmark = pytest.mark.lab

MOST_MS = 6000
"""Half as much again as a quiet machine may take."""
MOST_MIB = 200
COOKIE = bytes.fromhex("2112a442")
UNFINISHED = bytes.fromhex("0111fffc") + COOKIE
INDICATION = bytes.fromhex("00170000") + COOKIE + bytes(12)
ESCAPES = b"\x1b]0;owned\x07\x1b[31m"


def endless(piece: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        threading.Thread(target=drained, args=(connection,), daemon=True).start()
        while True:
            connection.sendall(piece * max(1, 16_384 // len(piece)))

    return handle


def asked_first(handler: Handler) -> Handler:
    """Wait for a request before the flood."""

    def handle(connection: socket.socket) -> None:
        connection.recv(2048)
        handler(connection)

    return handle


def drained(connection: socket.socket) -> None:
    try:
        while connection.recv(65_536):
            pass
    except (OSError, ValueError):
        return


def says(*pieces: bytes, pause_s: float = 0.0, greeting: bool = False) -> Handler:
    """Answer the first bytes with pieces, and then keep silent; a greeting waits for nothing."""

    def handle(connection: socket.socket) -> None:
        if not greeting:
            connection.recv(2048)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        drained(connection)

    return handle


def slowly(data: bytes) -> Handler:
    return says(*(data[i : i + 1] for i in range(len(data))), pause_s=1.0)


def half_closed(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    drained(connection)


def close_notify(connection: socket.socket) -> None:
    """Say goodbye inside TLS, and stay."""
    assert isinstance(connection, ssl.SSLSocket)
    connection.recv(2048)
    connection.settimeout(0.2)
    try:
        connection.unwrap()
    except OSError:
        time.sleep(MOST_MS / 1000)


def record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


TCP: dict[str, tuple[Handler, str]] = {
    "an endless stream of noise": (endless(b"\xff\xfe\xfd"), "answer-is-not-stun"),
    "an endless stream of zeros": (endless(bytes(16)), "answer-is-not-stun"),
    "an endless stream of escapes": (endless(ESCAPES), "answer-is-not-stun"),
    "endless ChannelData": (endless(bytes.fromhex("40000000")), "answer-is-not-stun"),
    "endless indications": (asked_first(endless(INDICATION)), "answer-does-not-match"),
    "a byte a second": (slowly(UNFINISHED), "stream-unfinished"),
    "a huge length": (says(UNFINISHED), "stream-unfinished"),
    "a huge length and some of it": (says(UNFINISHED + bytes(20_000)), "stream-unfinished"),
    "a banner before anything": (says(b"220 mail " + ESCAPES + b"\r\n", greeting=True), "answer-is-not-stun"),
    "a half that is closed": (half_closed, "stream-closed"),
}
BEFORE_TLS: dict[str, tuple[Handler, str]] = {
    "endless noise instead of a handshake": (endless(b"\xff"), "tls-on-plain-port"),
    "a banner before the handshake": (says(b"SSH-2.0-" + ESCAPES + b"\r\n", greeting=True), "tls-on-plain-port"),
    "a handshake of a byte a second": (slowly(record(22, b"\x02" + bytes(2000))), "tls-silent"),
    "a handshake that never goes on": (says(record(22, b"\x02\x00\xff\xff")), "tls-silent"),
    "a message of 16 MB": (endless(record(22, b"\x02\xff\xff\xff" + bytes(16_000))), "tls-certificates-too-large"),
    "endless warnings": (endless(record(21, b"\x01\x5a")), "tls-handshake-refused"),
    "endless empty records": (endless(record(22, b"")), "tls-handshake-refused"),
    "half closed before the handshake": (half_closed, "tls-handshake-cut-off"),
}
INSIDE_TLS: dict[str, tuple[Handler, str]] = {
    "endless noise inside": (endless(b"\xff\xfe\xfd"), "answer-is-not-stun"),
    "endless indications inside": (asked_first(endless(INDICATION)), "answer-does-not-match"),
    "a byte a second inside": (slowly(UNFINISHED), "stream-unfinished"),
    "a huge length inside": (says(UNFINISHED), "stream-unfinished"),
    "a goodbye without an end": (close_notify, "stream-closed"),
    "nothing at all": (drained, "stream-silent"),
}


def told_of(lab: Lab, uri: str, code: str) -> dict[str, Any]:
    """Run the command within its bounds; one finding, this one, is all that is wrong."""
    asked = turn(lab, uri)
    out, err, exit_code, most_mib = measured(asked)
    told = report_of(subprocess.CompletedProcess([], exit_code, out, err))
    assert told.codes("error") == [code], told.codes()
    assert (exit_code, err) == (1, "")
    assert told["duration_ms"] < MOST_MS
    assert most_mib < MOST_MIB
    text = asked.run("-vv")
    assert "\x1b" not in text.stdout + text.stderr
    assert "\x07" not in text.stdout
    return told


def measured(asked: Asked) -> tuple[str, str, int, float]:
    """Run a command; return its output, errors and exit code, and the most memory that it had, in MiB."""
    command = [RTCDIAG, *asked.words, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **PLAIN, **asked.env}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        # What is wrong is said in one line, so that one pipe after the other can be read.
        out, err = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return out, err, process.returncode, usage.ru_maxrss / 1024


@pytest.mark.parametrize("name", TCP)
def test_over_tcp(lab: Lab, name: str) -> None:
    handler, code = TCP[name]
    with raw_server(handler) as port:
        told_of(lab, f"turn:127.0.0.1:{port}?transport=tcp", code)


@pytest.mark.parametrize("name", BEFORE_TLS)
def test_before_tls_stands(lab: Lab, name: str) -> None:
    handler, code = BEFORE_TLS[name]
    with raw_server(handler) as port:
        told_of(lab, f"turns:localhost:{port}", code)


@pytest.mark.parametrize("name", INSIDE_TLS)
def test_inside_tls(lab: Lab, name: str) -> None:
    handler, code = INSIDE_TLS[name]
    with raw_server(inside_tls(tls_context(lab.certificate()), handler)) as port:
        told_of(lab, f"turns:localhost:{port}", code)


def test_a_flood_of_session_tickets(lab: Lab) -> None:
    context = tls_context(lab.certificate())
    context.num_tickets = 20_000
    with raw_server(inside_tls(context, drained)) as port:
        told_of(lab, f"turns:localhost:{port}", "stream-silent")


def test_renegotiation_without_end(lab: Lab) -> None:
    with raw_server(renegotiating(lab.certificate(), 100_000)) as port:
        told_of(lab, f"turns:localhost:{port}", "stream-closed")


def test_each_case_has_a_name_of_its_own() -> None:
    names = list(itertools.chain(TCP, BEFORE_TLS, INSIDE_TLS))
    assert len(names) == len(set(names))
