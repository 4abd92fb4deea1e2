"""The lab that all rows share, once for each test process."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("lab.codes.asking")

from lab.codes.place import Lab  # noqa: E402 - after its assertions are made to speak


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
