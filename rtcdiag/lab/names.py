"""The name server on the lab's internet: Debian's dnsmasq, which knows the names that were given and no others."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rtcdiag.lab import linux
from rtcdiag.lab.answering import answers
from rtcdiag.lab.failure import LabError
from rtcdiag.lab.iproute import find
from rtcdiag.lab.plan import NAME_SERVER
from rtcdiag.lab.servers import Fork

PORT = 53
_READY_S = 15.0
_SCRATCH = "/tmp"  # noqa: S108 - a file system of the server's own is mounted there first
_QUESTION = bytes.fromhex("0001 0100 0001 0000 0000 0000 00 0001 0001")
"""Of type A about the root: whatever the answer is, the server is there."""


def start(names: Sequence[tuple[str, str]], fork: Fork) -> Callable[[], None]:
    """Start the server in the present network where there are names; return what waits until it answers."""
    if not names:
        return lambda: None
    program = find("dnsmasq", "dnsmasq-base")
    check = fork(lambda: _execute(program, names), "the name server")

    def wait() -> None:
        end = time.monotonic() + _READY_S
        while not answers(NAME_SERVER, PORT, _QUESTION):
            check()
            if time.monotonic() > end:
                raise LabError("the name server did not start")

    return wait


def _execute(program: str, names: Sequence[tuple[str, str]]) -> int:
    linux.own_mounts()
    linux.mount("tmpfs", _SCRATCH, "tmpfs")
    hosts = Path(_SCRATCH, "hosts")
    hosts.write_text("".join(f"{address} {name}\n" for name, address in names), encoding="ascii")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    os.execv(program, [program, *_options(hosts)])  # noqa: S606 - a program of the system


def _options(hosts: Path) -> list[str]:
    return [
        *("--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file"),
        *(f"--listen-address={NAME_SERVER}", "--bind-interfaces", "--user=", "--group="),
        *(f"--addn-hosts={hosts}", "--address=/#/"),
    ]
