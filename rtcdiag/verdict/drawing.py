"""The verdict: one status, one answer about direct peer-to-peer, one sentence, and what would change it."""

from rtcdiag.report import Verdict
from rtcdiag.verdict.changes import changes
from rtcdiag.verdict.direct import by_family, direct_of
from rtcdiag.verdict.known import Known
from rtcdiag.verdict.status import confidence_of, has_answer, status_of
from rtcdiag.verdict.words import summary_of

NAT_COMMANDS = ("report", "nat-type", "connect")
"""The commands that ask about the NAT; the others have no such section."""


def verdict_of(command: str, known: Known) -> Verdict:
    """Draw the verdict of a command."""
    about_nat = command in NAT_COMMANDS
    direct = direct_of(known) if about_nat else "not-tested"
    status = status_of(known, answered=has_answer(command, direct, known))
    return Verdict(
        status=status,
        direct_p2p=direct,
        by_family=dict(by_family(known)) if about_nat else {},
        confidence="low" if status == "inconclusive" else confidence_of(direct, known),
        summary=summary_of(direct, known),
        because=tuple(dict.fromkeys(finding.code for finding in known.findings)),
        would_change_if=tuple(changes(direct, known)) if about_nat else (),
    )
