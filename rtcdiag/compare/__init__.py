"""From two reports: can these two people reach each other directly, and the one change that would flip it."""

from rtcdiag.compare.comparison import Asked, Comparison, SideSummary, compare, decode, encode
from rtcdiag.compare.halves import ComparisonError
from rtcdiag.compare.outcome import REACHED
from rtcdiag.compare.predict import FamilyResult, PairPath
from rtcdiag.compare.session import JoinedPair, LearnedAddress, OneWay, PairEnd, PolicyResult, Session, SessionSide

__all__ = [
    "REACHED",
    "Asked",
    "Comparison",
    "ComparisonError",
    "FamilyResult",
    "JoinedPair",
    "LearnedAddress",
    "OneWay",
    "PairEnd",
    "PairPath",
    "PolicyResult",
    "Session",
    "SessionSide",
    "SideSummary",
    "compare",
    "decode",
    "encode",
]
