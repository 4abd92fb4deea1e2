"""What was seen, in a sentence, and exactly which codes follow from it."""

from typing import NamedTuple

from rtcdiag.evidence import Evidence


class Case(NamedTuple):
    """Evidence, and all codes that it gives after consequences are left out."""

    evidence: Evidence
    codes: frozenset[str]


def case(evidence: Evidence, *codes: str) -> Case:
    return Case(evidence, frozenset(codes))
