"""Proxies that lie, stall and flood: each has its own finding, in bounded time, and shows nothing raw."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lab.proxy.asking import Told, check_turn
from support.ca import Authority, Certificate
from support.coturn import coturn
from support.ports import free_port
from support.scripted import Close, Reply, Script, scripted_tcp, silence

pytestmark = pytest.mark.lab

DEAD = "turn:localhost:1?transport=tcp"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def says(*replies: Reply | Close) -> Script:
    return lambda _data, _source: replies


def through(port: int, directory: Path, *more: str | Path, scheme: str = "http", uri: str = DEAD) -> Told:
    proxy = f"{scheme}://ann:hunter2@localhost:{port}"
    # Loopback is asked through a proxy only where the option says so.
    told = check_turn(uri, directory, "--proxy", proxy, "--timeout", "1", *more)
    assert "hunter2" not in told.out + told.err
    assert "\x1b" not in told.out
    return told


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for sock in (source, sink):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _carry(accepted: socket.socket, to: int) -> None:
    """Answer CONNECT with a tunnel to the port that it names, or to another one."""
    with contextlib.suppress(OSError), accepted:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += accepted.recv(1)
        asked = int(head.split()[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", to or asked)) as onward:
            accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pipe, args=(onward, accepted), daemon=True)
            back.start()
            _pipe(accepted, onward)
            back.join()


def _listen(listening: socket.socket, context: ssl.SSLContext | None, to: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            accepted, _ = listening.accept()
            inner = context.wrap_socket(accepted, server_side=True) if context else accepted
            threading.Thread(target=_carry, args=(inner, to), daemon=True).start()


@contextlib.contextmanager
def connecting(certificate: Certificate | None = None, to: int = 0) -> Iterator[int]:
    """Run a proxy, over TLS with a certificate, that leads every tunnel to a port of this computer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
    if context and certificate:
        context.load_cert_chain(certificate.chain_file, certificate.key_file)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_listen, args=(listening, context, to), daemon=True).start()
        yield int(listening.getsockname()[1])


