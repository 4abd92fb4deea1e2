"""The verdict of a session of two, as one end can draw it: the only one that may call a direct path confirmed."""

from collections.abc import Iterator

from rtcdiag.address import Family
from rtcdiag.evidence import CheckedPair
from rtcdiag.evidence.session import Policy
from rtcdiag.findings import Finding, Severity
from rtcdiag.report import Change, Confidence, Direct, Status, Verdict
from rtcdiag.session import End, Whose
from rtcdiag.verdict import UDP_BLOCKED

_WHOLE = 7
"""Requests of a transaction that nobody answers (RFC 8489 section 6.2.1): after them a pair was tried."""
_STOP_WORDS = {
    "no-peer": "No description of the other end came, so nothing is known of the path.",
    "expired": "The session expired before it came to a result.",
    "peer-left": "The other end was gone before there was a result, so nothing is known of the path.",
    "no-path": "Nothing of the other end came in: there is no path to it, or it was gone by then.",
    "signaling": "The two ends could not tell each other their candidates, so nothing is known of the path.",
    "interrupted": "The session was ended before it came to a result.",
    "no-candidates": "This computer had no candidate to offer, so nothing could be checked.",
}


def session_verdict(end: End | None, findings: tuple[Finding, ...]) -> Verdict:
    """Draw it; ``findings`` are the report's, most important first."""
    inside = _inside(end, findings)
    direct: Direct = _direct(end, inside) if end is not None else "inconclusive"
    status = _status(end, direct, findings)
    return Verdict(
        status=status,
        direct_p2p=direct,
        by_family={family.value: _in_family(end, family, inside) for family in Family} if end is not None else {},
        confidence=_confidence(end, status),
        summary=_summary(end, direct, findings, inside),
        because=tuple(dict.fromkeys(finding.code for finding in findings)),
        would_change_if=tuple(_changes(end, direct)),
    )


def _inside(end: End | None, findings: tuple[Finding, ...]) -> tuple[Whose, ...]:
    """Return the ends that could not be reached for want of a public address; where no UDP passes, none is wanted."""
    blocked = any(finding.code in UDP_BLOCKED for finding in findings)
    return end.inside if end is not None and end.answer("direct") == "no" and not blocked else ()


def _direct(end: End, inside: tuple[Whose, ...]) -> Direct:
    if end.same_computer:
        return "not-tested" if end.with_browser and end.answer("all") == "yes" else "inconclusive"
    match "unfinished" if inside else end.answer("direct"), end.answer("relay"):
        case "yes", _:
            return "confirmed"
        case "no", "yes":
            return "relay-needed"
        case ("no" | "untested", "no") | ("no", "untested"):
            return "blocked"
        case "untested", "yes":
            return "not-tested"
        case _:
            return "inconclusive"


def _in_family(end: End | None, family: Family, inside: tuple[Whose, ...]) -> Direct:
    """Return what one family achieved, as far as the pairs of the family tell."""
    pairs = [pair for pair in end.of("direct") if pair.local.family is family] if end is not None else []
    if end is None or not pairs:
        return "not-tested"
    if any(map(_answered, pairs)) and not end.same_computer:
        return "confirmed"
    tried = all(pair.state == "failed" or pair.requests >= _WHOLE for pair in pairs)
    unfair = not tried or bool(inside and family is Family.IPV4)
    if end.same_computer or end.answer("direct") == "unfinished" or unfair:
        return "inconclusive"
    return "relay-needed" if end.answer("relay") == "yes" else "blocked"


def _answered(pair: CheckedPair) -> bool:
    return pair.state == "succeeded" and pair.answered > 0


def _status(end: End | None, direct: Direct, findings: tuple[Finding, ...]) -> Status:
    """Where the two connect, a server that fails beside it is a flaw and no break."""
    severities = {finding.severity for finding in findings}
    connected = end is not None and end.answer("all") == "yes"
    if direct == "blocked" or (Severity.ERROR in severities and not connected) or _breaks(findings):
        return "broken"
    if not connected or direct == "inconclusive":
        return "inconclusive"
    return "degraded" if severities - {Severity.INFO} else "healthy"


def _breaks(findings: tuple[Finding, ...]) -> bool:
    return any(finding.code in _BREAKS for finding in findings)


_BREAKS = ("session-no-data", "browser-dtls-failed", "browser-dtls-silent", "browser-channel-not-opened")


