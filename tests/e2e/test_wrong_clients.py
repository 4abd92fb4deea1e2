"""Clients that do everything wrong with a rendezvous, byte by byte: each gets an error, and nobody else is hindered."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from typing import Any

import msgspec
import pytest

from rtcdiag.rendezvous.limits import Limits, Rate
from rtcdiag.rendezvous.serving import SignalConfig, running
from rtcdiag.signaling.wire import MAX_MESSAGE_BYTES, Hello, Made, Problem
from support.rendezvous import Rendezvous, asked, serving

TOKEN, OTHER, THIRD = "a" * 22, "b" * 22, "c" * 22
UPGRADE = (
    "GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Rendezvous]:
    with serving() as rendezvous:
        yield rendezvous


def request(method: str, path: str, body: bytes = b"", *, token: str = TOKEN, headers: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def status(answer: bytes) -> int:
    return int(answer[9:12])


def problem(answer: bytes) -> Problem:
    return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2], type=Problem)


def new_room(port: int) -> str:
    answer = asked(port, request("POST", "/v1/rooms"))
    assert status(answer) == 201, answer
    return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2], type=Made).room


def text_frame(payload: bytes) -> bytes:
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + payload


# --- over HTTP ---


@pytest.mark.parametrize(
    ("sent", "code", "error"),
    [
        (b"\x00\xff garbage\r\n\r\n", 400, None),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000, 431, None),
        (b"GET /" + b"y" * 200_000, 431, None),
        (request("POST", "/v1/rooms", token="short"), 400, "bad-request"),
        (request("POST", "/v1/rooms", headers="Origin: https://evil.example\r\n"), 403, "other-origin"),
        (request("POST", "/v1/rooms", headers="Origin: null\r\n"), 403, "other-origin"),
        (request("GET", "/v1/rooms/nothing/events"), 404, "unknown-room"),
        (request("DELETE", "/v1/rooms/nothing"), 404, "unknown-room"),
        (request("GET", "/v2/rooms"), 404, "version"),
        (request("GET", "/a/b/c"), 404, "nothing-here"),
        (request("PUT", "/v1/rooms"), 405, "nothing-here"),
    ],
    ids=["garbage", "header", "path", "token", "origin", "null", "events", "leave", "version", "nowhere", "method"],
)
def test_a_wrong_request_gets_an_error(server: Rendezvous, sent: bytes, code: int, error: str | None) -> None:
    answer = asked(server.port, sent)
    assert status(answer) == code
    if error is not None:
        assert problem(answer).error == error


@pytest.mark.parametrize(
    ("query", "body", "code", "error"),
    [
        ("first=1", (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big") + bytes(MAX_MESSAGE_BYTES + 1), 413, "too-large"),
        ("first=1", bytes(1_000_000), 413, "too-large"),
        ("first=1", b"\xff\xff\xff\xff", 400, "bad-request"),
        ("first=2", b"", 409, "out-of-order"),
        ("first=-1", b"", 409, "out-of-order"),
        ("first=x", b"", 400, "bad-request"),
        ("", b"", 400, "bad-request"),
    ],
)
def test_a_wrong_message_is_refused_and_the_room_stays(
    server: Rendezvous, query: str, body: bytes, code: int, error: str
) -> None:
    room = new_room(server.port)
    path = f"/v1/rooms/{room}/messages?"
    answer = asked(server.port, request("POST", path + query, body))
    assert (status(answer), problem(answer).error) == (code, error)
    assert status(asked(server.port, request("POST", f"{path}first=1", b"\0\0\0\1x"))) == 200


def test_a_third_person_is_refused(server: Rendezvous) -> None:
    path = f"/v1/rooms/{new_room(server.port)}/messages?first=1"
    assert status(asked(server.port, request("POST", path, token=OTHER))) == 200
    answer = asked(server.port, request("POST", path, token=THIRD))
    assert (status(answer), problem(answer).error) == (409, "full")


@pytest.mark.parametrize("last", ["x", "-1", "1" * 20, "\xb2"])
def test_a_wrong_last_event_id_is_refused(server: Rendezvous, last: str) -> None:
    room = new_room(server.port)
    sent = request("GET", f"/v1/rooms/{room}/events", headers=f"Last-Event-ID: {last}\r\n")
    assert status(asked(server.port, sent)) == 400


def test_events_are_not_held_back_by_proxies_nor_readable_by_other_sites(server: Rendezvous) -> None:
    room = new_room(server.port)
    asked(server.port, request("POST", f"/v1/rooms/{room}/messages?first=1", b"\0\0\0\2hi", token=OTHER))
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
        sock.sendall(request("GET", f"/v1/rooms/{room}/events"))
        answer = b""
        while b"joined" not in answer:
            answer += sock.recv(4096)
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(row.lower().split(": ", 1) for row in head.decode().splitlines()[1:])
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["x-accel-buffering"] == "no"
    assert headers["cache-control"] == "no-store"
    assert not [name for name in headers if name.startswith("access-control") or name == "server"]
    assert b"id: 1\ndata: aGk=\n\n" in body


def test_a_person_who_opens_the_address_in_a_browser_is_told_what_to_do(server: Rendezvous) -> None:
    answer = asked(server.port, request("GET", f"/{new_room(server.port)}"))
    assert status(answer) == 200
    assert b"rtcdiag connect 'ADDRESS'" in answer


# --- over a WebSocket ---


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"garbage", "bad-request"),
        (b"[]" * 40, "bad-request"),
        (b"[" * 60_000, "bad-request"),
        (msgspec.json.encode(Hello(token="short")), "bad-request"),
        (msgspec.json.encode(Hello(token=TOKEN, room="nothing")), "unknown-room"),
        (msgspec.json.encode(Hello(token=TOKEN, version=9)), "version"),
    ],
)
def test_a_wrong_hello_gets_an_error(server: Rendezvous, sent: bytes, error: str) -> None:
    answer = asked(server.port, f"{UPGRADE}\r\n".encode(), text_frame(sent))
    # Longer than any frame may be: the protocol's own code for that, 1009.
    assert f'"error":"{error}"'.encode() in answer or (len(sent) > 32_768 and b"\x03\xf1" in answer)


def test_a_page_of_another_site_gets_no_websocket(server: Rendezvous) -> None:
    answer = asked(server.port, f"{UPGRADE}Origin: https://evil.example\r\n\r\n".encode())
    assert (status(answer), problem(answer).error) == (403, "other-origin")


def test_its_own_page_gets_one(server: Rendezvous) -> None:
    hello = text_frame(msgspec.json.encode(Hello(token="short")))
    answer = asked(server.port, f"{UPGRADE}Origin: {server.url}\r\n\r\n".encode(), hello)
    assert status(answer) == 101


@pytest.mark.parametrize("frame", [b"\x82\x81\0\0\0\0x", b"\x81\x81\0\0\0\0x", b"\x82\xff" + bytes(7) + b"\x01" * 8])
def test_wrong_frames_end_a_websocket_with_an_error(server: Rendezvous, frame: bytes) -> None:
    hello = text_frame(msgspec.json.encode(Hello(token=TOKEN)))
    answer = asked(server.port, f"{UPGRADE}\r\n".encode(), hello, frame)
    assert b'"error":"bad-request"' in answer or b"\x03\xf1" in answer[-60:] or b"\x03\xea" in answer[-60:]


# --- with bounds that a test can wait for ---


@contextlib.asynccontextmanager
async def bounded(**limits: Any) -> AsyncIterator[int]:
    """Serve in this process with other bounds; yield the port."""
    config = SignalConfig(bind=ip_address("127.0.0.1"), limits=Limits(**limits))
    async with running(config) as url:
        yield int(url.rpartition(":")[2])


def with_bounds(work: Any, **limits: Any) -> Any:
    async def run() -> Any:
        async with bounded(**limits) as port:
            return await asyncio.wait_for(asyncio.to_thread(work, port), 30)

    return asyncio.run(run())


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTT", request("POST", "/v1/rooms") + b"GET"],
    ids=["nothing", "half a header", "a second half"],
)
def test_a_header_that_does_not_come_is_given_up(sent: bytes) -> None:
    answer = with_bounds(lambda port: asked(port, sent.replace(b"Connection: close\r\n", b"")), request_s=0.3)
    assert b"HTTP/1.1 408 Request Timeout" in answer


def test_a_body_that_does_not_come_is_given_up() -> None:
    def ask(port: int) -> bytes:
        path = f"/v1/rooms/{new_room(port)}/messages?first=1"
        return asked(port, request("POST", path, b"xx").removesuffix(b"x"))

    answer = with_bounds(ask, request_s=0.3)
    assert (status(answer), problem(answer).error) == (408, "slow")


def test_a_body_without_end_behind_a_refusal_is_given_up() -> None:
    def ask(port: int) -> float:
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock, contextlib.suppress(OSError):
            sock.sendall(request("POST", "/v1/rooms/x/messages").replace(b"Length: 0", b"Length: 999999999"))
            while time.monotonic() - began < 9:
                sock.sendall(bytes(1000))
                time.sleep(0.01)
        return time.monotonic() - began

    assert with_bounds(ask, request_s=0.3) < 5


def test_a_hello_that_does_not_come_is_given_up() -> None:
    answer = with_bounds(lambda port: asked(port, f"{UPGRADE}\r\n".encode()), request_s=0.3)
    assert b'"error":"slow"' in answer


def test_too_many_connections_of_one_address_are_refused_and_counted_down_again() -> None:
    def ask(port: int) -> tuple[int, bytes, int]:
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            time.sleep(0.1)
            refused = asked(port, request("GET", "/"))
        time.sleep(0.2)
        return status(refused), refused, status(asked(port, request("GET", "/")))

    code, refused, after = with_bounds(ask, connections_per_address=3)
    assert (code, after) == (429, 200)
    assert b"retry-after: 10" in refused


def test_websockets_count_as_connections_and_are_counted_down_again() -> None:
    def ask(port: int) -> tuple[int, int]:
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
                sock.sendall(f"{UPGRADE}\r\n".encode())
                sock.recv(4096)
            refused = asked(port, request("GET", "/"))
        time.sleep(0.3)
        return status(refused), status(asked(port, request("GET", "/")))

    assert with_bounds(ask, connections_per_address=3) == (429, 200)


def test_too_many_requests_say_when_to_come_again() -> None:
    def ask(port: int) -> bytes:
        for _ in range(3):
            assert status(asked(port, request("POST", "/v1/rooms"))) == 201
        return asked(port, request("POST", "/v1/rooms"))

    answer = with_bounds(ask, requests_per_address=Rate(3, 0.1))
    assert (status(answer), problem(answer).error) == (429, "rate")
    assert 5 < (problem(answer).retry_after_s or 0) <= 10
    assert b"retry-after: 10" in answer.lower()


def test_who_does_not_read_loses_the_connection() -> None:
    def ask(port: int) -> bool:
        room = new_room(port)
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", port))
            sock.sendall(request("GET", f"/v1/rooms/{room}/events"))
            path = f"/v1/rooms/{room}/messages?first="
            batch = ((16_000).to_bytes(4, "big") + bytes(16_000)) * 4
            for first in range(1, 61, 4):
                answer = asked(port, request("POST", f"{path}{first}", batch, token=OTHER))
                assert status(answer) == 200
            time.sleep(2)
            sock.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                while sock.recv(65536):
                    pass
            return True

    assert with_bounds(ask, unread_s=0.5)


def test_a_flood_of_requests_on_one_connection_ends_it() -> None:
    def ask(port: int) -> bytes:
        flood = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50_000
        return asked(port, flood, most=1 << 30)

    assert with_bounds(ask).count(b"HTTP/1.1 200") < 1000


def test_a_silent_stream_has_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtcdiag.rendezvous.events.HEARTBEAT_S", 0.1)

    def ask(port: int) -> bytes:
        room = new_room(port)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(request("GET", f"/v1/rooms/{room}/events"))
            answer = b""
            while answer.count(b":\n\n") < 4:
                answer += sock.recv(4096)
        return answer

    assert with_bounds(ask).count(b":\n\n") >= 4


def test_a_room_of_people_who_vanished_leaves_nothing() -> None:
    def ask(port: int) -> int:
        room = new_room(port)
        for token in (TOKEN, OTHER):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                sock.sendall(request("GET", f"/v1/rooms/{room}/events", token=token))
                sock.recv(4096)
        time.sleep(2.5)
        return status(asked(port, request("POST", f"/v1/rooms/{room}/messages?first=1")))

    assert with_bounds(ask, quiet_s=0.5) == 404
