"""What a program behind a NAT learns from `witness.py` outside: `asker.py EXPERIMENT ARGUMENT…` prints JSON."""

import errno
import json
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SERVER = "203.0.113.10"
PORT, OTHER_PORT = 7001, 7002
IP_MTU_DISCOVER, DO, DONT = 10, 2, 0
IP_RECVERR, MSG_ERRQUEUE = 11, 0x2000


def udp(host: str = "0.0.0.0", port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    return sock


def ask(sock: socket.socket, port: int = PORT, tries: int = 40, **question: Any) -> Any:
    """Return the witness's answer, None without one; the first question waits until the witness is there."""
    for _ in range(tries):
        with suppress(ConnectionRefusedError):
            sock.sendto(json.dumps(question).encode(), (SERVER, port))
        sock.settimeout(0.25)
        with suppress(TimeoutError, ConnectionRefusedError):
            while (data := sock.recv(65535)) == b"unasked":
                pass
            return json.loads(data)
    return None


def seen(sock: socket.socket, port: int = PORT) -> tuple[str, int]:
    host, number = ask(sock, port)["source"]
    return host, number


def ports(count: str) -> list[tuple[int, int]]:
    """Return the local and the mapped port of each of so many sockets."""
    sockets = [udp() for _ in range(int(count))]  # all at once: a port that is closed may come again
    return [(sock.getsockname()[1], seen(sock)[1]) for sock in sockets]


def per_destination(count: str) -> list[list[int]]:
    """Return the mapped ports of each socket at two ports of the witness."""
    sockets = [udp() for _ in range(int(count))]
    return [[seen(sock, port)[1] for port in (PORT, OTHER_PORT)] for sock in sockets]


def collision() -> list[tuple[int, int]]:
    """Return the local and the mapped port of two inside addresses with one port, to one place and to two."""
    with udp("192.168.1.2", 40000) as one, udp("192.168.1.3", 40000) as other:
        return [(40000, seen(sock, port)[1]) for sock, port in ((one, PORT), (other, OTHER_PORT), (other, PORT))]


def unasked(port: str) -> list[int]:
    """Return the mapped port towards two places, where the second has sent something unasked before."""
    with udp() as sock:
        first = ask(sock, later=[0], **{"from": int(port)})["source"][1]
        time.sleep(0.1)
        return [first, seen(sock, OTHER_PORT)[1]]


def arrivals(later: str, again_ms: str = "") -> int:
    """Return how many of the packets arrive that the witness sends later, with a packet to it in between."""
    times = json.loads(later)
    with udp() as sock:
        ask(sock)
    with udp() as sock:
        sock.sendto(json.dumps({"later": times}).encode(), (SERVER, PORT))
        if again_ms:
            time.sleep(int(again_ms) / 1000)
            sock.sendto(b"#1", (SERVER, PORT))
        return _count(sock, max(times) / 1000 + 0.3)


def _count(sock: socket.socket, seconds: float) -> int:
    end, found = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        with suppress(TimeoutError):
            found += sock.recv(65535) == b"unasked"
    return found


def passes(port: str) -> str:
    """Return what becomes of a question to a port: answered, silence, or the name of the error."""
    with udp() as sock:
        sock.connect((SERVER, int(port)))
        sock.settimeout(0.5)
        for _ in range(40):
            try:
                sock.send(b"{}")
                sock.recv(65535)
            except TimeoutError:
                return "silence"
            except OSError as error:
                if error.errno != errno.ECONNREFUSED or port == "7":
                    return errno.errorcode[error.errno or 0]
                time.sleep(0.05)
            else:
                return "answered"
    return "ECONNREFUSED"


def connects(port: str) -> Any:
    """Return as whom the witness sees a connection, or the name of the error."""
    for _ in range(60):
        try:
            with socket.create_connection((SERVER, int(port)), 1) as sock:
                return json.loads(sock.recv(100))
        except ConnectionRefusedError:
            time.sleep(0.05)
        except TimeoutError:
            return "silence"
        except OSError as error:
            return errno.errorcode[error.errno or 0]
    return "ECONNREFUSED"


def large(size: str, *, fragment: str) -> Any:
    """Return the size at which a large question arrives: silence, or the name of the error where it cannot be sent."""
    with udp() as sock:
        ask(sock)
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DONT if fragment == "yes" else DO)
        text = json.dumps({"fill": ""})
        text = json.dumps({"fill": "x" * (int(size) - len(text))})
        sock.settimeout(0.5)
        try:
            for _ in range(2):
                sock.sendto(text.encode(), (SERVER, PORT))
                with suppress(TimeoutError):
                    return json.loads(sock.recv(65535))["size"]
        except OSError as error:
            return errno.errorcode[error.errno or 0]
    return "silence"


def flood(count: str) -> list[int]:
    """Return which of so many numbered packets the witness has seen, in their order of arrival."""
    with udp() as sock:
        ask(sock)
        for number in range(int(count)):
            sock.sendto(b"#%08d" % number, (SERVER, PORT))
            time.sleep(0.0005)
        time.sleep(0.3)
        found: list[int] = ask(sock, counted=True)
        return found


def hops() -> list[str]:
    """Return who says that a packet has used up one, two, … hops."""
    found = []
    with udp() as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        for ttl in range(1, 6):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            sock.sendto(b"#1", (SERVER, PORT))
            time.sleep(0.1)
            try:
                _, ancillary, _, _ = sock.recvmsg(1024, 1024, MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            if ancillary[0][2][4:7] != bytes((2, 11, 0)):  # ICMP, time exceeded
                break
            found.append(socket.inet_ntoa(ancillary[0][2][20:24]))
    return found


def own_address() -> list[Any]:
    """Return our own address, and what the witness has read of a question that contains it in binary."""
    with udp() as sock:
        ask(sock)
        with udp() as routed:
            routed.connect((SERVER, PORT))
            own = routed.getsockname()[0]
        sock.sendto(b'{"at": "' + bytes(socket.inet_aton(own)) + b'"}', (SERVER, PORT))
        return [own, json.loads(sock.recv(65535))["said"]]


def changes(wait_ms: str) -> list[int]:
    """Return the mapped port of a socket now and after so long."""
    with udp() as sock:
        first = seen(sock)[1]
        time.sleep(int(wait_ms) / 1000)
        return [first, seen(sock)[1]]


EXPERIMENTS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (arrivals, changes, collision, connects, flood, hops, own_address, passes, per_destination, ports)
} | {
    "unasked": unasked,
    "large": lambda size: large(size, fragment="no"),
    "fragmented": lambda size: large(size, fragment="yes"),
}

if __name__ == "__main__":
    # In one piece: both of a pair write to one pipe.
    sys.stdout.write(json.dumps(EXPERIMENTS[sys.argv[1]](*sys.argv[2:])) + "\n")
