"""Run `rtcdiag report` in five situations and keep what it says; see scripts/examples."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from support.ca import Authority
from support.coturn import coturn
from support.netns import OTHER_ALTERNATE, OTHER_SERVER, SERVER, SERVER6, SERVERS, SERVERS6, Topology
from support.nft import Nat

NAMES = {
    "stun.example.org": [SERVER],
    "stun.example.net": [OTHER_SERVER],
    "turn.example.org": [SERVER, SERVER6],
    "old.example.net": [OTHER_SERVER],
}
STUN = ("stun:stun.example.org", "stun:stun.example.net")
TURN = ("turn:turn.example.org?transport=udp", "turns:turn.example.org:443?transport=tcp")


@dataclass(frozen=True)
class Situation:
    """What is run where."""

    name: str
    nat: Nat
    servers: tuple[str, ...]
    password: str = "wonderland"


SITUATIONS = (
    Situation("healthy", "masquerade", (*STUN, *TURN)),
    Situation("symmetric-nat", "random", (*STUN, *TURN)),
    Situation("udp-blocked", "udp-blocked", (*STUN, *TURN)),
    Situation("wrong-password", "masquerade", (*STUN, TURN[0]), password="looking-glass"),
    Situation("expired-certificate", "masquerade", (*STUN, "turns:old.example.net:443?transport=tcp")),
)


def make(target: Path) -> None:
    """Write every example's three files into a folder."""
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        work = Path(temporary)
        net = stack.enter_context(Topology())
        net.serve_names(NAMES)
        authority = Authority(work)
        for listen, relay, certificate in (
            ((*SERVERS[:2], *SERVERS6), (SERVER, SERVER6), authority.issue("turn.example.org")),
            ((OTHER_SERVER, OTHER_ALTERNATE), (OTHER_SERVER,), authority.issue("old.example.net", days=(-93, -3))),
        ):
            directory = work / listen[0]
            stack.enter_context(
                coturn(
                    directory,
                    listen=listen,
                    relay=relay,
                    certificate=certificate,
                    tls_port=443,
                    prefix=net.internet.prefix,
                )
            )
        for situation in SITUATIONS:
            run(situation, net, work, authority.ca_file, target)


def run(situation: Situation, net: Topology, work: Path, ca_file: Path, target: Path) -> None:
    """Run one situation in fresh namespaces."""
    password = work / f"{situation.name}.password"
    password.write_text(situation.password)
    command: Sequence[str] = (
        "rtcdiag",
        "report",
        *(word for server in situation.servers for word in ("--server", server)),
        *("--username", "alice", "--password-file", str(password), "--ca-file", str(ca_file), "--no-control"),
        *("--reports-dir", str(work / "reports"), *outputs(target / situation.name)),
    )
    done = net.client(situation.nat).run(command, timeout=60)
    first, _, _ = done.stdout.partition("\n")
    print(f"{situation.name}: exit {done.returncode}: {first or done.stderr}")


def outputs(stem: Path) -> Iterator[str]:
    """Return the options that write one example's three files."""
    for suffix in (".json", ".html", ".md"):
        yield from ("--output", f"{stem}{suffix}")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
