"""Two commands of a lab that meet at a rendezvous on the lab's internet."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from support.process import RTCDIAG, run

HOST, PORT = "203.0.113.10", 3480
URL = f"http://{HOST}:{PORT}"
_ASKED = ("--no-control", "--no-gateway", "--quiet")


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


def met(
    directory: Path,
    nats: Sequence[str],
    *options: str,
    a: Sequence[str] = (),
    b: Sequence[str] = (),
    wait_s: float = 0.5,
) -> dict[str, End]:
    """Let `rtcdiag connect` of side a make a room, and that of side b join it once its line is shown."""
    directory.chmod(0o777)
    script = directory / "side.sh"
    script.write_text(_script(directory, options, a, b, wait_s))
    sides = [part for side, spec in zip(("--a", "--b"), nats, strict=True) for part in (side, spec)]
    rendezvous = f"{RTCDIAG} serve signal --quiet --bind 203.0.113.10"
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
    return {side: _end(directory, side) for side in "ab"}


def _script(directory: Path, options: Sequence[str], a: Sequence[str], b: Sequence[str], wait_s: float) -> str:
    common = shlex.join([*_ASKED, *options])

    def command(code: str, own: Sequence[str]) -> str:
        return (
            f"date +%s.%N >entered.$RTCDIAG_LAB_SIDE; exec {RTCDIAG} connect {code} {common} {shlex.join(own)} "
            "--server $RTCDIAG_LAB_STUN --reports-dir reports.$RTCDIAG_LAB_SIDE --json "
            ">report.$RTCDIAG_LAB_SIDE 2>told.$RTCDIAG_LAB_SIDE"
        )

    shown = r'"$(sed -n "s/^rtcdiag connect .\(http.*\).$/\1/p" told.a)"'
    return f"""cd {directory}
for _ in $(seq 200); do bash -c '</dev/tcp/{HOST}/{PORT}' 2>/dev/null && break; sleep 0.1; done
if [ $RTCDIAG_LAB_SIDE = a ]; then {command(f"--rendezvous {URL}", a)}; fi
for _ in $(seq 200); do grep -qs "^rtcdiag connect '" told.a && break; sleep 0.1; done
sleep {wait_s}
{command(shown, b)}
"""


def _end(directory: Path, side: str) -> End:
    (saved,) = (directory / f"reports.{side}").glob("rtcdiag-*Z.json")
    return End(
        json.loads(saved.read_text()),
        (directory / f"told.{side}").read_text(),
        float((directory / f"entered.{side}").read_text()),
    )
