"""What an audit's answers mean: each check passed, failed, or is undetermined for a reason."""

import re
from collections.abc import Iterator

from rtcdiag.address import Scope
from rtcdiag.audit.outcome import Check, Outcome, Question, View, views
from rtcdiag.audit.peer_checks import channel_parity, own_addresses, peer_groups
from rtcdiag.evidence import (
    Allocation,
    AuditAllocation,
    AuditNonce,
    AuditSize,
    AuditTls,
    Binding,
    Challenge,
    Evidence,
    Exchange,
    Failure,
    Observation,
)
from rtcdiag.targets import Transport

_DAY_S = 86400.0
_NOT_LOGGED_IN = (400, 401, 403, 441)
"""How servers refuse a credential: 401, and 400 those of pion's library."""
_NO_TCP_RELAY = (400, 403, 420, 442)
_REFUSES = (Failure.CONNECTION_REFUSED, Failure.CONNECTION_RESET)
_BINDING_SLACK, _CHALLENGE_RATIO = 8, 3.0
_LARGE = 4.0
"""From this ratio on, long answers are more than a fact: a long realm alone makes less."""
_VERSION = re.compile(r"[0-9]\.[0-9]")
"""A name may have a digit, too."""


def checks(evidence: Evidence) -> tuple[Check, ...]:
    """Return every check of every audited server, in the order in which people read them."""
    return tuple(check for view in views(evidence) for step in _STEPS for check in step(view))


def _open_relay(view: View) -> Iterator[Check]:
    asked = Question("open-relay", "Allocate without credentials")
    found = view.of(Challenge)[:1]
    outcome, answer = _answer(found[0].exchange if found else None)
    if outcome == "allowed":
        yield view.failed(asked, "granted", "turn-audit-open-relay", *found)
    elif outcome == "refused":
        yield view.passed(asked, answer, *found)
    else:
        yield view.unknown(asked, answer, *found)


def _expired_credentials(view: View) -> Iterator[Check]:
    asked = Question("expired-credentials", "Allocate, expired a minute ago")
    found = view.of(AuditAllocation, lambda item: item.question == "expired-credentials")
    outcome, answer = _answer(found[0].exchange if found else None)
    code = _code(found[0].exchange) if found else None
    if not view.scope.has_secret:
        yield view.unknown(asked, "no secret to make one of (--secret-file)")
    elif outcome == "allowed":
        yield view.failed(asked, "granted", "turn-audit-expired-credentials-accepted", *found)
    elif not view.logged_in:
        yield view.unknown(asked, "nor was a valid one accepted", *found)
    elif code in _NOT_LOGGED_IN:
        yield view.passed(asked, answer, *found)
    else:
        yield view.unknown(asked, answer, *found)


def _lasting_credentials(view: View) -> Iterator[Check]:
    asked = Question("lasting-credentials", "how long the credentials are valid")
    shape = view.target.credential if view.target is not None else None
    if shape is None or view.target is None:
        yield view.unknown(asked, "no credentials were given")
    elif shape.expires_at is None:
        code = "turn-audit-lasting-credentials"
        yield view.failed(asked, "for good", code, view.target, valid="for good")
    else:
        left_s = shape.expires_at - view.started_at_s
        valid = f"{round(max(0.0, min(left_s, 1e9)) / 3600, 1):g} hours"
        if left_s > _DAY_S:
            yield view.failed(asked, valid, "turn-audit-lasting-credentials", view.target, valid=f"for {valid}")
        else:
            yield view.passed(asked, valid, view.target)


def _tcp_relay(view: View) -> Iterator[Check]:
    asked = Question("tcp-relay", "Allocate for TCP (RFC 6062)")
    found = view.of(AuditAllocation, lambda item: item.question == "tcp-relay")
    exchange = found[0].exchange if found else None
    outcome, answer = _answer(exchange)
    if outcome == "allowed":
        yield view.failed(asked, "granted", "turn-audit-tcp-relay", *found)
    elif exchange is not None and _code(exchange) in _NO_TCP_RELAY:
        yield view.passed(asked, answer, *found)
    elif exchange is not None and exchange.failure in _REFUSES and not exchange.sent_ms:
        yield view.passed(asked, "no TCP at this port", *found)
    else:
        yield view.unknown(asked, view.why_not if exchange is None else answer, *found)


def _software(view: View) -> Iterator[Check]:
    asked = Question("software", "SOFTWARE in every answer")
    item, text = software_of(view)
    if item is None:
        yield view.passed(asked, "not told")
    elif _VERSION.search(text):
        yield view.failed(asked, text, "turn-audit-software", item, software=text)
    else:
        yield view.passed(asked, text, item)


def software_of(view: View) -> tuple[Observation | None, str]:
    """Return what a server says that it is, shortened, and where it says so."""
    steps: list[Binding | Challenge | Allocation] = [*view.of(Binding), *view.of(Challenge), *view.of(Allocation)]
    for item in steps:
        if item.exchange.answer is not None and item.exchange.answer.software:
            return item, " ".join(item.exchange.answer.software.split())[:60]
    return None, ""