def _confidence(end: End | None, status: Status) -> Confidence:
    if end is None or status == "inconclusive":
        return "low"
    # Where nothing of the other end was heard, nothing shows that it was checking, unless it said so.
    doubtful = end.session.address_changed or not (end.heard or end.reached or end.session.times.last_sign_ms)
    return "medium" if doubtful and end.answer("direct") != "yes" else "high"


_DIRECT_WORDS: dict[Direct, str] = {
    "relay-needed": "No direct path to the other end was found; calls go through a relay, and one worked.",
    "not-tested": "The relay works; whether a direct path exists was not tried.",
    "blocked": "No path to the other end was found.",
}


def _summary(end: End | None, direct: Direct, findings: tuple[Finding, ...], inside: tuple[Whose, ...]) -> str:
    if end is None:
        worst = next((finding for finding in findings if finding.severity is Severity.ERROR), None)
        return f"{worst.title.rstrip('.')}; no session was held." if worst else "No session was held."
    if end.with_browser and _breaks(findings):
        return _broken(findings)
    if end.same_computer and direct == "not-tested":
        return _on_one_computer(end)
    if direct == "confirmed":
        return f"A direct connection to the other end worked{_how(end)}."
    broken = _why_inside(end, inside) or _broken(findings)
    if direct in ("blocked", "inconclusive") and broken:
        return broken
    return _DIRECT_WORDS.get(direct) or _why_inconclusive(end)


def _on_one_computer(end: End) -> str:
    """Return what a browser and this program beside it came to: a test of their relays, but of no direct path."""
    ways: dict[Policy, str] = {"direct": "directly", "relay": "through a relay"}
    reached = [word for policy, word in ways.items() if end.answer(policy) == "yes"]
    relay = {"no": "; no relay worked", "untested": "; no relay was there to be tried"}.get(end.answer("relay"), "")
    how = " and ".join(reached)
    return f"The browser and rtcdiag, both on this computer, reached each other {how}{relay}."


_INSIDE: dict[tuple[Whose, ...], str] = {
    ("own",): "no server told this computer its public IPv4 address, so the other end could not be told one",
    ("remote",): "the other end told no public IPv4 address",
    ("own", "remote"): "neither end told a public IPv4 address, which a STUN server would have given",
}


def _why_inside(end: End, inside: tuple[Whose, ...]) -> str:
    if not inside or end.same_computer:
        return ""
    outcome = "The relay works" if end.answer("relay") == "yes" else "No path to the other end was found"
    return f"{outcome}; whether a direct one exists is not known: {_INSIDE[inside]}."


def _why_inconclusive(end: End) -> str:
    if end.same_computer:
        return "Both ends run on this computer: that they connect proves nothing for two computers."
    if end.answer("relay") == "yes":
        return "The relay works; the session ended before a direct path could be tried fairly."
    if end.session.stop == "interrupted" and end.session.signaling == "copied-text" and end.sent:
        return f"{_STOP_WORDS['interrupted']} If the other end has one, rtcdiag compare draws it from both reports."
    return _STOP_WORDS.get(end.session.stop, "The session ended before it came to a result.")


def _how(end: End) -> str:
    best = min((pair for pair in end.of("direct") if _answered(pair)), key=lambda pair: pair.rtt_ms or 0.0)
    trip = f", round trip {best.rtt_ms:.0f} ms" if best.rtt_ms is not None else ""
    used = next((one for one in reversed(end.session.selected) if one.policy == "all"), None)
    relayed = used is not None and "relay" in (used.local_type, used.remote_type)
    beside = "; the session itself used a relay, which was ready first" if relayed else ""
    return f" over IPv{best.local.family.value[-1]}{trip}{beside}"


def _broken(findings: tuple[Finding, ...]) -> str:
    """Return what broke the session itself; empty where nothing did."""
    about = ("session-", "browser-")
    own = (item for item in findings if item.code.startswith(about) and item.severity is Severity.ERROR)
    worst = next(own, None)
    return f"{worst.title.rstrip('.')}." if worst is not None else ""


def _changes(end: End | None, direct: Direct) -> Iterator[Change]:
    if end is not None and direct == "blocked" and end.answer("relay") == "untested":
        yield Change(side="here", change="configure a TURN server that works from here", then="relay-needed")
