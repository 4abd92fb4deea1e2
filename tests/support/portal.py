"""A web server that answers every request alike: honestly, as a sign-in page, or with what no browser would survive.

    python -S portal.py HOST PORT MODE

Runs inside namespaces of tests until it is ended. Only the standard library, so that a bare interpreter runs it.
"""

import gzip
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

LEADS_TO = "wifi.example.net"
_LOGIN = b"<html><body><form>Room and name, please</form></body></html>"


def _answer(status: str, *fields: bytes, content: bytes = b"") -> bytes:
    length = b"Content-Length: %d" % len(content)
    return b"\r\n".join([b"HTTP/1.1 " + status.encode(), length, *fields, b"", content])


def _honest(request: bytes) -> bytes:
    if b"generate_204" in request:
        return b"HTTP/1.1 204 No Content\r\n\r\n"
    return _answer("200 OK", b"Content-Type: text/plain", content=b"success\n")


def _through_a_proxy(request: bytes) -> bytes:
    return _honest(request).replace(b"\r\n", b"\r\nVia: 1.1 cache.example.net\r\nX-Cache: MISS\r\n", 1)


def _to_itself(request: bytes) -> bytes:
    host = next(line[6:] for line in request.split(b"\r\n") if line.lower().startswith(b"host: "))
    return _answer("302 Found", b"Location: http://" + host + b"/again")


def _whole(make: Callable[[bytes], bytes]) -> Callable[[bytes], Iterator[bytes]]:
    return lambda request: iter([make(request)])


def _drip(request: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 302 Found\r\nLocation: http://wifi.exam"
    for _ in request * 10:
        time.sleep(0.5)
        yield b"x"


def _big(_request: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"
    yield from [b"x" * 100_000] * 100


def _interim(_request: bytes) -> Iterator[bytes]:
    yield from [b"HTTP/1.1 100 Continue\r\n\r\n" * 1000] * 1000


def _silent(_request: bytes) -> Iterator[bytes]:
    time.sleep(20)
    yield b""


_BOMB = gzip.compress(bytes(50_000_000))
_ESCAPES = b"Location: http://\x1b[31m[red]{x}<script>\x07\x1b]0;owned\x07/\xff?password=hunter2"
MODES: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "honest": _whole(_honest),
    "proxy": _whole(_through_a_proxy),
    "redirect": _whole(
        lambda _: _answer("302 Found", f"Location: http://{LEADS_TO}/login?mac=00:11&token=xyz".encode())
    ),
    "login": _whole(lambda _: _answer("200 OK", content=_LOGIN)),
    "511": _whole(lambda _: _answer("511 Network Authentication Required", content=_LOGIN)),
    "forbidden": _whole(lambda _: _answer("403 Forbidden", content=b"Policy")),
    "empty": _whole(lambda _: _answer("200 OK")),
    "to-itself": _whole(_to_itself),
    "escapes": _whole(lambda _: _answer("302 Found", _ESCAPES)),
    "bomb": _whole(lambda _: _answer("200 OK", b"Content-Encoding: gzip", content=_BOMB)),
    "big": _big,
    "drip": _drip,
    "interim": _interim,
    "garbage": _whole(lambda _: bytes(range(256)) * 40),
    "many-fields": _whole(lambda _: b"HTTP/1.1 302 Found\r\n" + b"X: y\r\n" * 100_000),
    "hang-up": _whole(lambda _: b""),
    "silent": _silent,
}


def _serve(connection: socket.socket, mode: str) -> None:
    with connection:
        try:
            for part in MODES[mode](connection.recv(65536)):
                connection.sendall(part)
        except OSError:
            return


def main(host: str, port: str, mode: str) -> None:
    """Serve until the end."""
    listening = socket.create_server((host, int(port)))
    print("ready", flush=True)  # noqa: T201 - who starts it waits for this
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_serve, args=(connection, mode), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
