"""A page is made no more often than its length asks for."""

import pytest

from rtcdiag.formats.fitting import FOLDS, HERE, LIMIT_BYTES, fitted

LONG = b'{"a":"%s"}' % (b"a" * LIMIT_BYTES)


@pytest.mark.parametrize(
    ("data", "each_row", "tried"),
    [(b"{}", 1, FOLDS[:1]), (LONG, 1, FOLDS[:1]), (b"{}", LIMIT_BYTES // 50, FOLDS[:5]), (LONG, LIMIT_BYTES, FOLDS)],
    ids=["short", "short when compressed", "short when folded", "never short"],
)
def test_a_page_is_made_once_for_each_number_of_rows_that_is_tried(
    data: bytes, each_row: int, tried: tuple[int, ...]
) -> None:
    made: list[int] = []

    def page(most: int) -> str:
        made.append(most)
        return f"{HERE}{'x' * each_row * most}"

    assert '"rtcdiag-report"' in fitted(page, data, "report")
    assert tuple(made) == tried
