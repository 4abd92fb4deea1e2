"""The system's own ``ip``, for what it says best: addresses, links and routes."""

import os
import shutil
import subprocess
from functools import lru_cache

from rtcdiag.lab.failure import LabError

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


@lru_cache
def find(program: str, package: str) -> str:
    """Return where a program of the system is, also where the user's PATH has no sbin; raise LabError."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    if path is None:
        raise LabError(f"{program} is not installed (Debian's package {package} has it)")
    return path


def ip(*lines: str, keep: tuple[int, ...] = ()) -> None:
    """Carry out lines of ``ip`` in the present network namespace; raise LabError with its first complaint."""
    done = subprocess.run(  # noqa: S603 - a program of the system, its input made here
        [find("ip", "iproute2"), "-batch", "-"],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=False,
        pass_fds=keep,
    )
    if done.returncode:
        raise LabError(f"ip: {(done.stderr.splitlines() or ['failed'])[0]}")