ENDLESS = b"X-More: " + b"y" * 1000 + b"\r\n"
CASES: dict[str, tuple[Sequence[Reply | Close], str]] = {
    "407": ([Reply(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n")], "proxy-rejects-login"),
    "407 for NTLM": ([Reply(b"HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\n\r\n")], "proxy-wants-login"),
    "403": ([Reply(b"HTTP/1.1 403 \x1b[31mNo\r\n\r\n")], "proxy-forbids-connect"),
    "405": ([Reply(b"HTTP/1.1 405 No\r\nAllow: GET\r\n\r\n")], "proxy-forbids-connect"),
    "redirect": ([Reply(b"HTTP/1.1 302 Go\r\nLocation: http://wifi.example\r\n\r\n")], "proxy-forbids-connect"),
    "502": ([Reply(b"HTTP/1.1 502 Bad\r\n\r\n")], "proxy-cannot-connect"),
    "503": ([Reply(b"HTTP/1.0 503 Bad\r\n\r\n")], "proxy-cannot-connect"),
    "silent": ([], "proxy-silent"),
    "half an answer": ([Reply(b"HTTP/1.1 20")], "proxy-silent"),
    "one byte a second": ([Reply(b"H"), Reply(b"T", 900), Reply(b"T", 900), Reply(b"P", 900)], "proxy-silent"),
    "hangs up": ([Close()], "proxy-hangs-up"),
    "resets": ([Close(reset=True)], "proxy-hangs-up"),
    "SSH": ([Reply(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")], "proxy-answers-garbage"),
    "SOCKS": ([Reply(b"\x05\xff"), Close(50)], "proxy-answers-garbage"),
    "bytes": ([Reply(bytes(range(256)) * 100)], "proxy-answers-garbage"),
    "endless headers": ([Reply(b"HTTP/1.1 200 OK\r\n"), *[Reply(ENDLESS)] * 100], "proxy-answers-garbage"),
    "endless interim": ([Reply(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)] * 100, "proxy-answers-garbage"),
    "tunnel without TURN": ([Reply(b"HTTP/1.1 200 OK\r\n\r\n")], "proxy-passes-no-turn"),
}


@pytest.mark.parametrize(("replies", "code"), CASES.values(), ids=CASES)
def test_each_way_to_give_no_tunnel_has_its_own_finding(
    replies: Sequence[Reply | Close], code: str, tmp_path: Path
) -> None:
    answered = list[bool]()

    def script(data: bytes, _source: tuple[str, int]) -> Sequence[Reply | Close]:
        if not data.startswith(b"CONNECT"):
            return ()
        answered.append(True)
        return replies

    began = time.monotonic()
    with scripted_tcp(script) as proxy:
        told = through(proxy.port, tmp_path)
    assert time.monotonic() - began < 15
    assert answered
    assert told.serious == {code, "server-tcp-refused"}
    assert told.returncode == 1


def test_a_proxy_over_tls_carries_tls_inside(authority: Authority, tmp_path: Path) -> None:
    certificate = authority.issue("localhost")
    with coturn(tmp_path / "coturn", certificate=certificate) as server, connecting(certificate) as port:
        for uri in (server.uri("turns", host="localhost"), server.uri("turn", "tcp")):
            told = through(port, tmp_path, "--ca-file", authority.ca_file, scheme="https", uri=uri)
            assert told.serious == set()
            assert told.rows == {False: "ok", True: "ok"}
        assert server.wait_until_empty()


def test_a_proxy_whose_certificate_nobody_knows_gets_no_login(authority: Authority, tmp_path: Path) -> None:
    with scripted_tcp(silence, certificate=authority.issue("localhost")) as proxy:
        told = through(proxy.port, tmp_path, scheme="https")
        assert proxy.received == []
    assert told.severities["proxy-tls-failed"] == "error"


def test_a_proxy_that_speaks_no_tls_where_its_url_says_so_is_named(tmp_path: Path) -> None:
    with scripted_tcp(says(Reply(b"HTTP/1.1 400 Bad\r\n\r\n"))) as proxy:
        told = through(proxy.port, tmp_path, scheme="https")
    assert told.severities["proxy-tls-failed"] == "error"


def test_a_proxy_that_shows_its_own_certificate_inside_the_tunnel_is_seen(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    mine = Authority(tmp_path / "other", "Inspector").issue("localhost")
    with coturn(tmp_path / "coturn", certificate=authority.issue("localhost")) as server:
        other = coturn(tmp_path / "inspected", certificate=mine)
        with other as inspector, connecting(to=inspector.tls_port) as port:
            told = through(port, tmp_path, "--ca-file", authority.ca_file, uri=server.uri("turns", host="localhost"))
    assert told.rows == {False: "ok", True: "failed"}
    assert told.severities["tls-unknown-authority"] == "warning"
    assert told.returncode == 0


def test_a_proxy_that_nobody_runs_is_unreachable(tmp_path: Path) -> None:
    told = through(free_port(), tmp_path)
    assert told.severities["proxy-unreachable"] == "error"


def test_an_option_that_names_no_proxy_gets_one_line(tmp_path: Path) -> None:
    for text in ("socks5://ann:hunter2@localhost:1", "http://ann:hunter2@:80", "ftp://hunter2"):
        told = check_turn(DEAD, tmp_path, "--proxy", text)
        assert (told.returncode, told.out, told.err.count("\n")) == (2, "", 1)
        assert told.err.startswith("rtcdiag: --proxy: ")
        assert "hunter2" not in told.err


def test_a_variable_that_names_another_kind_of_proxy_is_said_to_be_left_out(tmp_path: Path) -> None:
    told = check_turn(DEAD, tmp_path, env={"ALL_PROXY": "socks5://ann:hunter2@proxy.example:1080"})
    assert any("socks5://" in item["why"] for item in told.report["not_tested"])
    assert "hunter2" not in told.out
