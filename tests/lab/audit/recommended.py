"""The configuration that follows from our own judgement of an open one: its lines are replaced as it says."""

import json
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rtcdiag.audit.conf import parse
from rtcdiag.diagnosis import findings_of
from rtcdiag.evidence import Evidence, TurnConfig
from support.netns import SERVER

_OPEN = (
    f"external-ip={SERVER}",
    "realm=turn.test",
    "user=test:test",
    "allow-loopback-peers",
    "denied-peer-ip=10.0.0.0/8",
)
_OURS = ("static-auth-secret", "use-auth-secret", "cert", "pkey", "realm", "user", "external-ip")
"""What the place sets by itself, or what is a hint for people."""


def suggestions(lines: list[str]) -> list[dict[str, Any]]:
    """Return the facts of every finding about a file."""
    config = TurnConfig(t_ms=0.0, name="turnserver.conf", lines=parse("\n".join(lines).encode()))
    found = findings_of(Evidence(observations=(config,)))
    return [json.loads(json.dumps(finding.facts)) for finding in found]


def applied(lines: list[str]) -> list[str]:
    """Return the file with every line replaced, removed or added as the findings say."""
    changed: dict[int, str | None] = {}
    added: list[str] = []
    for facts in suggestions(lines):
        for number, suggested in zip_longest(facts["lines"], facts["suggested"]):
            if number is None:
                added.append(suggested)
            elif number not in changed:
                changed[number] = suggested
    kept = (changed.get(number, line) for number, line in enumerate(lines, 1))
    return list(dict.fromkeys(line for line in (*kept, *added) if line))


def recommended(directory: Path) -> list[str]:
    """Return the lines to add to a place that has a secret, an address and a realm already."""
    lines = applied(applied(list(_OPEN)))
    (directory / "recommended.conf").write_text("\n".join(lines) + "\n")
    return [line for line in lines if line.partition("=")[0] not in _OURS]
