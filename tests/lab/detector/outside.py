"""STUN servers on the lab's internet, honest and lying: `outside.py KIND@IP[,IP]:PORT[,PORT] …`.

It runs with a bare interpreter. A server with two addresses and two ports does RFC 5780. The kinds are those of `LIES`,
and `honest`.
"""

import selectors
import socket
import struct
import sys
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import NamedTuple

COOKIE = 0x2112A442
ELSEWHERE = 4444
"""A port from which an answer has to be thrown away."""
End = tuple[str, int]


class Server(NamedTuple):
    """One server; ``other`` is the address and the port that it says it has besides."""

    kind: str
    ips: tuple[str, ...]
    ports: tuple[int, ...]

    def diagonal(self, at: End) -> End | None:
        """Return the other address as seen from one of its own (RFC 5780 section 7.4)."""
        if len(self.ips) < 2:
            return None
        return self.ips[at[0] == self.ips[0]], self.ports[at[1] == self.ports[0]]


def attribute(kind: int, end: End, mask: int = 0) -> bytes:
    """Encode an address."""
    return struct.pack("!HHBBHI", kind, 8, 0, 1, end[1] ^ mask >> 16, int(IPv4Address(end[0])) ^ mask)


MAPPED: dict[str, Callable[[End], End]] = {
    "other-ip": lambda end: ("192.0.2.199", end[1]),
    "other-port": lambda end: (end[0], end[1] ^ 1),
    "private-address": lambda end: ("10.1.2.3", end[1]),
    "always-the-same": lambda _end: ("203.0.113.130", 40000),
    "own-address": lambda _end: ("198.51.100.10", 3478),
}
"""Lies about the mapped address."""
ONE_SIDED = {"primary-other-port": 0, "alternate-other-port": 1}
"""Which of its two addresses tells another port."""
CLAIMS: dict[str, Callable[[Server, End], End]] = {
    "alternate-same-ip": lambda _server, at: (at[0], at[1] + 1),
    "alternate-same-port": lambda server, at: (server.ips[-1], at[1]),
    "alternate-private": lambda _server, _at: ("10.9.8.7", 3479),
    "alternate-dead": lambda _server, _at: ("192.0.2.254", 3479),
    "alternate-of-another": lambda _server, _at: ("198.51.100.11", 3479),
}
"""Lies about the other address."""
CHANGES = ("ignores-change", "refuses-change", "drops-change", "changes-to-elsewhere", "drops-change-of-both")
"""What else a server does with CHANGE-REQUEST."""
OTHERS = ("answers-from-elsewhere", "wrong-origin", "wrong-mapped-only")
LIES = (*MAPPED, *ONE_SIDED, *CLAIMS, *CHANGES, *OTHERS)


def answer(server: Server, at: End, request: bytes, source: End) -> tuple[End, bytes] | None:
    """Return from where to answer, and what; None for nothing."""
    change = _number(request, 0x0003, 4) & 6
    other = server.diagonal(at)
    if change and _refuses(server, change):
        return None if server.kind.startswith("drops") else (at, _message(0x0111, request, b"\0\x09\0\x04\0\0\x04\x14"))
    leaves = at
    if change and other is not None and server.kind != "ignores-change":
        leaves = (other[0] if change & 4 else at[0], other[1])
    if server.kind == "answers-from-elsewhere" or (change and server.kind == "changes-to-elsewhere"):
        leaves = (at[0], ELSEWHERE)
    return leaves, _message(0x0101, request, _told(server, at, leaves, source))


def _told(server: Server, at: End, leaves: End, source: End) -> bytes:
    seen = MAPPED[server.kind](source) if server.kind in MAPPED else source
    if server.kind in ONE_SIDED and at[0] == server.ips[ONE_SIDED[server.kind]]:
        seen = MAPPED["other-port"](source)
    body = attribute(0x0020, seen, COOKIE)
    body += attribute(0x0001, ("10.5.5.5", 5) if server.kind == "wrong-mapped-only" else seen)
    other = CLAIMS[server.kind](server, at) if server.kind in CLAIMS else server.diagonal(at)
    if other is not None:
        body += attribute(0x802C, other)
        body += attribute(0x802B, ("192.0.2.222", 2222) if server.kind == "wrong-origin" else leaves)
    return body


def _refuses(server: Server, change: int) -> bool:
    if server.kind == "drops-change-of-both":
        return bool(change & 4)
    return server.kind in ("refuses-change", "drops-change") or len(server.ips) < 2


def _number(request: bytes, kind: int, size: int) -> int:
    """Return the number in an attribute, 0 where it is not there."""
    at = 20
    while at + 4 <= len(request):
        found, length = struct.unpack_from("!HH", request, at)
        if found == kind:
            return int.from_bytes(request[at + 4 : at + 4 + size])
        at += 4 + length + -length % 4
    return 0


def _message(kind: int, request: bytes, body: bytes) -> bytes:
    return struct.pack("!HHI", kind, len(body), COOKIE) + request[8:20] + body


def _parsed(text: str) -> Server:
    kind, _, where = text.partition("@")
    ips, _, ports = where.partition(":")
    return Server(kind, tuple(ips.split(",")), tuple(map(int, ports.split(","))))


def main() -> None:
    """Serve until killed."""
    selector, sockets = selectors.DefaultSelector(), dict[End, socket.socket]()
    for server in map(_parsed, sys.argv[1:]):
        for end in [(ip, port) for ip in server.ips for port in (*server.ports, ELSEWHERE)]:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(end)
            sockets[end] = sock
            if end[1] != ELSEWHERE:
                selector.register(sock, selectors.EVENT_READ, (server, end))
    while True:
        for key, _ in selector.select():
            server, at = key.data
            request, source = sockets[at].recvfrom(2048)
            if len(request) >= 20 and request[:2] == b"\0\1":
                told = answer(server, at, request, source)
                if told is not None:
                    # RESPONSE-PORT (RFC 5780 section 7.5)
                    port = _number(request, 0x0027, 2) or source[1]
                    sockets[told[0]].sendto(told[1], (source[0], port))


if __name__ == "__main__":
    main()
