"""Coturn in an internet of its own, with somebody who audits it and somebody who sees every packet to a peer."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rtcdiag.audit.peers import PEERS
from support.coturn import Coturn, coturn
from support.netns import SERVER, SERVER6, Client, Topology

RTCDIAG = Path(__file__).parents[3] / ".venv" / "bin" / "rtcdiag"
SECRET = "k3Jd9fQpZ1vXw7Lr2Tn8Ym4Bc6Hs0GaE5uRi3Kl7"

# Counts what the server's computer sends to any peer of the list: over loopback too, and whatever the protocol.
_COUNT = """
table inet audit {{
  counter peers {{ }}
  chain sent {{
    type filter hook output priority -300; policy accept;
    ip saddr {server} udp sport 3478 accept
    ip daddr {{ {ipv4} }} meta mark set 0x1 counter name peers
    ip6 daddr {{ {ipv6} }} icmpv6 type != {{ 133, 134, 135, 136, 143 }} counter name peers
    ip6 daddr {{ {ipv6} }} meta l4proto {{ tcp, udp }} counter name peers
  }}
}}
"""

# Notes the time of every packet that the auditor sends.
_WATCH = """
import socket, struct, sys
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
sock.bind((sys.argv[1], 0))
sock.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS of Linux: the kernel's time, however busy this computer is
print("ready", flush=True)
while True:
    data, told, _, where = sock.recvmsg(2048, 128)
    seconds, nanoseconds = struct.unpack("=qq", told[0][2])
    at = seconds + nanoseconds / 1e9
    if where[2] != socket.PACKET_OUTGOING or data[12:14] != bytes.fromhex("0800"):
        continue
    start = 14 + 4 * (data[14] & 15)
    if data[23] == 17:
        print("udp", at, flush=True)
    elif data[23] == 6 and data[start + 13] & 2:
        print("syn", at, flush=True)
    elif data[23] == 6 and len(data) > start + 4 * (data[start + 12] >> 4):
        first = data[start + 4 * (data[start + 12] >> 4)]
        print("tls" if first == 22 else "data", at, flush=True)
"""


@dataclass
class Audited:
    """How one audit ended."""

    code: int
    report: dict[str, Any]
    stderr: str
    text: str
    took_s: float
    peer_packets: int
    sent: list[tuple[str, float]] = field(default_factory=list)
    left: int = 0
    """Allocations that are left on the server."""

    @property
    def codes(self) -> dict[str, str]:
        """The findings' codes with their severities."""
        return {item["code"]: item["severity"] for item in self.report["findings"]}

    @property
    def verdicts(self) -> dict[str, str]:
        return {row["check"]: row["verdict"] for row in self.report["audit"]}


@dataclass(frozen=True)
class Place:
    """A server, and the computer that audits it."""

    client: Client
    server: Coturn
    internet: Any
    directory: Path

    def command(self, *more: str | Path) -> list[str | Path]:
        uri = self.server.uri()
        return [RTCDIAG, "audit-turn", uri, "--i-own-this-server", "--timeout", "1", *more]

    def audit(self, *more: str | Path) -> Audited:
        """Run a whole audit, and count what it made the server and the auditor send."""
        kept = self.directory / "report.json"
        with self._watched() as sent:
            began = time.monotonic()
            done = self.client.run(self.command("-o", kept, *more), timeout=240, env={"COLUMNS": "80"})
            took_s = time.monotonic() - began
        report = json.loads(kept.read_text()) if kept.exists() else {}
        left = 0 if self.server.wait_until_empty() else self.server.allocations()
        return Audited(done.returncode, report, done.stderr, done.stdout, took_s, self.peer_packets(), sent, left)

    def peer_packets(self) -> int:
        listed = json.loads(self.internet.run(["nft", "-j", "list", "counters"]).stdout)
        return sum(item["counter"]["packets"] for item in listed["nftables"] if "counter" in item)

    @contextmanager
    def _watched(self) -> Iterator[list[tuple[str, float]]]:
        log, sent = self.directory / "watch.log", list[tuple[str, float]]()
        with self.client.running(["python3", "-S", "-c", _WATCH, "eth0"], log=log):
            end = time.monotonic() + 10
            while "ready" not in log.read_text() and time.monotonic() < end:
                threading.Event().wait(0.02)
            yield sent
        lines = [line.split() for line in log.read_text().splitlines()]
        sent += [(line[0], float(line[1])) for line in lines if len(line) == 2]


@contextmanager
def place(directory: Path, extra: Sequence[str] = (), **settings: Any) -> Iterator[Place]:
    """Run coturn with an IPv4 and an IPv6 address, and count what its computer sends to peers."""
    with Topology() as net:
        client = net.client("no-nat")
        by_family = {version: [str(peer.ip) for peer in PEERS if peer.ip.version == version] for version in (4, 6)}
        ipv6 = [text for text in by_family[6] if text not in ("::", "ff02::1")]
        here: dict[str, Any] = {"listen": (SERVER, SERVER6), "relay": (SERVER, SERVER6)}
        with coturn(directory, prefix=net.internet.prefix, extra=extra, **here | settings) as server:
            net.internet.nft(_COUNT.format(server=SERVER, ipv4=", ".join(by_family[4]), ipv6=", ".join(ipv6)))
            yield Place(client, server, net.internet, directory)


def at_once(jobs: dict[str, Any]) -> dict[str, Any]:
    """Run functions side by side: an audit is nearly always waiting."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        running: dict[str, Future[Any]] = {name: pool.submit(job) for name, job in jobs.items()}
        return {name: future.result() for name, future in running.items()}
