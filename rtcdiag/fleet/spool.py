"""The results of a run on disk, so that ten thousand take no more memory than ten."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rtcdiag.health.result import HealthResult, decoder, encoder

_BUFFER_BYTES = 1 << 20


class Spool:
    """A file without a name, a result a line; gone when it is closed, or this program ends."""

    def __init__(self) -> None:
        """Make the file where temporary ones are kept."""
        self._file = tempfile.TemporaryFile(buffering=_BUFFER_BYTES)  # noqa: SIM115 - closed by `close`

    def add(self, result: HealthResult) -> None:
        """Write a result behind the others; raise OSError where there is no room."""
        self._file.write(encoder.encode(result) + b"\n")

    def __iter__(self) -> Iterator[HealthResult]:
        """Yield all results, in the order in which they came; not while others are added."""
        self._file.seek(0)
        for line in self._file:
            yield decoder.decode(line)

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