def _leaked_address(view: View) -> Iterator[Check]:
    asked = Question("leaked-address", "addresses in the answers to Binding")
    bound = view.of(Binding, lambda item: item.exchange.answer is not None)
    answers = [item.exchange.answer for item in bound]
    told = [a for x in answers if x for a in (x.response_origin, x.other_address, x.alternate_server) if a]
    inner = list(dict.fromkeys(str(address.ip) for address in told if address.scope is not Scope.GLOBAL))
    if view.address is None or view.address.scope is not Scope.GLOBAL:
        yield view.unknown(asked, "the server was asked at an inner address")
    elif not bound:
        yield view.unknown(asked, "Binding was not answered")
    elif inner:
        answer = ", ".join(inner)
        yield view.failed(asked, answer, "turn-audit-inner-address-told", *bound[:1], addresses=inner)
    else:
        yield view.passed(asked, "none of an inner network", *bound[:1])


def _amplification(view: View) -> Iterator[Check]:
    asked = Question("amplification", "bytes answered per byte asked")
    sizes = {item.request: item for item in view.of(AuditSize)}
    told = [f"{item.request} {item.request_bytes} to {item.answer_bytes}" for item in sizes.values()]
    large = [item for item in sizes.values() if _is_large(view, item)]
    ratio = max((item.answer_bytes / item.request_bytes for item in large), default=0.0)
    if view.target is not None and view.target.transport is not Transport.UDP:
        yield view.passed(asked, "not asked over UDP: nobody can be flooded")
    elif large:
        is_milder = ratio < _LARGE
        code = "turn-audit-large-answers"
        facts = {"ratio": round(ratio, 1), "told": told}
        yield view.failed(asked, ", ".join(told), code, *large, is_milder=is_milder, **facts)
    elif len(sizes) == 2:
        yield view.passed(asked, ", ".join(told), *sizes.values())
    else:
        yield view.unknown(asked, "not both were answered at once")


def _is_large(view: View, item: AuditSize) -> bool:
    """Compare with the shortest correct answer to Binding, FINGERPRINT allowed; and a challenge with its request."""
    if item.request == "Binding":
        shortest = 20 + (12 if view.address is None or view.address.ip.version == 4 else 24)
        return item.answer_bytes > shortest + _BINDING_SLACK
    return item.answer_bytes > _CHALLENGE_RATIO * item.request_bytes


def _tls_versions(view: View) -> Iterator[Check]:
    asked = Question("tls-versions", "TLS 1.0 and 1.1")
    offers = {item.version: item for item in view.of(AuditTls)}
    spoken = any(item.outcome == "accepted" for item in offers.values())
    old = [offers[version] for version in ("TLSv1", "TLSv1.1") if version in offers]
    taken = [item.version for item in old if item.outcome == "accepted"]
    if taken:
        code = "turn-audit-old-tls"
        yield view.failed(asked, f"accepted: {', '.join(taken)}", code, *old, versions=list(taken))
    elif not spoken:
        yield view.unknown(asked, "no TLS is spoken at this port")
    elif len(old) == 2 and all(item.outcome == "refused" for item in old):
        yield view.passed(asked, "refused", *old)
    else:
        why = "not-offered" in {item.outcome for item in old}
        yield view.unknown(asked, "this computer cannot offer them" if why else "no clear answer", *old)


def _cleartext(view: View) -> Iterator[Check]:
    asked = Question("cleartext", "TLS beside plain TURN")
    offers = view.of(AuditTls)
    spoken = [item for item in offers if item.outcome == "accepted"]
    if view.secure_elsewhere or spoken or (view.target and view.target.transport is Transport.TLS):
        yield view.passed(asked, "there is TLS", *spoken[:1])
    elif offers and all(item.outcome != "not-offered" for item in offers):
        yield view.failed(asked, "no TLS at this port, no turns: URI", "turn-audit-no-tls", *offers)
    else:
        yield view.unknown(asked, "TLS was not tried")


def _nonce(view: View) -> Iterator[Check]:
    asked = Question("nonce", "two challenges to two ports")
    found = view.of(AuditNonce)
    if not found:
        yield view.unknown(asked, "there were no two challenges")
    elif found[0].repeated:
        yield view.failed(asked, "the same nonce", "turn-audit-nonce-repeated", found[0])
    else:
        yield view.passed(asked, f"different, {found[0].sizes_bytes[0]} bytes", found[0])


_STEPS = (
    _open_relay,
    _expired_credentials,
    _lasting_credentials,
    peer_groups,
    own_addresses,
    channel_parity,
    _tcp_relay,
    _software,
    _leaked_address,
    _amplification,
    _tls_versions,
    _cleartext,
    _nonce,
)


def _answer(exchange: Exchange | None) -> tuple[Outcome, str]:
    """Return what an Allocate was answered: allowed, refused, or neither."""
    if exchange is None:
        return "unclear", "not asked"
    answer = exchange.answer
    if answer is None:
        return "unclear", f"no answer: {(exchange.failure or Failure.TIMEOUT).value}"
    return ("allowed", "granted") if answer.success else ("refused", f"error {answer.error_code}")


def _code(exchange: Exchange) -> int | None:
    return exchange.answer.error_code if exchange.answer is not None else None
