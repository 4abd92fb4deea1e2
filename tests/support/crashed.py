"""A TURN client that died: its allocation stays with the server until that lets it go."""

import contextlib
import socket
from collections.abc import Iterator

from rtcdiag.address import Family
from rtcdiag.stun.codec import decode
from rtcdiag.stun.request import Request
from rtcdiag.stun.turn import TurnClient, Wishes

_TRIES = 5


def _ask(sock: socket.socket, client: TurnClient, request: Request) -> str:
    for _ in range(_TRIES):
        sock.send(request.data)
        with contextlib.suppress(TimeoutError):
            return client.digest(request, decode(sock.recv(2048)))
    raise RuntimeError("the TURN server does not answer")


def _connected(server: tuple[str, int], port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(1.0)
    sock.bind(("", port))
    sock.connect(server)
    return sock


@contextlib.contextmanager
def crashed_client(host: str, port: int, *, username: str = "alice", password: str = "wonderland") -> Iterator[int]:
    """Allocate over UDP and close the socket without a word; the allocation is released when the block ends.

    The value is the local port, whose 5-tuple the server still knows.
    """
    client = TurnClient(username, password)
    with _connected((host, port), 0) as sock:
        local = int(sock.getsockname()[1])
        assert _ask(sock, client, client.allocate_request()) == "authenticate"
        assert _ask(sock, client, client.allocate_request(Wishes(family=Family.IPV4))) == "done"
    try:
        yield local
    finally:
        with _connected((host, port), local) as sock:
            while _ask(sock, client, request := client.refresh_request(0)) == "fresh-nonce":
                assert request.signed
