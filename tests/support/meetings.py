"""Two commands of a lab that meet at a rendezvous on the lab's internet."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from support.process import RTCDIAG, run

HOST, PORT = "203.0.113.10", 3480
URL = f"http://{HOST}:{PORT}"
_ASKED = ("--no-control", "--no-gateway")


class End(NamedTuple):
    """One of the two."""

    report: dict[str, Any]
    """Its own, as saved."""
    told: str
    """Its standard error."""
    entered_s: float
    """UNIX time of pressing Enter."""

    @property
    def session(self) -> dict[str, Any]:
        (found,) = [item for item in self.report["evidence"] if item["kind"] == "PeerSession"]
        return dict(found)


class Killed(NamedTuple):
    """Which side's command gets SIGKILL, half a second after somebody has said so."""

    side: str
    said: str = "is here: checking"
    by: str = "b"


def met(
    directory: Path,
    nats: Sequence[str],
    *options: str,
    a: Sequence[str] = (),
    b: Sequence[str] = (),
    wait_s: float = 0.5,
    until: str | None = None,
    killed: Killed | None = None,
) -> dict[str, End]:
    """Let `rtcdiag connect` of side a make a room, and that of side b join it once its line is shown.

    The rendezvous is killed when both have said `until`. A side that is `killed` leaves no report, and is not returned.
    """
    directory.chmod(0o777)
    script = directory / "side.sh"
    said = options if until or killed else ("--quiet", *options)
    script.write_text(_script(directory, said, a, b, wait_s, killed))
    sides = [part for side, spec in zip(("--a", "--b"), nats, strict=True) for part in (side, spec)]
    rendezvous = f"{RTCDIAG} serve signal --quiet --bind 203.0.113.10"
    if until is not None:
        mortal = directory / "rendezvous.sh"
        mortal.write_text(_mortal(directory, rendezvous, until))
        rendezvous = f"sh {mortal}"
    command: list[str | Path] = [
        RTCDIAG,
        "lab",
        "pair",
        *sides,
        "--with",
        "coturn",
        "--internet",
        rendezvous,
        "--",
        "sh",
        script,
    ]
    done = run(command, timeout=90)
    assert done.returncode == 0, done.stderr + "".join(path.read_text() for path in directory.glob("told.*"))
    return {side: _end(directory, side) for side in "ab" if killed is None or side != killed.side}


def _script(
    directory: Path,
    options: Sequence[str],
    a: Sequence[str],
    b: Sequence[str],
    wait_s: float,
    killed: Killed | None,
) -> str:
    common = shlex.join([*_ASKED, *options])

    def command(side: str, code: str, own: Sequence[str]) -> str:
        line = (
            f"{RTCDIAG} connect {code} {common} {shlex.join(own)} --server $RTCDIAG_LAB_STUN "
            f"--reports-dir reports.{side} --json >report.{side} 2>told.{side}"
        )
        begin = f"date +%s.%N >entered.{side}; "
        if killed is None:
            return f"{begin}exec {line}"
        return begin + (_short(line, killed) if side == killed.side else f"{line}; echo $? >code.{side}; exit 0")

    shown = r'"$(sed -n "s/^rtcdiag connect .\(http.*\).$/\1/p" told.a)"'
    return f"""cd {directory}
for _ in $(seq 200); do bash -c '</dev/tcp/{HOST}/{PORT}' 2>/dev/null && break; sleep 0.1; done
if [ $RTCDIAG_LAB_SIDE = a ]; then {command("a", f"--rendezvous {URL}", a)}; fi
for _ in $(seq 200); do grep -qs "^rtcdiag connect '" told.a && break; sleep 0.1; done
sleep {wait_s}
{command("b", shown, b)}
"""


def _short(line: str, killed: Killed) -> str:
    """Return what runs a command, and kills it half a second after what somebody said."""
    return f"""{line} & own=$!
for _ in $(seq 400); do grep -qs '{killed.said}' told.{killed.by} && break; sleep 0.05; done
sleep 0.5; kill -KILL $own; exit 0"""


def _mortal(directory: Path, rendezvous: str, until: str) -> str:
    return f"""cd {directory}
{rendezvous} & served=$!
trap 'kill $served' TERM
for _ in $(seq 600); do [ $(cat told.a told.b 2>/dev/null | grep -c '{until}') -ge 2 ] && break; sleep 0.05; done
kill -KILL $served
"""


def _end(directory: Path, side: str) -> End:
    (saved,) = (directory / f"reports.{side}").glob("rtcdiag-*Z.json")
    return End(
        json.loads(saved.read_text()),
        (directory / f"told.{side}").read_text(),
        float((directory / f"entered.{side}").read_text()),
    )
