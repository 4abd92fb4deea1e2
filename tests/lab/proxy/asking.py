"""Run the installed command with proxy settings and read its report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.netns import Namespace
from support.process import RTCDIAG, run

PASSWORD = "wonderland"
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_UNSET = {name: "" for lower in _VARIABLES for name in (lower, lower.upper())}


class Told:
    """What a run printed."""

    def __init__(self, returncode: int, out: str, err: str) -> None:
        self.returncode, self.out, self.err = returncode, out, err
        self.report: dict[str, Any] = json.loads(out) if out.startswith("{") else {}

    @property
    def severities(self) -> dict[str, str]:
        assert self.report, (self.returncode, self.out, self.err)
        return {item["code"]: item["severity"] for item in self.report["findings"]}

    @property
    def serious(self) -> set[str]:
        """The codes above info."""
        return {code for code, severity in self.severities.items() if severity != "info"}

    @property
    def rows(self) -> dict[bool, str]:
        """The status of the direct way (False) and of the one through the proxy (True)."""
        return {row["via"] is not None: row["status"] for row in self.report["servers"]}

    def evidence(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.report["evidence"] if item["kind"] == kind]

    def title(self, code: str) -> str:
        return next(str(item["title"]) for item in self.report["findings"] if item["code"] == code)


def check_turn(
    uri: str,
    directory: Path,
    *more: str | Path,
    where: Namespace | None = None,
    env: Mapping[str, str] | None = None,
    fmt: str = "json",
) -> Told:
    """Run `check-turn` for alice."""
    password = directory / "password"
    password.write_text(PASSWORD)
    command = [RTCDIAG, "check-turn", uri, "--username", "alice", "--password-file", password, "--format", fmt, *more]
    prefix = where.prefix if where else ()
    done = run([*prefix, *command], timeout=40, env={**_UNSET, "NO_COLOR": "1", "COLUMNS": "80", **(env or {})})
    return Told(done.returncode, done.stdout, done.stderr)
