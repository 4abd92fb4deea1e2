"""Another clock for one process, by the library of Debian's faketime.

The command `faketime` starts a child that outlives it when it is ended, so that servers are started with the library.
"""

from pathlib import Path


def shifted(by: str) -> tuple[str, ...]:
    """Return what starts a command with a clock that is off by `+2h` or the like; time goes by as ever."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return ("env", f"LD_PRELOAD={library}", f"FAKETIME={by}", "FAKETIME_DONT_FAKE_MONOTONIC=1")
