"""``--pcap FILE``: the packets of a run, in a file that only its owner can read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rtcdiag.cli.files import check_writable, write_whole
from rtcdiag.cli.streams import OutputError, say

if TYPE_CHECKING:
    from rtcdiag.net.capture import Capture

_WARNING = "It holds addresses, user names and signed messages, from which a weak password can be guessed."


@contextmanager
def recorded(name: str | None, *, quiet: bool) -> "Iterator[Capture | None]":
    """Give what records the run, and write the file when the run ends; None where no file is asked for.

    Raises BadInputError before the run where the file could not be written, OutputError after it.
    """
    if name is None:
        yield None
        return
    from rtcdiag.net.capture import Capture

    path, capture = Path(name), Capture()
    check_writable(path, what="--pcap")
    yield capture
    try:
        write_whole(path, capture.content(), private=True)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None
    if not quiet:
        left_out = f" {capture.dropped} packets did not fit." if capture.dropped else ""
        say(f"Saved {path}.{left_out} {_WARNING}")
