"""Authentication to a TURN server: its challenge, and what it says to credentials (RFC 8489 section 9.2)."""

from collections.abc import Iterator

import msgspec

from rtcdiag.evidence import Allocation, Answer, Challenge, Evidence
from rtcdiag.findings import Facts, Finding, Severity
from rtcdiag.rules.allocation import rejected
from rtcdiag.rules.expiry import expired
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths, clip

_USED_UP = (486, 508)
"""Allocation Quota Reached and Insufficient Capacity (RFC 8656 section 19)."""
_WHO_ASKS = (400, 401, 438, 441)
"""How servers refuse a user; pion's library says 400."""


def challenge(evidence: Evidence) -> Iterator[Finding]:
    """Judge the answer to Allocate without credentials: it should be 401 with REALM and NONCE."""
    for path in asked_paths(evidence):
        asked = path.of(Challenge)
        mismatched = tuple(item for item in asked[:1] if _is_mismatch(item))
        for item in (*mismatched, *asked[len(mismatched) :][:1]):
            answer = item.exchange.answer
            if answer is None:
                yield from _silent(path, item)
            elif answer.success:
                yield path.find("turn-no-authentication", item)
            elif answer.error_code == 401:
                yield from _challenged(path, item, answer)
            else:
                finding = rejected(path, item, answer, "challenge")
                again = item in mismatched and len(asked) > 1
                yield msgspec.structs.replace(finding, severity=Severity.INFO) if again else finding


def one_connection_of_two(evidence: Evidence) -> Iterator[Finding]:
    """Judge a connection that is not answered, or not let in, while the same path answered or let in another."""
    for path in asked_paths(evidence):
        odd = next((item for item in path.of(Challenge)[1:] if _is_unlike(path, item)), None)
        refused = next((item for item in path.of(Allocation) if _let_in_another(path, item)), None)
        if odd is not None:
            yield path.find("turn-connections-differ", odd, what=_told(odd))
        elif refused is not None:
            what = f"the same credentials were accepted, and {_told(refused)}"
            yield path.find("turn-connections-differ", refused, stage="allocate", what=what)


def _is_unlike(path: Path, item: Challenge) -> bool:
    """Whether it is silent where another one was challenged."""
    challenged = any(other.exchange.answer and other.exchange.answer.error_code == 401 for other in path.of(Challenge))
    silent = item.exchange.answer is None and item.exchange.failure not in (None, *UNFINISHED)
    return challenged and silent


def _let_in_another(path: Path, item: Allocation) -> bool:
    """Whether it was refused or not answered because of who asks, while the same user got a relay."""
    answer = item.exchange.answer
    if not any(other.exchange.succeeded for other in path.of(Allocation)) or _recovered(path, item):
        return False
    return item.exchange.failure not in (None, *UNFINISHED) if answer is None else answer.error_code in _WHO_ASKS


def _told(item: Challenge | Allocation) -> str:
    answer = item.exchange.answer
    return "one was not answered" if answer is None else f"refused with {answer.error_code}"


def _is_mismatch(item: Challenge) -> bool:
    """Whether the port had an allocation already: then the next request came from another one."""
    return item.exchange.answer is not None and item.exchange.answer.error_code == 437


def _silent(path: Path, item: Challenge) -> Iterator[Finding]:
    """Report a server that answers other requests on this path, and this one not."""
    if not path.answered or item.exchange.failure in (None, *UNFINISHED):
        return
    yield path.find("turn-allocate-silent", item, why=item.exchange.failure.value)


def _challenged(path: Path, item: Challenge, answer: Answer) -> Iterator[Finding]:
    if not answer.nonce or answer.realm is None:
        lacks = " and ".join(
            name for name, there in (("REALM", answer.realm is not None), ("NONCE", answer.nonce)) if not there
        )
        yield path.find("turn-challenge-incomplete", item, lacks=lacks)
    elif not answer.realm:
        yield path.find("turn-realm-empty", item)


def credentials_refused(evidence: Evidence) -> Iterator[Finding]:
    """Judge the refusals of an authenticated Allocate that are about who asks, not about what is asked for."""
    for path in asked_paths(evidence):
        for item in path.of(Allocation):
            answer = item.exchange.answer
            if _let_in_another(path, item):
                continue
            if answer is None:
                yield from _unanswered(path, item)
            elif not answer.success:
                finding = _refusal(evidence, path, item, answer)
                milder = _milder(path, item, answer)
                yield msgspec.structs.replace(finding, severity=milder) if milder else finding


def _milder(path: Path, refused: Allocation, answer: Answer) -> Severity | None:
    """Say how much a refusal matters where it is not the last word; None where it is."""
    if _recovered(path, refused):
        return Severity.INFO
    # One relay was granted and only another one at the same time was not: enough for some calls.
    one = any(item.exchange.succeeded for item in path.of(Allocation))
    return Severity.WARNING if one and answer.error_code in _USED_UP else None


def _recovered(path: Path, refused: Allocation) -> bool:
    """Whether the same side got its allocation in a further attempt (another port, the other family)."""
    later = path.of(Allocation)[path.of(Allocation).index(refused) + 1 :]
    return any(item.allocation == refused.allocation and item.exchange.succeeded for item in later)


def _unanswered(path: Path, item: Allocation) -> Iterator[Finding]:
    if path.answered and item.exchange.failure not in (None, *UNFINISHED):
        yield path.find("turn-authenticated-allocate-silent", item, why=item.exchange.failure.value)


def _refusal(evidence: Evidence, path: Path, item: Allocation, answer: Answer) -> Finding:
    code = answer.error_code
    hidden = code == 400 and not answer.nonce and answer.integrity != "valid" and _was_challenged(path)
    if code == 401 or hidden:
        return _wrong_credentials(evidence, path, item, answer)
    if code == 438:
        return path.find("turn-stale-nonce-loop", item, attempts=item.attempts)
    if code == 441:
        return path.find("turn-wrong-credentials-for-session", item)
    return rejected(path, item, answer, "allocate")


def _was_challenged(path: Path) -> bool:
    """Whether the server understood the first request: then 400 to the second is about what was added, the user."""
    return any(item.exchange.answer and item.exchange.answer.error_code == 401 for item in path.of(Challenge))


def _wrong_credentials(evidence: Evidence, path: Path, item: Allocation, answer: Answer) -> Finding:
    late = expired(evidence, path.target)
    if late is not None:
        return path.find(late.code, item, **late.facts)
    facts: Facts = {"realm": clip(answer.realm or _realm(path)) or "(empty)"}
    if answer.error_code == 400:
        return path.find("turn-credentials-rejected-as-400", item, **facts)
    return path.find("turn-credentials-rejected", item, **facts)


def _realm(path: Path) -> str:
    return next((item.exchange.answer.realm or "" for item in path.of(Challenge) if item.exchange.answer), "")
