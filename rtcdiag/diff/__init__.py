"""What changed between two reports of one network or service: a pure function of them."""

from rtcdiag.diff.difference import Asked, Difference, Summary, decode, diff, encode
from rtcdiag.diff.findings import FindingChange
from rtcdiag.diff.latency import LatencyChange
from rtcdiag.diff.value import Direction, ValueChange

__all__ = [
    "Asked",
    "Difference",
    "Direction",
    "FindingChange",
    "LatencyChange",
    "Summary",
    "ValueChange",
    "decode",
    "diff",
    "encode",
]
