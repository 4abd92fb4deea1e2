"""Files in and out: bounded reading, and writing that leaves either the old file or the whole new one."""

import codecs
import errno
import os
import select
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rtcdiag.cli.entry import BadInputError

STDIN = "-"
PIPE_S = 60.0
"""How long a named pipe may say nothing."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(name: str, *, what: str, limit: int) -> str:
    """Return a text file (``-`` is standard input); raise BadInputError where it cannot be read or is too long."""
    data = read_bytes(name, what=what, limit=limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = "UTF-16 text; save it as UTF-8" if data[:2] in _UTF_16 else f"not UTF-8 text (byte {error.start})"
        raise BadInputError(f"{what} {name}: {found}") from None


def read_bytes(name: str, *, what: str, limit: int) -> bytes:
    """Return a file of at most ``limit`` bytes; ``what`` is how an error calls it."""
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with open(name, "rb", opener=_opened) as file:
                data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise BadInputError(f"{what} {name}: {_why(error)}") from None
    if len(data) > limit:
        raise BadInputError(f"{what} {name}: longer than {limit} bytes")
    return data


def _opened(name: str, flags: int) -> int:
    """Open a file; where it is a named pipe, wait until somebody writes, but not for ever."""
    if not (hasattr(os, "O_NONBLOCK") and stat.S_ISFIFO(os.stat(name).st_mode)):  # noqa: PTH116 - a name of /dev/fd too
        return os.open(name, flags)
    opened = os.open(name, flags | os.O_NONBLOCK)
    if not select.select([opened], [], [], PIPE_S)[0]:
        os.close(opened)
        raise TimeoutError(errno.ETIMEDOUT, f"nobody wrote into this pipe for {PIPE_S:g} s")
    os.set_blocking(opened, True)
    return opened


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def check_writable(path: Path, *, what: str) -> None:
    """Raise BadInputError where a file could not be written later, as far as trying tells now."""
    if path.is_dir():
        raise BadInputError(f"{what} {path}: is a directory")
    if not path.parent.is_dir():
        raise BadInputError(f"{what} {path}: there is no directory {path.parent}")
    try:
        if _is_special(path):
            path.open("ab").close()
        else:
            with _beside(path):
                pass
    except OSError as error:
        raise BadInputError(f"{what} {path}: {_why(error)}") from None


def make_directory(path: Path, *, what: str) -> None:
    """Make a directory and those above it where they are missing, and check that files can be made in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"{what} {path}: {_why(error)}") from None
    check_writable(path / "report.json", what=what)


def write_whole(path: Path, data: bytes, *, private: bool = False) -> None:
    """Replace a file by the whole of ``data``, or leave it alone and raise OSError; a device is written to directly.

    With ``private`` nobody but its owner can read it, whatever its permissions were.
    """
    if _is_special(path):
        path.write_bytes(data)
        return
    target = path.resolve()  # a link stays a link
    with _beside(target) as temporary:
        if private:
            temporary.chmod(0o600)
        temporary.write_bytes(data)
        if target.exists() and not private:
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Replace a file by what comes piece by piece, once it is whole; a device is written to directly."""
    if _is_special(path):
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        return
    target = path.resolve()  # a link stays a link
    with _beside(target) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)


def write_new(directory: Path, stem: str, files: dict[str, bytes]) -> list[Path]:
    """Write files that share a stem and differ in suffix, under a name that none of them had before.

    Where ``stem.json`` or any other is taken, all are named ``stem-2``, then ``stem-3``, and so on.
    """
    paths = _reserve(directory, stem, tuple(files))
    written = False
    try:
        for path, data in zip(paths, files.values(), strict=True):
            write_whole(path, data)
        written = True
    finally:
        if not written:
            _remove(paths)
    return paths


def _reserve(directory: Path, stem: str, suffixes: tuple[str, ...]) -> list[Path]:
    for number in range(1, 10_000):
        name = stem if number == 1 else f"{stem}-{number}"
        taken: list[Path] = []
        try:
            for suffix in suffixes:
                path = directory / (name + suffix)
                path.open("xb").close()
                taken.append(path)
        except FileExistsError:
            _remove(taken)
        else:
            return taken
    raise FileExistsError(f"{directory / stem} and 9998 more are taken")


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    """Whether something stands there that must not be replaced by a file: a device, a pipe, a socket."""
    return path.exists() and not path.is_file()


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give an empty file in the same directory, which is gone afterwards unless it was moved away."""
    temporary = path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.tmp")
    temporary.open("xb").close()
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
