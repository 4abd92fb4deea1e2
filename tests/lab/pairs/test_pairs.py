"""What ``compare`` predicts from two reports is what two real agents achieve."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from support.pairs import BROWSER, DIAGONAL, FOR_BROWSERS, FURTHER, PAIRS, TRACKED, Outcome, Pair, attempt
from support.process import RTCDIAG

pytestmark = pytest.mark.lab
AT_ONCE = 4
"""The agents mostly wait."""


def _quickly(pair: Pair) -> Outcome:
    return attempt(Path(RTCDIAG), pair, tries=1, seconds=8.0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("pairs", [DIAGONAL, FURTHER, TRACKED[:2]], ids=["alike", "further", "tracked"])
def test_what_two_reports_predict_happens(pairs: list[Pair]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = dict(zip(pairs, pool.map(_quickly, pairs), strict=True))

    # On a machine that is busy with other tests, a report may leave something undetermined: not three times.
    for _ in range(2):
        outcomes |= {pair: _quickly(pair) for pair, outcome in outcomes.items() if outcome.is_unsure}
    wrong = {pair.name: outcome for pair, outcome in outcomes.items() if not outcome.agrees}
    assert wrong == {}


def _sample() -> list[ParameterSet]:
    """Return a pair that connects directly and one that does not; a browser is slow, so the others are."""
    return [
        pytest.param(pair, id=pair.name, marks=() if number < 2 else pytest.mark.slow)
        for number, pair in enumerate(FOR_BROWSERS)
    ]


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize("pair", _sample())
def test_what_two_reports_predict_happens_between_two_browsers(pair: Pair) -> None:
    outcome = attempt(Path(RTCDIAG), pair, tries=1, seconds=10.0, agent=BROWSER)

    assert outcome.agrees, outcome


@pytest.mark.slow
@pytest.mark.parametrize("pair", [*PAIRS, *TRACKED[2:]], ids=lambda pair: pair.name)
def test_what_two_reports_predict_happens_in_one_of_three_tries_or_in_none(pair: Pair) -> None:
    outcome = attempt(Path(RTCDIAG), pair)

    assert outcome.agrees, outcome


def test_the_matrix_has_every_unordered_pair() -> None:
    assert len(PAIRS) == len(set(PAIRS)) == 78
