"""Commands run as the user ``nobody``, with no privilege but to read what tests need; Linux and root only."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

NOBODY = 65534
_ROOT = Path(__file__).parents[2]
_NEEDED = (Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), _ROOT)


def _closed(path: Path) -> Path | None:
    """Return the topmost directory above a path that others may not pass through."""
    return next((parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001), None)


def _opened() -> Iterator[str]:
    """Yield lines of a shell that show what is needed at its own place, and nothing else of what is beside it."""
    hidden = {path: place for path in _NEEDED if (place := _closed(path)) is not None}
    if not hidden:
        return
    yield "mount -t tmpfs none /mnt"
    for number, path in enumerate(hidden):
        yield f"mkdir /mnt/{number}; mount --bind {shlex.quote(str(path))} /mnt/{number}"
    for place in set(hidden.values()):
        yield f"mount -t tmpfs -o mode=755 none {shlex.quote(str(place))}"
    for number, path in enumerate(hidden):
        quoted = shlex.quote(str(path))
        yield f"mkdir -p {quoted}; mount --move /mnt/{number} {quoted}"
    yield "umount /mnt"


def as_nobody(command: Sequence[str | Path], *before: str) -> list[str]:
    """Return the command line that runs a command as nobody; `before` are lines that root's shell runs first."""
    drop = 'exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"'
    script = "\n".join([*_opened(), *before, "cd /", drop])
    return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script, "sh", *map(str, command)]
