"""What several modules share."""

from collections.abc import Iterator

import pytest

from lab.detector.place import Place, place


@pytest.fixture(scope="module")
def internet() -> Iterator[Place]:
    """Yield an internet with everything that the default lists name."""
    with place() as net:
        yield net
