"""A fault, the command that meets it, and the one code that has to own the verdict.

A `Row` is a line of the matrix. Its set-up gets the `Lab`, whose servers start when a row first asks for them, and
returns what to run, through the installed command.
"""

import contextlib
import functools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import jsonschema

from rtcdiag.findings import STAGES
from rtcdiag.schema import report_schema
from support.ca import Authority, Certificate
from support.coturn import Coturn, coturn
from support.netns import NAME_SERVER, OTHER_SERVER, SERVER, SERVER6, Client, Namespace, Topology
from support.nft import Nat
from support.ports import free_port
from support.process import run, running
from support.scripted import Close, Reply, Script, Scripted, scripted_tcp, scripted_udp

COMMAND = Path(sys.executable).with_name("rtcdiag")
ALICE = ("alice", "wonderland")
PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80", "PYTHONWARNINGS": ""}
NAMES = {
    "turn.example.org": [SERVER],
    "both.example.org": [SERVER],
    "six.example.org": [SERVER, SERVER6],
    "inner.example.org": ["10.0.0.5"],
    "blocked.example.org": ["0.0.0.0"],
}


@dataclass(frozen=True)
class Asked:
    """A command line behind `rtcdiag`, and where it runs: here unless given."""

    words: tuple[str, ...]
    where: Namespace | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *more: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        prefix = self.where.prefix if self.where else ()
        return run([*prefix, COMMAND, *self.words, *more], timeout=40, env={**PLAIN, **self.env}, stdin=stdin)


@dataclass(frozen=True)
class Row:
    """What a fault has to look like in a report."""

    asked: Callable[["Lab"], Asked]
    code: str = ""
    """It owns the verdict; "" where there is nothing above info."""
    exit: int = 1
    stage: str = ""
    """The stage that is broken or warned about."""
    servers: tuple[str, ...] = ("failed",)
    """The status of each row of the servers' table."""
    beside: tuple[str, ...] = ()
    """Codes that have to stand beside it: facts and warnings."""
    tested: tuple[str, ...] = ("release",)
    """Stages behind the broken one that are tested all the same."""


class Lab:
    """Servers and networks, shared between rows."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority(directory)
        self._stack = contextlib.ExitStack()
        self._row = contextlib.ExitStack()
        self._ports = iter(range(3500, 9000, 10))
        self._relays = iter(range(20_000, 60_000, 50))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def one_row(self) -> Any:
        """Start nothing; what a row alone has, such as a scripted server, ends with the block."""
        self.heard: list[Scripted] = []
        with contextlib.ExitStack() as self._row:
            yield self

    # --- servers here ---

    @functools.cache  # noqa: B019 - one lab lives as long as the tests
    def coturn(self, *extra: str, **options: Any) -> Coturn:
        """Run coturn on loopback: UDP and TCP, and TLS with a certificate, if one is given."""
        directory = Path(tempfile.mkdtemp(dir=self.directory))
        return self._stack.enter_context(coturn(directory, extra=extra, **options))

    @functools.cache  # noqa: B019
    def certificate(self, *names: str, **options: Any) -> Certificate:
        """Issue a certificate for `localhost`, or other names."""
        return self.authority.issue(*(names or ("localhost",)), **options)

    @property
    def tls(self) -> Coturn:
        """The healthy server, which most rows ask."""
        return self.coturn(certificate=self.certificate())

    @functools.cache  # noqa: B019
    def secret(self) -> Coturn:
        """Run coturn with use-auth-secret."""
        return self.coturn(secret="north", users=())

    @functools.cache  # noqa: B019
    def embedded(self) -> list[str]:
        """Run the embedded server, and return the URIs that it prints: STUN, TURN over UDP, TURN over TCP."""
        users, log = self.file("alice:wonderland\n"), self.directory / "embedded.log"
        command: list[str | Path] = [
            COMMAND,
            "serve",
            "stun",
            "--port",
            "0",
            "--turn-users",
            users,
            "--allow-loopback-peers",
        ]
        process = self._stack.enter_context(running(command, log=log))
        while len(log.read_text().splitlines()) < 3:
            assert process.poll() is None, log.read_text()
        return log.read_text().splitlines()

    @functools.cached_property
    def port(self) -> int:
        """A port that nobody uses."""
        return free_port()

    def udp(self, script: Script, **options: Any) -> Scripted:
        """Run a scripted server over UDP, for one row."""
        self.heard.append(self._row.enter_context(scripted_udp(script, **options)))
        return self.heard[-1]

    def tcp(self, script: Script, *greeting: Reply | Close, **options: Any) -> Scripted:
        """Run a scripted server over TCP, or TLS with a certificate, for one row."""
        return self._row.enter_context(scripted_tcp(script, greeting=greeting, **options))

    def file(self, text: str) -> str:
        """Write a file, and return its name."""
        with tempfile.NamedTemporaryFile("w", dir=self.directory, delete=False) as written:
            written.write(text)
        return written.name

    # --- servers in namespaces ---

    @functools.cached_property
    def net(self) -> Topology:
        """The internet of namespaces, with a name server."""
        net = self._stack.enter_context(Topology())
        net.internet.ip("address add 10.0.0.5/24 dev wide")
        net.serve_names(NAMES, f"--host-record=both.example.org,{OTHER_SERVER}")
        return net

    @functools.cache  # noqa: B019
    def client(self, nat: Nat = "masquerade", rules: str = "") -> Client:
        """Add a computer behind a router, with rules of a firewall of its own."""
        client = self.net.client(nat)
        if rules:
            client.nft(rules)
        return client

    @functools.cached_property
    def without_ipv6(self) -> Client:
        """A computer behind a router, with IPv4 only."""
        return self.net.client("masquerade", ipv6=False)

    @functools.cached_property
    def alone(self) -> Namespace:
        """A computer that is connected to nothing."""
        return self.net.alone()

    @functools.cache  # noqa: B019
    def outside(self, *extra: str, rules: str = "", ports: int = 50, **options: Any) -> Coturn:
        """Run coturn on the internet of namespaces, on ports of its own.

        The rules of its firewall know them as PORT, RELAY and FIRST (of the relay ports), and hold once it answers.
        """
        port, relay = next(self._ports), next(self._relays)
        where: dict[str, Any] = {"listen": (SERVER,), "relay": (SERVER,), "prefix": self.net.internet.prefix}
        ranges = {"port": port, "tls_port": port + 2, "relay_ports": (relay, relay + ports - 1)}
        directory = Path(tempfile.mkdtemp(dir=self.directory))
        server = self._stack.enter_context(coturn(directory, extra=extra, **where | ranges | options))
        words = {"PORT": port, "RELAY": f"{relay}-{relay + ports - 1}", "FIRST": relay}
        if rules:
            self.net.internet.nft(
                functools.reduce(lambda text, word: text.replace(word, str(words[word])), words, rules)
            )
        return server


# --- what rows ask ---


def turn(
    lab: Lab,
    *uris: str,
    login: tuple[str, str] | None = ALICE,
    where: Namespace | None = None,
    trust: bool = True,
    more: Sequence[str] = (),
) -> Asked:
    """Return `check-turn` with a user's credentials; only IPv4 of names, because `localhost` is both."""
    only = () if where or any("[" in uri for uri in uris) else ("-4",)
    secure = trust and any(uri.startswith("turns") for uri in uris)
    trusted = ("--ca-file", str(lab.authority.ca_file)) if secure else ()
    env = {"RTCDIAG_USERNAME": login[0], "RTCDIAG_PASSWORD": login[1]} if login else {}
    return Asked(("check-turn", *uris, *only, *trusted, *more), where, env)


