"""What ``compare`` predicts from two reports is what two real agents achieve."""

from pathlib import Path

import pytest

from support.pairs import DIAGONAL, FURTHER, PAIRS, Pair, attempt
from support.process import RTCDIAG

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("pair", [*DIAGONAL, *FURTHER], ids=lambda pair: pair.name)
def test_what_two_reports_predict_happens(pair: Pair) -> None:
    outcome = attempt(Path(RTCDIAG), pair, tries=1, seconds=8.0)
    assert outcome.agrees, outcome


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_what_two_reports_predict_happens_in_one_of_three_tries_or_in_none(pair: Pair) -> None:
    outcome = attempt(Path(RTCDIAG), pair)
    assert outcome.agrees, outcome


def test_the_matrix_has_every_unordered_pair() -> None:
    assert len(PAIRS) == len(set(PAIRS)) == 78
