"""What a TURN server refuses or grants: the error codes of Allocate, and a success that lacks something."""

from collections.abc import Iterator

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import Allocation, Answer, Challenge, Evidence, Observation, Redirect
from rtcdiag.evidence.turn import WhyNot
from rtcdiag.findings import Facts, Finding, Severity, Stage
from rtcdiag.rules.paths import Path, asked_paths, clip

_LIFETIME_S = 590
"""600 is the default (RFC 8656 section 3.2); a server that counts while it answers grants a second less."""
_SLOW_MS = 1000.0
_UNSUPPORTED_FAMILY = 440
_OTHER_FAMILY = (420, _UNSUPPORTED_FAMILY)
"""420 where the server does not even know the attribute that asks for a family."""
_FOLLOWED: dict[WhyNot | None, str] = {
    None: "server-redirects-followed",
    "names-no-server": "server-redirects-nowhere",
    "circle": "server-redirects-in-circle",
    "second": "server-redirects-again",
    "other-family": "server-redirects-to-other-family",
}
_CODES = {
    403: "turn-allocate-forbidden",
    405: "turn-not-offered",
    420: "turn-attribute-refused",
    437: "turn-allocation-mismatch",
    442: "turn-udp-relay-disabled",
    486: "turn-quota-reached",
    500: "turn-server-error",
    508: "turn-capacity-exhausted",
}


def rejected(path: Path, item: Challenge | Allocation, answer: Answer, stage: Stage) -> Finding:
    """Name the refusal of an Allocate request by its error code (RFC 8656 section 19)."""
    code = answer.error_code or 0
    if code == 300:
        return redirected(path, item, answer, stage)
    ipv6 = isinstance(item, Allocation) and item.family is Family.IPV6
    if ipv6 and code in _OTHER_FAMILY:
        return path.find("turn-no-ipv6-relay", item, stage=stage)
    if code == _UNSUPPORTED_FAMILY:
        return path.find("turn-no-ipv4-relay", item, stage=stage)
    unknown = [f"0x{kind:04x}" for kind in answer.unknown_attributes[:5]]
    facts: Facts = {"error_code": code, "reason": clip(answer.reason), "attributes": ", ".join(unknown) or "none named"}
    return path.find(_CODES.get(code, "turn-allocate-rejected"), item, stage=stage, **facts)


def redirected(
    path: Path, item: Observation, answer: Answer, stage: Stage, severity: Severity | None = None
) -> Finding:
    """Judge a 300 (RFC 8489 section 10): it has to name a server, and one that clients can reach."""
    target = answer.alternate_server
    if target is None:
        return path.find("server-redirects-nowhere", item, stage=stage, severity=severity)
    return path.find(_redirection(path, target), item, stage=stage, alternate=str(target))


def _redirection(path: Path, target: TransportAddress) -> str:
    """Return the code of a redirection to somewhere: what became of it, where it was to be followed."""
    seen = next(iter(path.of(Redirect)), None)
    if target.scope is not Scope.GLOBAL and path.address.scope is Scope.GLOBAL:
        return "server-redirects-to-private"
    if seen is None:
        return "server-redirects"
    return _FOLLOWED.get(seen.not_followed, "server-redirects")


def granted(evidence: Evidence) -> Iterator[Finding]:
    """Judge the allocations that the servers granted."""
    for path in asked_paths(evidence):
        for item in path.of(Allocation):
            answer = item.exchange.answer
            if answer is not None and answer.success:
                yield from _granted(path, item, answer)


def _granted(path: Path, item: Allocation, answer: Answer) -> Iterator[Finding]:
    if answer.relayed is None:
        yield path.find("turn-no-relayed-address", item)
    if answer.lifetime_s == 0:
        yield path.find("turn-zero-lifetime", item)
    elif answer.lifetime_s is None or answer.lifetime_s < _LIFETIME_S:
        yield path.find("turn-short-lifetime", item, lifetime_s=answer.lifetime_s or 0)
    # From the first transmission: a slow answer has met repetitions, which leave the round-trip time open.
    took_ms = answer.t_ms - item.exchange.sent_ms[0] if item.exchange.sent_ms else 0.0
    if took_ms > _SLOW_MS:
        yield path.find("turn-allocate-slow", item, rtt_ms=round(min(took_ms, 1e9)))
