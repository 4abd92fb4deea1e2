"""From two reports: can these two people reach each other directly, and the one change that would flip it."""

from rtcdiag.compare.comparison import Asked, Comparison, SideSummary, compare, encode
from rtcdiag.compare.predict import FamilyResult, PairPath

__all__ = ["Asked", "Comparison", "FamilyResult", "PairPath", "SideSummary", "compare", "encode"]
