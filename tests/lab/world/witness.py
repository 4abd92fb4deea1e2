"""Serves on the internet of a lab and tells what it sees: `witness.py ADDRESS`. No import but Python's.

Over UDP it answers JSON with JSON, and counts what begins with "#". Over TCP it tells a client its address.
"""

import heapq
import json
import select
import socket
import sys
import time
from contextlib import suppress
from typing import Any

PORTS = (53, 7001, 7002)
TCP_PORTS = (80, 443)
Source = tuple[str, int]


class Witness:
    """What was seen so far, and what is still to be sent."""

    def __init__(self, host: str) -> None:
        self.udp = {port: _bound(socket.SOCK_DGRAM, host, port) for port in PORTS}
        self.tcp = [_bound(socket.SOCK_STREAM, host, port) for port in TCP_PORTS]
        self.counted: list[int] = []
        self.due: list[tuple[float, int, Source]] = []

    def serve(self) -> None:
        """Answer for ever."""
        for one in self.tcp:
            one.listen()
        while True:
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                _, port, to = heapq.heappop(self.due)
                self.udp[port].sendto(b"unasked", to)
            wait = max(0.0, self.due[0][0] - now) if self.due else None
            for ready in select.select([*self.udp.values(), *self.tcp], (), (), wait)[0]:
                self._accept(ready) if ready in self.tcp else self._hear(ready)

    @staticmethod
    def _accept(listener: socket.socket) -> None:
        connection, source = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(json.dumps(source).encode())

    def _hear(self, sock: socket.socket) -> None:
        data, source = sock.recvfrom(65535)
        if data.startswith(b"#"):
            self.counted.append(int(data[1:9]))
        else:
            question = json.loads(data) if data.isascii() else {}
            answer = json.dumps(self._answer(question, data, source)).encode()
            with suppress(OSError):
                sock.sendto(answer, source)

    def _answer(self, question: dict[str, Any], data: bytes, source: Source) -> Any:
        if "later" in question:
            for ms in question["later"]:
                heapq.heappush(self.due, (time.monotonic() + ms / 1000, question.get("from", PORTS[1]), source))
        if "counted" in question:
            return self.counted
        return {"source": source, "size": len(data), "said": data[:200].hex()}


def _bound(kind: int, host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    sock.bind((host, port))
    return sock


if __name__ == "__main__":
    Witness(sys.argv[1]).serve()
