"""A pair of networks: what ``rtcdiag compare`` predicts from two reports, and what two real agents achieve.

The prediction sees nothing but the two reports, made in the same lab as the agents' tries.
"""

import json
import shlex
import subprocess
from itertools import combinations_with_replacement
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

AGENT = Path(__file__).with_name("ice_agent.py")
BROWSER = Path(__file__).with_name("browser_agent.py")
NATS = [f"{mapping}/{filtering}" for mapping in ("eim", "adm", "apdm") for filtering in ("eif", "adf", "apdf")]
NETWORKS = [*NATS, "none", "firewall", "udp=blocked"]
DELAY = "delay=20ms"
FAR = "delay=150ms"
"""So far that what both send at one moment crosses on the way, also where a busy computer is late with one."""
LIMIT_S = 300.0
MEANS = ("direct", "relay")
ORDERS = ("a", "b", "together")
"""Whose checks come first."""
BY_ORDER = "depends on the order of the first packets"
"""What a prediction says where that decides."""
STUN = ("$RTCDIAG_LAB_STUN", "$RTCDIAG_LAB_STUN6")


class Pair(NamedTuple):
    """Two sides, each a row of NATs from the inside out."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    shared: tuple[str, ...] = ()
    ipv6: bool = False
    by_order: bool = False
    """Whether the direct tries are made with either side first, and both at one moment."""
    turn_only: bool = False
    """Nobody is told a STUN server: the TURN server is asked for the mapped address too, as browsers do."""

    @property
    def name(self) -> str:
        """Return how it is called in a table."""
        sides = " - ".join("+".join(side) or "one network" for side in (self.a, self.b))
        behind = f" behind {'+'.join(self.shared)}" if self.shared else ""
        return sides + behind + " over IPv6" * self.ipv6 + " with TURN only" * self.turn_only

    @property
    def sides(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return each side with its NATs."""
        return (("a", self.a), ("b", self.b))

    @property
    def options(self) -> list[str]:
        """Return how the lab makes it."""
        rows = (("--a", self.a), ("--b", self.b), ("--shared", self.shared))
        delay = FAR if self.by_order else DELAY
        return [part for option, specs in rows for spec in specs for part in (option, _spec(spec, delay))]


PAIRS = [Pair((one,), (two,)) for one, two in combinations_with_replacement(NETWORKS, 2)]
"""The 78 unordered pairs."""
DIAGONAL = [pair for pair in PAIRS if pair.a == pair.b]
FURTHER = [
    Pair(("eim/apdf", "eim/eif"), ("eim/apdf",)),
    Pair(("eim/eif", "apdm/apdf"), ("eim/adf",)),
    Pair(("eim/apdf", "cgnat"), ("symmetric",)),
    Pair((), (), ("eim/apdf",)),
    Pair((), (), ("apdm/apdf",)),
    Pair((), (), ("udp=blocked",)),
    Pair(("firewall",), ("firewall",), ipv6=True),
    Pair(("apdm/apdf",), ("apdm/apdf",), ipv6=True),
    Pair(("apdm/apdf",), ("eim/apdf",), ipv6=True),
    Pair(("eim/apdf",), ("eim/adf",), turn_only=True),
    Pair(("apdm/apdf",), ("eim/apdf",), turn_only=True),
    Pair(("adm/adf",), ("eim/apdf",), turn_only=True),
]
"""Double NAT, one network, IPv6, TURN only."""
TRACKED = [
    Pair(("linux-router",), (other,), by_order=True)
    for other in ("eim/apdf", "linux-router", "eim/adf", "eim/eif", "symmetric", "firewall", "none")
]
"""A NAT of which an unasked packet costs a port, as Linux' masquerade where the router accepts such packets."""
FOR_BROWSERS = [
    Pair(("eim/apdf",), ("eim/apdf",)),
    Pair(("apdm/apdf",), ("eim/apdf",)),
    Pair(("apdm/apdf",), ("eim/adf",)),
    Pair(("apdm/apdf",), ("firewall",)),
    Pair(("adm/adf",), ("adm/eif",)),
    Pair(("none",), ("udp=blocked",)),
]
"""Each kind of answer, and the corners: symmetric against address-restricted, and against a firewall."""


class Outcome(NamedTuple):
    """What was predicted, and what happened."""

    predicted: dict[str, str]
    """``direct`` and ``relayed``: yes, no or unknown."""
    happened: dict[str, bool]
    """``direct``: without a relay; ``relay``: with one."""
    summary: str
    by_order: dict[str, bool]
    """Whether the direct try succeeded, by who was first; empty where nobody was made to be."""
    whys: str
    """Why, in each family."""
    provisos: tuple[str, ...]
    """What each family's answer takes for granted, as nobody tested it."""

    @property
    def is_unsure(self) -> bool:
        """Whether a test behind the prediction came to no result, as may happen on a busy computer."""
        return bool(self.provisos and self.by_order) or ("unknown" in self.predicted.values() and not self.agrees)

    @property
    def agrees(self) -> bool:
        """Whether yes connected and no did not, in every order; unknown only where an order failed that had to.

        A yes with a proviso, that the order does not matter, agrees with nothing that the order decided.
        """
        any_path = "yes" if "yes" in self.predicted.values() else "no" if set(self.predicted.values()) == {"no"} else ""
        words = {True: "yes", False: "no"}
        if self.predicted["direct"] == "unknown" and BY_ORDER in self.whys:
            # That one moment is the same for both, which two such NATs need, a busy computer cannot promise.
            return False in self.by_order.values() and any_path == words[self.happened["relay"]]
        if len(set(self.by_order.values())) > 1:
            return False
        return self.predicted["direct"] == words[self.happened["direct"]] and any_path == words[self.happened["relay"]]


