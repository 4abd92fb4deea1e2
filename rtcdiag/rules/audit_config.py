"""What is wrong with a coturn configuration, and which line to change."""

from collections.abc import Iterator

from rtcdiag.audit.conf_credentials import credentials
from rtcdiag.audit.conf_exposure import exposure
from rtcdiag.audit.conf_peers import peers
from rtcdiag.audit.conf_view import Conf, Issue
from rtcdiag.evidence import ConfigLine, Evidence, TurnConfig
from rtcdiag.findings import Finding, Severity, find

_MASK = "(not shown)"


def configuration(evidence: Evidence) -> Iterator[Finding]:
    """Judge every configuration file that was given."""
    for config in evidence.of(TurnConfig):
        conf = Conf(config)
        for judge in (credentials, peers, exposure):
            for issue in judge(conf):
                yield _finding(config, issue)


def _finding(config: TurnConfig, issue: Issue) -> Finding:
    numbers = [line.number for line in issue.lines]
    return find(
        issue.code,
        config.id,
        subject=config.name,
        severity=Severity.INFO if issue.is_milder else None,
        where=_where(numbers),
        change=_change(numbers, issue.suggested),
        lines=numbers,
        current=[_text(line) for line in issue.lines],
        suggested=list(issue.suggested),
        **issue.facts,
    )


_TOLD = 4


def _where(numbers: list[int]) -> str:
    if not numbers:
        return "no line"
    more = f" and {len(numbers) - _TOLD} more" if len(numbers) > _TOLD else ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:_TOLD]))}{more}"


def _change(numbers: list[int], suggested: tuple[str, ...]) -> str:
    """Say what to do with which lines."""
    more = f" and {len(suggested) - _TOLD} more" if len(suggested) > _TOLD else ""
    lines = f"{', '.join(suggested[:_TOLD])}{more}"
    if not numbers:
        return f"Add {lines}"
    return f"Replace {_where(numbers)} by {lines}" if suggested else f"Remove {_where(numbers)}"


def _text(line: ConfigLine) -> str:
    """Return a line as it stands there, without what may be secret."""
    if line.secret is not None:
        return f"{line.option}={_MASK}"
    return line.option if line.value is None else f"{line.option}={line.value}"
