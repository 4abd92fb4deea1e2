"""What the lab's NAT wrote down of the streams of ``check-turn --quality``, reckoned apart from the program."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

MAGIC = b"\xf4rtq"
RUN_IN = 48
STREAMS = {"round-trip 172": "a", "round-trip 1200": "a", "up 172": "internet", "down 172": "a"}
"""In the order of their numbers, and where their last way over UDP ends."""


@dataclass
class Logged:
    """One stream: the numbers of its packets, and when they were seen, in milliseconds."""

    sent: dict[int, float] = field(default_factory=dict)
    """When each first came to the NAT."""
    arrived: dict[int, float] = field(default_factory=dict)
    """When each was first delivered behind it, on the last way over UDP."""

    @property
    def lost(self) -> set[int]:
        return set(self.sent) - set(self.arrived)

    def lost_percent(self) -> float:
        return 100 * len(self.lost) / len(self.sent)

    def jitter_ms(self) -> float:
        """Return the mean of RFC 3550's estimate, in the order of arrival."""
        in_order = sorted(self.arrived, key=lambda number: self.arrived[number])
        trips = [self.arrived[number] - self.sent[number] for number in in_order]
        jitter, estimates = 0.0, []
        for before, now in pairwise(trips):
            jitter += (abs(now - before) - jitter) / 16
            estimates.append(jitter)
        return fmean(estimates[RUN_IN:])


def streams(log: Path) -> dict[str, Logged]:
    """Return the packets of each stream, as they were on UDP."""
    found = {name: Logged() for name in STREAMS}
    for line, stream, number in _packets(log):
        name = list(STREAMS)[stream]
        if line["fate"] != "delivered":
            found[name].sent.setdefault(number, line["t_ns"] / 1e6)
        elif line["box"] == STREAMS[name]:
            found[name].arrived.setdefault(number, line["t_ns"] / 1e6)
    return found


def session_stream(log: Path, stream: int, *, ends_at: str) -> Logged:
    """Return the packets of one end of a session, which go over UDP without ChannelData: 0 from the offerer."""
    found = Logged()
    for text in log.read_text(encoding="ascii").splitlines():
        line = json.loads(text)
        head = bytes.fromhex(line["head"])
        if line["protocol"] != "udp" or head[:4] != MAGIC or head[12] != stream:
            continue
        number = int.from_bytes(head[13:17])
        if line["fate"] != "delivered":
            found.sent.setdefault(number, line["t_ns"] / 1e6)
        elif line["box"] == ends_at:
            found.arrived.setdefault(number, line["t_ns"] / 1e6)
    return found


def _packets(log: Path) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Yield each line about a packet of a stream over UDP, with the numbers of stream and packet."""
    for text in log.read_text(encoding="ascii").splitlines():
        line = json.loads(text)
        head = bytes.fromhex(line["head"])
        if line["protocol"] == "udp" and head[:1] == b"\x40" and head[4:8] == MAGIC:
            yield line, head[16], int.from_bytes(head[17:21])
