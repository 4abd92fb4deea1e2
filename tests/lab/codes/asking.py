"""A fault, the command that meets it, and the one code that has to own the verdict.

A `Row` is a line of the matrix. Its set-up gets the `Lab`, whose servers start when a row first asks for them, and
returns what to run, through the installed command.
"""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.codes.place import Lab
from rtcdiag.findings import STAGES
from support.netns import Namespace
from support.process import RTCDIAG, run
from support.validity import validator

ALICE = ("alice", "wonderland")
PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80", "PYTHONWARNINGS": ""}


@dataclass(frozen=True)
class Asked:
    """A command line behind `rtcdiag`, and where it runs: here unless given."""

    words: tuple[str, ...]
    where: Namespace | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    """What starts it, such as `support.faketime.shifted`."""

    def run(self, *more: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return run([*self.command, *more], timeout=40, env={**PLAIN, **self.env}, stdin=stdin)

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line."""
        return (*(self.where.prefix if self.where else ()), *self.before, RTCDIAG, *self.words)


Asks = Callable[[Lab], Asked]
"""Sets up the servers of a row, and says what to ask them."""


@dataclass(frozen=True)
class Row:
    """What a fault has to look like in a report."""

    asked: Asks
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


def report_of(done: "subprocess.CompletedProcess[str]") -> Told:
    """Read the report on standard output, and check that nothing else was said."""
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    told = Told(json.loads(done.stdout))
    validator().validate(dict(told))
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