def stun(lab: Lab, *uris: str, where: Namespace | None = None, more: Sequence[str] = ()) -> Asked:
    """Return `check-stun`."""
    trust = ("--ca-file", str(lab.authority.ca_file)) if any(uri.startswith("stuns") for uri in uris) else ()
    only = () if where or any("[" in uri for uri in uris) else ("-4",)
    return Asked(("check-stun", *uris, *only, *trust, *more), where)


QUICK = ("--timeout", "0.5")
"""Where silence is the point."""


# --- what has to come out ---


class Told(dict[str, Any]):
    """A report."""

    def codes(self, *severities: str) -> list[str]:
        """Return the codes of its findings, or of those of some severities, the most important first."""
        found = [item for item in self["findings"] if not severities or item["severity"] in severities]
        return [item["code"] for item in found]


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(report_schema())


def report_of(done: "subprocess.CompletedProcess[str]") -> Told:
    """Read the report on standard output, and check that nothing else was said."""
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    told = Told(json.loads(done.stdout))
    _validator().validate(dict(told))
    return told


def check(row: Row, lab: Lab) -> Told:
    """Run a row, and compare what comes out."""
    with lab.one_row():
        done = row.asked(lab).run("--json")
    told = report_of(done)
    assert done.stderr == ""
    codes = told.codes()
    loud = told.codes("error", "warning")
    assert loud[:1] == ([row.code] if row.code and row.code not in told.codes("info") else []), codes
    assert set(told.codes("error")) <= {row.code}, codes
    assert not {*row.beside, row.code} - {*codes, ""}, codes
    assert done.returncode == row.exit
    assert tuple(item["status"] for item in told["servers"]) == row.servers
    for server in told["servers"]:
        _check_chain(server, row)
    return told


def _check_chain(server: Mapping[str, Any], row: Row) -> None:
    """Nothing is said of stages behind the broken one, and the broken one names the code."""
    stages = {item["stage"]: item for item in server["stages"]}
    assert list(stages) == [stage for stage in STAGES if stage in stages]
    broken = next((name for name, item in stages.items() if item["status"] == "failed"), None)
    if broken is None:
        return
    if row.stage:
        assert (broken, stages[broken]["finding"]) == (row.stage, row.code)
    behind = [name for name in list(stages)[list(stages).index(broken) + 1 :] if name not in row.tested]
    assert {stages[name]["status"] for name in behind} <= {"not-tested"}, stages


__all__ = [
    "ALICE",
    "NAMES",
    "NAME_SERVER",
    "QUICK",
    "Asked",
    "Lab",
    "Row",
    "Told",
    "check",
    "report_of",
    "stun",
    "turn",
]
