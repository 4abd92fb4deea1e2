"""Run the installed command with a service's list of ICE servers, and read its report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.process import RTCDIAG, run


class Told:
    """What a run printed."""

    def __init__(self, returncode: int, out: str, err: str) -> None:
        self.returncode, self.out, self.err = returncode, out, err
        self.report: dict[str, Any] = json.loads(out) if out.startswith("{") else {}

    @property
    def serious(self) -> set[str]:
        """The codes above info."""
        assert self.report, (self.returncode, self.err)
        return {item["code"] for item in self.report["findings"] if item["severity"] != "info"}

    def evidence(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.report["evidence"] if item["kind"] == kind]

    def title(self, code: str) -> str:
        return next(str(item["title"]) for item in self.report["findings"] if item["code"] == code)


def check_turn(*words: str | Path, prefix: Sequence[str] = (), fmt: str = "json", stdin: str = "") -> Told:
    """Run ``check-turn``."""
    command = [*prefix, RTCDIAG, "check-turn", *words, "--format", fmt]
    done = run(command, timeout=40, env={"NO_COLOR": "1", "COLUMNS": "80"}, stdin=stdin)
    return Told(done.returncode, done.stdout, done.stderr)
