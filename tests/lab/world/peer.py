"""What a program behind a NAT of the lab sees: `peer.py EXPERIMENT ARGUMENT…` prints JSON. No import but Python's."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

COOKIE = 0x2112A442
ECHO = 7
Address = tuple[str, int]


def udp(host: str = "0.0.0.0", port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    sock.settimeout(1.0)
    return sock


def mapped(sock: socket.socket, server: Address) -> Address:
    """Ask a STUN server for this socket's mapped address, up to five times."""
    for _ in range(5):
        sock.sendto(bytes.fromhex("000100002112a442") + os.urandom(12), server)
        try:
            answer = sock.recv(2048)
        except TimeoutError:
            continue
        at = answer.index(bytes.fromhex("00200008"), 20) + 6
        port = int.from_bytes(answer[at : at + 2]) ^ COOKIE >> 16
        host = int.from_bytes(answer[at + 2 : at + 6]) ^ COOKIE
        return socket.inet_ntoa(host.to_bytes(4)), port
    raise SystemExit("the server does not answer")


def mapping(servers: str, sockets: str) -> list[list[Address]]:
    """Return the mapped address of each new socket at each server."""
    found = []
    for _ in range(int(sockets)):
        with udp() as sock:
            found.append([mapped(sock, (server, 3478)) for server in servers.split(",")])
    return found


def hairpin(server: str) -> str | None:
    """Return as whom a socket sees another one here that sends to its mapped address."""
    with udp() as one, udp() as other:
        external = mapped(one, (server, 3478))
        own = mapped(other, (server, 3478))
        other.sendto(b"hairpin", external)
        try:
            _, source = one.recvfrom(100)
        except TimeoutError:
            return None
        return "mapped" if source == own else "local" if source[1] == other.getsockname()[1] else "another"


def echo(server: str) -> None:
    """Serve on the internet: send datagrams back."""
    with udp(server, ECHO) as sock:
        sock.settimeout(None)
        while True:
            sock.sendto(*sock.recvfrom(2048))


def times(server: str, count: str, gap_ms: str) -> list[float]:
    """Return the round-trip times of those of so many datagrams that came back, in ms."""
    sent: dict[int, float] = {}
    took: list[float] = []
    with udp() as sock:
        for number in range(int(count)):
            sent[number] = time.monotonic()
            sock.sendto(number.to_bytes(4), (server, ECHO))
            _receive(sock, sent, took, time.monotonic() + float(gap_ms) / 1000)
        _receive(sock, sent, took, time.monotonic() + 1)
    return took


def ping(address: str) -> str:
    """Return who answers an echo request, and how: echo, unreachable, …, or silence."""
    family, protocol = (socket.AF_INET6, 58) if ":" in address else (socket.AF_INET, 1)
    with socket.socket(family, socket.SOCK_RAW, protocol) as sock:
        sock.settimeout(0.5)
        sock.connect((address, 0))
        sock.send(_echo_request(protocol))
        with suppress(TimeoutError):
            while True:
                data = sock.recv(2048)[0 if protocol == 58 else 20 :]
                if data[0] in {0, 129}:
                    return "echo"
        return "silence"


def _echo_request(protocol: int) -> bytes:
    message = bytes((8 if protocol == 1 else 128, 0, 0, 0)) + os.getpid().to_bytes(4)
    # For ICMPv6 the kernel makes the checksum.
    total = sum(int.from_bytes(message[at : at + 2]) for at in range(0, len(message), 2))
    total = (total & 0xFFFF) + (total >> 16)
    return message[:2] + (0xFFFF - total).to_bytes(2) + message[4:]


def meet(server: str, directory: str) -> str:
    """Send to where the other side of a pair is mapped, told by a file, and return what comes from there."""
    side = os.environ["RTCDIAG_LAB_SIDE"]
    own, other = Path(directory, side), Path(directory, {"a": "b", "b": "a"}[side])
    with udp() as sock:
        own.with_suffix(".part").write_text(json.dumps(mapped(sock, (server, 3478))))
        own.with_suffix(".part").rename(own)
        while not other.exists():
            time.sleep(0.01)
        host, port = json.loads(other.read_text())
        sock.settimeout(0.04)
        heard = "nothing"
        for _ in range(25):
            sock.sendto(f"from {own.name}".encode(), (host, port))
            with suppress(TimeoutError):
                heard = sock.recv(100).decode()
        return heard


def _receive(sock: socket.socket, sent: dict[int, float], took: list[float], until: float) -> None:
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(100)
        except TimeoutError:
            return
        took.append((time.monotonic() - sent[int.from_bytes(data)]) * 1000)


EXPERIMENTS: dict[str, Callable[..., Any]] = {
    "mapping": mapping,
    "hairpin": hairpin,
    "echo": echo,
    "meet": meet,
    "ping": ping,
    "times": times,
}

if __name__ == "__main__":
    # In one piece: both of a pair write to one pipe.
    sys.stdout.write(json.dumps(EXPERIMENTS[sys.argv[1]](*sys.argv[2:])) + "\n")
