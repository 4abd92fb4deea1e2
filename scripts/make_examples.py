"""Run `rtcdiag report` in five situations of the lab and keep what it says; see scripts/examples.

`make_examples.py serve FOLDER` is what runs on the lab's internet: two coturns, with certificates made there.
"""

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from support.ca import Authority
from support.coturn import coturn
from support.process import RTCDIAG, run

SERVER, ALTERNATE, SERVER6, ALTERNATE6 = "203.0.113.10", "203.0.113.11", "2001:db8::10", "2001:db8::11"
OTHER_SERVER, OTHER_ALTERNATE = "198.51.100.10", "198.51.100.11"
NAMES = (
    f"stun.example.org={SERVER}",
    f"stun.example.net={OTHER_SERVER}",
    f"turn.example.org={SERVER}",
    f"turn.example.org={SERVER6}",
    f"old.example.net={OTHER_SERVER}",
)
STUN = ("stun:stun.example.org", "stun:stun.example.net")
TURN = ("turn:turn.example.org?transport=udp", "turns:turn.example.org:443?transport=tcp")
CA_FILE = "test-ca.pem"
WAIT = """
import os, pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Runs a command once a file exists."""


@dataclass(frozen=True)
class Situation:
    """What is run where."""

    name: str
    nat: str
    servers: tuple[str, ...]
    password: str = "wonderland"


SITUATIONS = (
    Situation("healthy", "linux-router", (*STUN, *TURN)),
    Situation("symmetric-nat", "symmetric", (*STUN, *TURN)),
    Situation("udp-blocked", "linux-router udp=53", (*STUN, *TURN)),
    Situation("wrong-password", "linux-router", (*STUN, TURN[0]), password="looking-glass"),
    Situation("expired-certificate", "linux-router", (*STUN, "turns:old.example.net:443?transport=tcp")),
)


def make(target: Path) -> None:
    """Write every example's three files into a folder."""
    for situation in SITUATIONS:
        with TemporaryDirectory() as temporary:
            print(report(situation, Path(temporary), target))


def report(situation: Situation, work: Path, target: Path) -> str:
    """Run one situation in a lab of its own; return what it came to, in a line."""
    password = work / "password"
    password.write_text(situation.password)
    command = (
        *(RTCDIAG, "report"),
        *(word for server in situation.servers for word in ("--server", server)),
        *("--username", "alice", "--password-file", str(password), "--ca-file", str(work / CA_FILE), "--no-control"),
        *("--reports-dir", str(work / "reports"), *outputs(target / situation.name)),
    )
    lab = (
        *(RTCDIAG, "lab", "run", "--nat", situation.nat, *(word for name in NAMES for word in ("--name", name))),
        *("--internet", shlex.join(("exec", sys.executable, __file__, "serve", str(work)))),
    )
    done = run([*lab, "--", sys.executable, "-S", "-c", WAIT, str(work / "ready"), *command], timeout=90)
    first, _, _ = done.stdout.partition("\n")
    return f"{situation.name}: exit {done.returncode}: {first or done.stderr}"


def outputs(stem: Path) -> Iterator[str]:
    """Return the options that write one example's three files."""
    for suffix in (".json", ".html", ".md"):
        yield from ("--output", f"{stem}{suffix}")


def serve(work: Path) -> None:
    """Be the servers until a signal comes."""
    authority = Authority(work)
    with ExitStack() as stack:
        for listen, relay, certificate in (
            ((SERVER, ALTERNATE, SERVER6, ALTERNATE6), (SERVER, SERVER6), authority.issue("turn.example.org")),
            ((OTHER_SERVER, OTHER_ALTERNATE), (OTHER_SERVER,), authority.issue("old.example.net", days=(-93, -3))),
        ):
            folder = work / listen[0]
            stack.enter_context(
                coturn(folder, listen=listen, relay=relay, certificate=certificate, tls_port=443, prefix=("env",))
            )
        (work / "ready").touch()
        signal.pause()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Path(sys.argv[2]))
    else:
        make(Path(sys.argv[1]))
