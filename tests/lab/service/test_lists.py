"""``--ice-servers https://…`` against real HTTPS servers: good lists, bad ones, and services that do not answer."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.service.asking import Told, check_turn
from support.ca import Authority, Certificate
from support.coturn import Coturn, coturn
from support.ports import free_port
from support.scripted import Close, Reply, Script, scripted_tcp
from support.services import Service, service

pytestmark = pytest.mark.lab

TOKEN, KEY = "token-hunter2", "key-hunter3"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


def always(replies: Sequence[Reply | Close]) -> Script:
    return lambda _data, _source: replies


def listing(server: Coturn) -> dict[str, Any]:
    entry = {"urls": [server.uri()], "username": "alice", "credential": "wonderland"}
    return {"body": json.dumps({"iceServers": [{"urls": "stun:localhost:1"}, entry]})}


def fetch(
    authority: Authority,
    where: Service,
    path: str,
    directory: Path,
    *more: str | Path,
    host: str = "localhost",
    fmt: str = "json",
) -> Told:
    token = directory / "token"
    token.write_text(f"{TOKEN}\n")
    url = f"https://{host}:{where.port}{path}?apiKey={KEY}"
    words = ("--ice-servers", url, "--ice-servers-token-file", token, "--ca-file", authority.ca_file, *more)
    told = check_turn(*words, fmt=fmt)
    for secret in (TOKEN, KEY, "wonderland"):
        assert secret not in told.out + told.err
    return told


@pytest.fixture
def asked(tmp_path: Path, certificate: Certificate, server: Coturn) -> Iterator[Service]:
    answers = {
        "/list": listing(server),
        "/again": {"status": 302, "headers": {"Location": "/list"}},
        "/circle": {"status": 307, "headers": {"Location": "/circle"}},
        "/http": {"status": 302, "headers": {"Location": "http://localhost/list"}},
        "/file": {"status": 302, "headers": {"Location": "file:///etc/passwd"}},
        "/login": {"status": 302, "headers": {"Location": "https://ann:hunter9@localhost/list"}},
        "/nowhere": {"status": 302},
        "/401": {"status": 401},
        "/500": {"status": 500, "body": "\x1b[31msecret stack trace"},
        "/page": {"body": "<html>Sign in</html>"},
        "/empty": {"body": '{"iceServers": []}'},
        "/stun": {"body": '{"iceServers": {"urls": "stun:localhost"}}'},
        "/bad": {"body": json.dumps({"ice_servers": [{"urls": ["turn://h"], "credential": "wonderland"}]})},
        "/long": {"body": "[" + " " * (1 << 20) + "]"},
        "/garbage-date": listing(server) | {"headers": {"Date": "yesterday, at noon"}},
        "/no-date": listing(server) | {"headers": {"Date": None}},
    }
    with service(tmp_path / "service", answers, certificate=certificate) as running:
        yield running


def test_a_list_is_fetched_with_the_token_and_its_servers_are_asked(
    authority: Authority, asked: Service, tmp_path: Path, server: Coturn
) -> None:
    told = fetch(authority, asked, "/list", tmp_path)
    assert told.returncode == 0
    assert told.serious == set()
    assert [row["uri"] for row in told.report["servers"]] == [server.uri()]
    assert asked.requests[0]["headers"]["Authorization"] == f"Bearer {TOKEN}"
    (seen,) = told.evidence("IceService")
    assert (seen["url"], seen["outcome"], seen["token"]) == (f"https://localhost:{asked.port}", "list", True)
    assert abs(told.report["environment"]["clock_offset_s"]) < 30


def test_no_format_and_no_verbosity_shows_a_secret(authority: Authority, asked: Service, tmp_path: Path) -> None:
    for fmt in ("text", "html", "markdown"):
        assert "localhost" in fetch(authority, asked, "/list", tmp_path, "-vv", fmt=fmt).out
    listed = fetch(authority, asked, "/list", tmp_path, "--list-contacts")
    assert f"https://localhost:{asked.port}" in listed.out


def test_a_redirect_on_the_same_host_is_followed_with_the_token(
    authority: Authority, asked: Service, tmp_path: Path
) -> None:
    assert fetch(authority, asked, "/again", tmp_path).serious == set()
    assert [request["headers"].get("Authorization") for request in asked.requests] == [f"Bearer {TOKEN}"] * 2


def test_a_redirect_to_another_host_gets_no_token(
    authority: Authority, certificate: Certificate, asked: Service, tmp_path: Path
) -> None:
    to = {"/": {"status": 301, "headers": {"Location": f"https://localhost:{asked.port}/list"}}}
    with service(tmp_path / "first", to, certificate=certificate) as first:
        told = fetch(authority, first, "/", tmp_path)
        assert first.requests[0]["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert told.serious == set()
    assert "Authorization" not in asked.requests[0]["headers"]


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/circle", "ice-service-leads-away", "more than 3 times"),
        ("/http", "ice-service-leads-away", "http://"),
        ("/file", "ice-service-leads-away", "file://"),
        ("/login", "ice-service-leads-away", "user name"),
        ("/nowhere", "ice-service-leads-away", "nowhere"),
        ("/401", "ice-service-refuses", "401"),
        ("/404", "ice-service-fails", "404"),
        ("/500", "ice-service-fails", "500"),
        ("/page", "ice-service-list-unusable", "$: not JSON"),
        ("/empty", "ice-service-list-unusable", "empty"),
        ("/stun", "ice-service-list-unusable", "no turn:"),
        ("/bad", "ice-service-list-unusable", "$.ice_servers[0].urls[0]"),
        ("/long", "ice-service-list-unusable", "longer than 1 MiB"),
    ],
)
def test_a_service_that_gives_no_list_is_a_finding(
    authority: Authority, asked: Service, tmp_path: Path, path: str, code: str, words: str
) -> None:
    told = fetch(authority, asked, path, tmp_path)
    assert told.serious == {code}
    assert words in told.title(code)
    assert told.returncode == 1
    assert "hunter9" not in told.out


@pytest.mark.parametrize("path", ["/garbage-date", "/no-date"])
def test_a_time_that_cannot_be_read_is_none(authority: Authority, asked: Service, tmp_path: Path, path: str) -> None:
    told = fetch(authority, asked, path, tmp_path)
    assert told.serious == set()
    assert told.report["environment"]["clock_offset_s"] is None


def test_a_certificate_that_nobody_knows_is_refused_before_the_token_is_sent(
    authority: Authority, asked: Service, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Another CA")
    told = fetch(other, asked, "/list", tmp_path)
    assert told.serious == {"ice-service-unreachable"}
    assert "tls-" in told.title("ice-service-unreachable")
    assert asked.requests == []
    named = fetch(authority, asked, "/list", tmp_path, host="127.0.0.1")
    assert named.serious == set()


def test_a_service_that_is_not_there_or_says_nothing_ends_in_bounded_time(
    authority: Authority, certificate: Certificate, tmp_path: Path
) -> None:
    nobody = Service(free_port(), tmp_path / "none")
    assert fetch(authority, nobody, "/list", tmp_path).serious == {"ice-service-unreachable"}
    head = b"HTTP/1.1 200 OK\r\n"
    slow = [Reply(head), *[Reply(b"X: y\r\n", 400)] * 40]
    endless = [Reply(head + b"\r\n"), *[Reply(b" " * 50_000)] * 100]
    hostile_ones: list[tuple[Sequence[Reply | Close], str]] = [
        ([], "ice-service-unreachable"),
        (slow, "ice-service-unreachable"),
        ([Reply(b"SSH-2.0-x\r\n\r\n"), Close(20)], "ice-service-unreachable"),
        ([Reply(head + b"X: y\r\n" * 100_000)], "ice-service-unreachable"),
        (endless, "ice-service-list-unusable"),
    ]
    for replies, code in hostile_ones:
        began = time.monotonic()
        with scripted_tcp(always(replies), certificate=certificate) as hostile:
            told = fetch(authority, Service(hostile.port, tmp_path), "/", tmp_path, "--timeout", "1")
        assert told.serious == {code}, replies[:1]
        assert time.monotonic() - began < 20


def test_http_is_asked_on_this_computer_only(server: Coturn, tmp_path: Path) -> None:
    with service(tmp_path / "plain", {"/": listing(server)}, certificate=None) as plain:
        told = check_turn("--ice-servers", f"http://localhost:{plain.port}/")
    assert told.serious == set()
    assert told.report["environment"]["clock_offset_s"] is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://ice.example.org/?k=hunter2", "write https://"),
        ("file:///etc/passwd", "only https://"),
        ("ftp://hunter2.example", "only https://"),
        ("https://ann:hunter2@ice.example.org/", "user name or password"),
        ("https://", "no host name"),
        ("https://ice.example.org:99999/hunter2", "port"),
        ("https://ice.example.org/hunter 2", "percent form"),
        ("https://höhe.example/", "host name"),
    ],
)
def test_a_url_that_is_not_to_be_asked_gets_one_line(url: str, why: str) -> None:
    told = check_turn("--ice-servers", url)
    assert (told.returncode, told.out, told.err.count("\n")) == (2, "", 1)
    assert why in told.err
    assert "hunter" not in told.err


@pytest.mark.parametrize("text", ["", "two\nlines\n", "with blank\n", "höhe\n"])
def test_what_is_no_token_gets_one_line_and_nobody_is_asked(text: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(text)
    told = check_turn("--ice-servers", "https://localhost:1/", "--ice-servers-token-file", token)
    assert (told.returncode, told.out, told.err.count("\n")) == (2, "", 1)
    alone = check_turn("turn:localhost:1", "--ice-servers-token-file", token)
    assert "needs --ice-servers https://" in alone.err
