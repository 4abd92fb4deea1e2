"""Which codes this computer has used, whichever run it was: a small file in the user's state directory.

The file holds hashes only, for as long as the codes would be good otherwise, and no more than `MOST` of them. Where it
cannot be written, codes are remembered by this process alone.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from rtcdiag.signaling.code import SKEW_S
from rtcdiag.signaling.messages import Description

MOST = 512
_KEPT_S = 3600.0
"""How long a code is remembered that says nothing about its own time."""
_MAX_BYTES = 1 << 20


def state_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Return where this user's programs keep what is neither configuration nor cache; None where nobody says."""
    home, given = environ.get("HOME"), environ.get("XDG_STATE_HOME", "")
    match platform:
        case "win32":
            parent = environ.get("LOCALAPPDATA")
        case "darwin":
            parent = f"{home}/Library/Application Support" if home else None
        case _ if given.startswith("/"):  # others are to be ignored, says the XDG base directory specification
            parent = given
        case _:
            parent = f"{home}/.local/state" if home else None
    return Path(parent) / "rtcdiag" if parent else None


class UsedCodes:
    """The codes that were used; safe to ask from several processes at once."""

    def __init__(self, directory: Path | None) -> None:
        """Remember in a file of this directory, which is made when it is needed; None: in this process only."""
        self._directory = directory
        self._here: set[str] = set()

    def has(self, description: Description) -> bool:
        """Tell whether a code was used before."""
        name = _name(description)
        return name in self._here or name in _read(self._path)

    def claim(self, description: Description, now_s: float) -> bool:
        """Note that a code is used from now on; return whether it was not before. Of two at once, one gets True."""
        name = _name(description)
        if name in self._here:
            return False
        self._here.add(name)
        until_s = (description.expires_at_s or now_s + _KEPT_S) + SKEW_S
        try:
            return self._note(name, until_s, now_s)
        except OSError:
            return True

    def _note(self, name: str, until_s: float, now_s: float) -> bool:
        if self._directory is None or self._path is None:
            return True
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self._directory / "used-codes.lock"):
            known = _read(self._path)
            if name in known:
                return False
            left = sorted((until, each) for each, until in {**known, name: until_s}.items() if until > now_s)
            _replace(self._path, "".join(f"{each} {until:.0f}\n" for until, each in left[-MOST:]))
        return True

    @property
    def _path(self) -> Path | None:
        return self._directory / "used-codes" if self._directory is not None else None


def _name(description: Description) -> str:
    """Return what stands for a code: nobody learns from the file what sessions there were."""
    return hashlib.sha256(f"rtcdiag {description.role} {description.session}".encode()).hexdigest()[:32]


def _read(path: Path | None) -> dict[str, float]:
    """Return names and until when they are kept; what cannot be read is as good as empty."""
    if path is None:
        return {}
    try:
        with path.open("rb") as file:
            lines = file.read(_MAX_BYTES).decode("ascii", "replace").splitlines()
    except OSError:
        return {}
    words = (line.split() for line in lines)
    return {each[0]: float(each[1]) for each in words if len(each) == 2 and each[1].isdigit() and len(each[1]) < 12}


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process; another holds it for some milliseconds at most."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb+") as file:
        if sys.platform == "win32":  # tried on Linux only
            import msvcrt  # noqa: PLC0415 - there is none elsewhere

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - there is none on Windows

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
