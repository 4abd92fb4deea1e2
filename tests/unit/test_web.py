"""One HTTP answer out of bytes that nobody vouches for: bounded, undecoded, and never taken for what it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.net.web import MOST_CONTENT_BYTES, NotHttpError, WebAnswer, WebExchange
from rtcdiag.probes.web_check import host_of

HOST = "check.example"


def answer(*pieces: bytes) -> WebAnswer | None:
    exchange = WebExchange(HOST, "/204")
    exchange.request()
    for piece in pieces:
        found = exchange.receive(piece)
        if found is not None:
            return found
    return None


def test_the_request_names_the_host_and_asks_for_no_encoding() -> None:
    request = WebExchange(HOST, "/generate_204").request()

    assert request.startswith(b"GET /generate_204 HTTP/1.1\r\nHost: check.example\r\n")
    assert b"Accept-Encoding: identity\r\n" in request
    assert request.endswith(b"\r\n\r\n")


def test_no_content_is_an_answer_as_soon_as_its_head_is_there() -> None:
    assert answer(b"HTTP/1.1 204 No Content\r\n\r\n") == WebAnswer(204, None, b"")


def test_a_redirect_is_an_answer_whatever_content_it_promises() -> None:
    found = answer(b"HTTP/1.1 302 Found\r\nContent-Length: 99999\r\nLocation: http://wifi.example/\r\n\r\n")

    assert found == WebAnswer(302, "http://wifi.example/", b"")


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsuccess\n",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nsuccess\n\r\n0\r\n\r\n",),
        (b"HTTP/1.0 200 OK\r\n\r\nsucc", b"ess\n", b""),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", b"success\n"),
        tuple(bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsuccess\n"),
    ],
    ids=["length", "chunks", "until the end", "after an interim response", "byte by byte"],
)
def test_content_is_read_to_its_end(pieces: tuple[bytes, ...]) -> None:
    assert answer(*pieces) == WebAnswer(200, None, b"success\n")


def test_content_without_end_is_cut_off() -> None:
    found = answer(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 700] * 3)

    assert found == WebAnswer(200, None, b"x" * MOST_CONTENT_BYTES)


def test_compressed_content_stays_as_it_is() -> None:
    found = answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")

    assert found == WebAnswer(200, None, b"\x1f\x8b\x08\x00")


@pytest.mark.parametrize(
    "pieces",
    [
        (bytes(range(256)),),
        (b"SSH-2.0-OpenSSH_9.2\r\n", b""),
        (b"",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsucc", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000, b"X: y\r\n" * 5000),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n",),
    ],
    ids=["bytes", "SSH", "nothing", "cut off", "bad length", "many fields", "many interim responses", "a switch"],
)
def test_what_is_no_answer_is_not_taken_for_one(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(NotHttpError):
        answer(*pieces)


@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"\r\n", b"Location: x\r\n"])))
def test_no_bytes_do_anything_else(pieces: list[bytes]) -> None:
    try:
        found = answer(*pieces)
    except NotHttpError:
        return
    assert found is None or len(found.content) <= MOST_CONTENT_BYTES


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("http://WiFi.Example.net:8080/login?token=xyz", "wifi.example.net"),
        ("https://192.168.1.1/", "192.168.1.1"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("http://kim:hunter2@wifi.example/", "wifi.example"),
        ("//wifi.example/login", "wifi.example"),
        ("/login", HOST),
        ("", HOST),
        ("login.html", HOST),
        ("http://", ""),
        ("http://[", ""),
        ("http://\x1b[31mred/", ""),
        ("http://<script>/", ""),
        ("http://" + "a" * 300, ""),
        ("javascript:alert(1)", HOST),
    ],
)
def test_of_a_location_only_a_plain_host_is_kept(location: str, host: str) -> None:
    assert host_of(location, HOST) == host


@given(st.text())
def test_no_location_yields_more_than_a_host(location: str) -> None:
    assert set(host_of("http://" + location, HOST)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.:-")
