"""What an audited server's answers to permissions mean: the permission's answer is the finding."""

from collections.abc import Iterator

from rtcdiag.address import Family, IPAddress, Scope, family_of
from rtcdiag.audit.outcome import Check, CheckName, Outcome, Question, View
from rtcdiag.audit.peers import PEERS, Group, group_of, text_of
from rtcdiag.evidence import AuditAllocation, AuditPermission

_FORBIDDEN, _UNAUTHORIZED, _OTHER_FAMILY = 403, 401, 443
_NO_IPV6_RELAY = (420, 440)
_GROUPS: tuple[tuple[Group, CheckName, str], ...] = (
    ("loopback", "loopback", "turn-audit-loopback-peers"),
    ("this-host", "this-host", "turn-audit-this-host-peers"),
    ("embedded", "embedded", "turn-audit-embedded-peers"),
    ("link-local", "link-local", "turn-audit-link-local-peers"),
    ("private", "private", "turn-audit-private-peers"),
    ("special", "special", "turn-audit-special-peers"),
)


def outcome_of(item: AuditPermission) -> Outcome:
    """Tell whether a server lets the peer be reached: only a clear refusal is one.

    A server of pion's library refuses a permission by a signed error without any code, and a channel by 401 without a
    nonce, although it knows the user.
    """
    answer = item.exchange.answer
    if answer is None:
        return "unclear"
    if answer.success:
        return "allowed"
    refused = answer.error_code in (_FORBIDDEN, _OTHER_FAMILY)
    pions = item.channel is not None and answer.error_code == _UNAUTHORIZED and not answer.nonce
    codeless = answer.error_code is None and answer.integrity == "valid"
    return "refused" if refused or pions or codeless else "unclear"


def peer_groups(view: View) -> Iterator[Check]:
    """Judge each group of the fixed list."""
    for group, name, code in _GROUPS:
        yield _group(view, group, name, code)


def _group(view: View, group: Group, name: CheckName, code: str) -> Check:
    items = [item for item in _permissions(view) if group_of(item.peer.ip) == group]
    listed = [peer.ip for peer in PEERS if peer.group == group]
    asked = Question(name, _shown([text_of(ip) for ip in listed]))
    allowed = [text_of(item.peer.ip) for item in items if outcome_of(item) == "allowed"]
    if allowed:
        return view.failed(asked, f"allowed: {_shown(allowed)}", code, *items, peers=allowed)
    why = _why_unclear(view, items, listed)
    if why is not None:
        return view.unknown(asked, why, *items)
    return view.passed(asked, "denied" if items else _no_ipv6(view), *items)


def _permissions(view: View) -> tuple[AuditPermission, ...]:
    return view.of(AuditPermission, lambda item: item.channel is None)


def _why_unclear(view: View, items: list[AuditPermission], listed: list[IPAddress]) -> str | None:
    """Say why a group is not known to be denied as a whole; None where it is."""
    odd = next((item for item in items if outcome_of(item) == "unclear"), None)
    if odd is not None:
        return f"{_told(odd)} for {text_of(odd.peer.ip)}"
    seen = {item.peer.ip for item in items}
    missing = [ip for ip in listed if ip not in seen]
    if any(family_of(ip) is Family.IPV4 for ip in missing):
        return view.why_not
    return None if not missing or _no_ipv6(view) else _why_no_ipv6(view)


def _told(item: AuditPermission) -> str:
    answer = item.exchange.answer
    if answer is None:
        return "no answer"
    return "an error without a code" if answer.error_code is None else f"error {answer.error_code}"


def _no_ipv6(view: View) -> str:
    """Return how the server said that it relays no IPv6; nothing where it did not say so."""
    for item in view.of(AuditAllocation, lambda item: item.question == "ipv6-relay"):
        answer = item.exchange.answer
        if answer is not None and answer.error_code in _NO_IPV6_RELAY:
            return f"no IPv6 relay (error {answer.error_code})"
        if answer is not None and answer.relayed is not None and answer.relayed.family is Family.IPV4:
            return "no IPv6 relay (an IPv4 one was given)"
    return ""


def _why_no_ipv6(view: View) -> str:
    for item in view.of(AuditAllocation, lambda item: item.question == "ipv6-relay"):
        if item.exchange.answer is None:
            return "no answer to a relay of IPv6"
        if not item.exchange.answer.success:
            return f"error {item.exchange.answer.error_code} to a relay of IPv6"
    return view.why_not


def own_addresses(view: View) -> Iterator[Check]:
    """Judge the server's own addresses: a public one has to be reachable for two relays of it, an inner one not."""
    if view.address is None or view.address.scope is not Scope.GLOBAL:
        return
    items = _permissions(view)
    inner = [item for item in items if group_of(item.peer.ip) == "own-inner"]
    if inner:
        yield _own_inner(view, inner)
    own = [item for item in items if group_of(item.peer.ip) == "own"]
    if own:
        yield _own(view, own)


def _own_inner(view: View, items: list[AuditPermission]) -> Check:
    asked = Question("own-inner", _shown([text_of(item.peer.ip) for item in items]))
    allowed = [text_of(item.peer.ip) for item in items if outcome_of(item) == "allowed"]
    if allowed:
        code = "turn-audit-own-inner-address"
        return view.failed(asked, f"allowed: {_shown(allowed)}", code, *items, peers=allowed)
    odd = next((item for item in items if outcome_of(item) == "unclear"), None)
    if odd is not None:
        return view.unknown(asked, f"{_told(odd)} for {text_of(odd.peer.ip)}", *items)
    return view.passed(asked, "denied", *items)


def _own(view: View, items: list[AuditPermission]) -> Check:
    asked = Question("own", _shown([text_of(item.peer.ip) for item in items]))
    denied = [text_of(item.peer.ip) for item in items if outcome_of(item) == "refused"]
    if denied:
        code = "turn-audit-own-address-denied"
        return view.failed(asked, f"denied: {_shown(denied)}", code, *items, peers=denied)
    if all(outcome_of(item) == "allowed" for item in items):
        return view.passed(asked, "allowed", *items)
    odd = next(item for item in items if outcome_of(item) == "unclear")
    return view.unknown(asked, f"{_told(odd)} for {text_of(odd.peer.ip)}", *items)


def channel_parity(view: View) -> Iterator[Check]:
    """Compare what ChannelBind allows with what CreatePermission does."""
    asked = Question("channel-parity", "ChannelBind beside CreatePermission")
    permissions = {item.peer.ip: item for item in _permissions(view)}
    channels = view.of(AuditPermission, lambda item: item.channel is not None and item.peer.ip in permissions)
    pairs = [(outcome_of(permissions[item.peer.ip]), outcome_of(item), item) for item in channels]
    around = [text_of(item.peer.ip) for permission, channel, item in pairs if (permission, channel) == _BYPASS]
    if around:
        code = "turn-audit-channel-bypass"
        yield view.failed(asked, f"channel for {_shown(around)}", code, *channels, peers=around)
    elif not pairs:
        yield view.unknown(asked, view.why_not)
    elif any("unclear" in (permission, channel) for permission, channel, _ in pairs):
        permission, item = next((at, item) for at, channel, item in pairs if "unclear" in (at, channel))
        odd, what = (permissions[item.peer.ip], "permission") if permission == "unclear" else (item, "channel")
        yield view.unknown(asked, f"{_told(odd)} to a {what} for {text_of(odd.peer.ip)}", *channels)
    else:
        yield view.passed(asked, "the same", *channels)


_BYPASS: tuple[Outcome, Outcome] = ("refused", "allowed")


def _shown(texts: list[str], most: int = 3) -> str:
    more = f", {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