def attempt(rtcdiag: Path, pair: Pair, *, tries: int = 3, seconds: float = 12.0, agent: Path = AGENT) -> Outcome:
    """Make both reports in one lab, let two agents try, and compare the reports outside."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o777)
        trying = _trying(rtcdiag, agent, pair, directory, tries, seconds)
        script = "\n".join([*_reporting(rtcdiag, pair, directory), *trying])
        line = [str(rtcdiag), "lab", "pair", *pair.options, "--with", "coturn", "--", "sh", "-c", script]
        ran = subprocess.run(line, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        if ran.returncode:
            raise AssertionError(f"{shlex.join(line)}: {ran.stdout}{ran.stderr}")
        return outcome(rtcdiag, directory, _tries(pair.by_order))


def outcome(rtcdiag: Path, directory: Path, names: tuple[str, ...]) -> Outcome:
    """Compare the two reports in a directory, and read what the agents said there in the tries of these names."""
    tries = {name: any(_connected(directory / f"{side}.{name}") for side in "ab") for name in names}
    happened = {"direct": any(tries[name] for name in tries if name != "relay"), "relay": tries.get("relay", False)}
    return _compared(rtcdiag, directory, happened, {name: tries[name] for name in tries if name not in MEANS})


def _tries(by_order: bool) -> tuple[str, ...]:
    return (*ORDERS, "relay") if by_order else MEANS


def _connected(path: Path) -> bool:
    """Return whether an agent connected; raise AssertionError where it could not even try."""
    found = json.loads(path.read_text())
    assert "error" not in found, found
    return bool(found["connected"])


def _reporting(rtcdiag: Path, pair: Pair, directory: Path) -> list[str]:
    """Return what both sides run first: the report."""
    over_tcp = {side: any("udp=blocked" in spec for spec in (*specs, *pair.shared)) for side, specs in pair.sides}
    transports = "; ".join(f"export PAIR_TRANSPORT_{side.upper()}=tcp" for side, tcp in over_tcp.items() if tcp)
    ipv6 = "export PAIR_IPV6=1" if pair.ipv6 else "ip -6 address flush dev eth0"
    stun = "export PAIR_STUN=$RTCDIAG_LAB_TURN" if pair.turn_only else ""
    servers = [*([] if pair.turn_only else STUN), "$RTCDIAG_LAB_TURN", "$RTCDIAG_LAB_TURN?transport=tcp"]
    own = f"{directory}/$RTCDIAG_LAB_SIDE"
    asked = " ".join(f'-s "{server}"' for server in servers)
    report = f"{shlex.quote(str(rtcdiag))} report --no-control --no-gateway --reports-dir {own} --json {asked}"
    return [transports, ipv6, stun, f"{report} > {own}.json", f"test -s {own}.json || exit 9"]


def _trying(rtcdiag: Path, agent: Path, pair: Pair, directory: Path, tries: int, seconds: float) -> list[str]:
    """Return what they run then: the agents, first without a relay and then with one."""
    return [
        f"{agent_line(rtcdiag, agent, name, directory, tries, seconds)} > {directory}/$RTCDIAG_LAB_SIDE.{name}"
        for name in _tries(pair.by_order)
    ]


def agent_line(rtcdiag: Path, agent: Path, name: str, directory: Path, tries: int, seconds: float) -> str:
    """Return the line of the shell with which one side tries, in a directory of that try."""
    own = directory / f"{name}.tries"
    own.mkdir()
    own.chmod(0o777)
    first, means = (name, "direct") if name in ORDERS else ("", name)
    return f"PAIR_FIRST={first} {rtcdiag.with_name('python')} {agent} {own} {tries} {seconds} {means}"


def _compared(rtcdiag: Path, directory: Path, happened: dict[str, bool], by_order: dict[str, bool]) -> Outcome:
    line = [str(rtcdiag), "compare", str(directory / "a.json"), str(directory / "b.json"), "--json"]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(ran.stdout)
    predicted = {"direct": found["direct"], "relayed": found["relayed"]}
    families = [family for family in found["families"].values() if family]
    whys = "; ".join(family["why"] for family in families)
    provisos = tuple(family["unless"] for family in families if family.get("unless"))
    return Outcome(predicted, happened, found["verdict"]["summary"], by_order, whys, provisos)


def _spec(spec: str, delay: str) -> str:
    return f"eim/apdf {spec} {delay}" if spec.startswith("udp") else f"{spec} {delay}"
