"""What a lab did with each packet, a line of JSON for each middlebox and its delivery: a measure for measurements."""

import os
import time
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Protocol

import msgspec

from rtcdiag.lab.middlebox import Emission, Side
from rtcdiag.lab.packet import ICMP, ICMP6, NO_PORT, TCP, UDP, Endpoint, Packet, parse

HEAD_BYTES = 48
"""So much of a packet's payload identifies it."""
_PROTOCOLS = {ICMP: "icmp", ICMP6: "icmp", TCP: "tcp", UDP: "udp"}
_DIRECTION = {Side.INSIDE: "up", Side.OUTSIDE: "down"}
_PLAIN_TCP = 20


class LosingBox(Protocol):
    """What `rtcdiag.lab.middlebox.Middlebox` is to the log."""

    lost: int

    def receive(self, side: Side, packet: bytes, now_s: float) -> list[Emission]:
        """Return what becomes of a packet that arrives on this side."""


class PacketLog:
    """Lines in a file to which several processes may append."""

    def __init__(self, file: int) -> None:
        """Take an open file descriptor."""
        self._file = file

    def write(self, line: dict[str, object]) -> None:
        """Append a line at once: whoever has the file open may be killed at any time."""
        os.write(self._file, msgspec.json.encode(line) + b"\n")

    def delivered(self, where: str, packet: bytes) -> None:
        """Write that a packet leaves the lab's wire now, towards a host or the internet."""
        parsed = parse(packet)
        if parsed is not None:
            self.write({"t_ns": time.monotonic_ns(), "box": where, "fate": "delivered", **_about(parsed)})


class LoggedBox:
    """A middlebox whose every decision is written down."""

    def __init__(self, box: LosingBox, name: str, log: PacketLog) -> None:
        """Take over a box and its place."""
        self._box, self._name, self._log = box, name, log

    def receive(self, side: Side, packet: bytes, now_s: float) -> list[Emission]:
        """Pass a packet through, and write what came of it."""
        emissions = self._box.receive(side, packet, now_s)
        parsed = parse(packet)
        if parsed is not None:
            fate = _fated(side, emissions, self._box.lost)
            self._log.write({"t_ns": round(now_s * 1e9), "box": self._name, **fate, **_about(parsed)})
        return emissions


def _about(packet: Packet) -> dict[str, object]:
    return {
        "protocol": _PROTOCOLS.get(packet.protocol, str(packet.protocol)),
        "src": _shown(packet.source),
        "dst": _shown(packet.destination),
        "size": len(packet.data),
        "head": _payload(packet)[:HEAD_BYTES].hex(),
    }


def _fated(side: Side, emissions: Sequence[Emission], lost: int) -> dict[str, object]:
    through = [emission for emission in emissions if emission.to is not side]
    out = parse(through[0].packet) if through else None
    return {
        "fate": _fate(emissions, through, lost),
        "direction": _DIRECTION[side],
        "delay_ms": [round(1000 * emission.delay_s, 6) for emission in through],
        "out_src": _shown(out.source) if out else None,
        "out_dst": _shown(out.destination) if out else None,
    }


def _fate(emissions: Sequence[Emission], through: Sequence[Emission], lost: int) -> str:
    """Return one word: what the line lost, the box did not let through, or answered itself, or how often it passed."""
    if not through:
        return "lost" if lost else "answered" if emissions else "blocked"
    return "forwarded" if len(through) == 1 else "duplicated"


def _shown(end: Endpoint) -> str:
    address, port = ip_address(end[0]), end[1]
    if port == NO_PORT:
        return str(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _payload(packet: Packet) -> bytes:
    """Return what is behind the transport header; of a later fragment, all that it has."""
    data, start = packet.data, packet.start
    if packet.later:
        return data[start:]
    if packet.protocol == TCP:
        words = data[start + 12] >> 4 if len(data) > start + 12 else 0
        return data[start + max(4 * words, _PLAIN_TCP) :]
    return data[start + 8 :]
