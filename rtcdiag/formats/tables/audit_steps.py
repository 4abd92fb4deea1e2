"""The observations of an audit in a few words."""

from typing import assert_never

from rtcdiag.evidence import (
    AuditAllocation,
    AuditNonce,
    AuditPermission,
    AuditScope,
    AuditSize,
    AuditTls,
    TurnConfig,
)
from rtcdiag.formats.words import Tone, count

Kind = AuditScope | AuditPermission | AuditAllocation | AuditSize | AuditNonce | AuditTls | TurnConfig


def told(item: Kind) -> tuple[str, str, str, str, Tone]:
    """Return label, server or file, the address that was asked, and how it ended."""
    return (_label(item), *_lane(item), *_outcome(item))


def _label(item: Kind) -> str:  # noqa: PLR0911 - one line a kind of evidence
    match item:
        case AuditScope():
            return "Audit"
        case AuditPermission():
            return "CreatePermission" if item.channel is None else "ChannelBind"
        case AuditAllocation():
            return f"Allocate, {item.question.replace('-', ' ')}"
        case AuditSize():
            return f"Size of {item.request}"
        case AuditNonce():
            return "Nonces"
        case AuditTls():
            return f"{item.version} alone"
        case TurnConfig():
            return "Configuration"
        case _:
            assert_never(item)


def _lane(item: Kind) -> tuple[str, str]:
    if isinstance(item, TurnConfig):
        return item.name, ""
    return item.server, "" if isinstance(item, AuditScope) else str(item.destination)


def _outcome(item: Kind) -> tuple[str, Tone]:  # noqa: PLR0911 - one line a kind of evidence
    match item:
        case AuditScope():
            with_what = "with" if item.has_credentials else "without"
            return f"{with_what} credentials, {'with' if item.has_secret else 'without'} the secret", ""
        case AuditPermission():
            return f"{_answered(item)}, for {item.peer.ip}", "muted"
        case AuditAllocation():
            return _answered(item), "muted"
        case AuditSize():
            return f"{item.answer_bytes} bytes answered to {item.request_bytes}", "muted"
        case AuditNonce():
            return "the same twice" if item.repeated else "different", "muted"
        case AuditTls():
            return item.outcome.replace("-", " "), "muted"
        case TurnConfig():
            return count(len(item.lines), "setting"), "muted"
        case _:
            assert_never(item)


def _answered(item: AuditPermission | AuditAllocation) -> str:
    answer = item.exchange.answer
    if answer is None:
        return f"no answer ({item.exchange.failure or 'not sent'})"
    return "granted" if answer.success else f"refused by error {answer.error_code}"
