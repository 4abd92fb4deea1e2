"""Does a server answer at all on each path; and where it does not, whose fault the silence can be."""

from collections.abc import Iterator
from typing import Any

import msgspec

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import Connect, Evidence, Exchange, Failure, Observation
from rtcdiag.findings import Finding, Stage
from rtcdiag.rules.answers import Answers, answers, forbidden
from rtcdiag.rules.network import has_route
from rtcdiag.rules.paths import UNFINISHED, Path, Step, paths
from rtcdiag.targets import Transport

_FIRST: tuple[Stage, ...] = ("binding", "challenge", "allocate")
_LOCAL = {
    Failure.PERMISSION_DENIED: "local-firewall",
    Failure.ADDRESS_UNAVAILABLE: "local-address-unavailable",
    Failure.HOST_UNREACHABLE: "server-unreachable",
    Failure.NETWORK_UNREACHABLE: "no-route-to-server",
    Failure.ADMIN_PROHIBITED: "server-forbidden",
}
"""What this computer or its routers said themselves; the transport does not matter."""
_TOLD_BY_ROUTERS = ("server-forbidden", "server-unreachable")
_DEAD = (
    Failure.TIMEOUT,
    Failure.HOST_UNREACHABLE,
    Failure.NETWORK_UNREACHABLE,
    Failure.CONNECTION_REFUSED,
    Failure.ADMIN_PROHIBITED,
)
"""How an address fails at which nobody is."""
_UNTOLD = (Failure.TIMEOUT, *UNFINISHED, None)
"""Failures that tell the less, the later they stand here."""
_WRONG = (Failure.NOT_STUN, Failure.NOT_STUN_HTTP, Failure.NOT_STUN_TLS)
_NO_STUN = {"not-stun", "wrong-cookie"}
_HUNG_UP = (Failure.CONNECTION_CLOSED, Failure.CONNECTION_RESET, Failure.TLS_HANDSHAKE)
"""Ends of a connection that stood; TLS ends with an alert, too."""


class _Scene(msgspec.Struct, frozen=True):
    """All that the cause of one silence is judged by."""

    evidence: Evidence
    answers: Answers
    paths: tuple[Path, ...]


class _Broken(msgspec.Struct, frozen=True):
    """A path without any answer: where it ends, and how."""

    path: Path
    stage: Stage
    failure: Failure
    seen: Observation

    def find(self, code: str, **facts: Any) -> Finding:
        return self.path.find(code, self.seen, stage=self.stage, **facts)


def reachable(evidence: Evidence) -> Iterator[Finding]:
    """Find the paths on which nothing came back, and say what the other answers make of it."""
    scene = _Scene(evidence, answers(evidence), paths(evidence))
    said_once = {item.id for item in forbidden(evidence)}
    for path in scene.paths:
        # What a proxy did is judged beside it.
        broken = _broken(path) if path.is_direct else None
        if broken is None or broken.seen.id in said_once:
            continue
        if path.asked:
            yield _cause(scene, broken)
        elif _udp_works(scene, path):
            yield broken.find("no-tcp-beside-udp", why=broken.failure.value)


def _broken(path: Path) -> _Broken | None:
    connects = path.of(Connect)
    if connects and not any(item.failure is None for item in connects):
        return _at(path, "connect", connects[0].failure, connects[0])
    first = tuple(step for step in path.steps if step.stage in _FIRST)
    if not first or path.answered:
        return None
    told = min(first, key=_tells)
    return _at(path, first[0].stage, _failure(told), told.seen)


def _tells(step: Step) -> int:
    failure = _failure(step)
    return _UNTOLD.index(failure) + 1 if failure in _UNTOLD else 0


def _failure(step: Step) -> Failure | None:
    """Name the failure of an unanswered transaction; wrong answers count as such."""
    wrong = step.exchange.failure in _UNTOLD and step.exchange.stray_count
    return Failure.NOT_STUN if wrong or step.exchange.answers else step.exchange.failure


def _at(path: Path, stage: Stage, failure: Failure | None, seen: Observation) -> _Broken | None:
    return None if failure is None or failure in UNFINISHED else _Broken(path, stage, failure, seen)


def _udp_works(scene: _Scene, path: Path) -> bool:
    return any(
        other.answered
        for other in scene.paths
        if (other.server, other.address, other.transport) == (path.server, path.address, Transport.UDP)
    )


def _cause(scene: _Scene, broken: _Broken) -> Finding:
    if _no_family(scene, broken):
        return broken.find("family-not-here", family=broken.path.address.family.value)
    if _only_ipv6_dead(scene, broken):
        return broken.find("server-ipv6-silent", why=broken.failure.value)
    if broken.failure in _LOCAL:
        code = _local(scene, broken)
        return broken.find(code, **({"said_by": _reporter(broken)} if code in _TOLD_BY_ROUTERS else {}))
    if broken.failure in _WRONG:
        return _wrong(broken)
    if broken.path.transport is Transport.UDP:
        return _udp(scene, broken)
    return _connect(scene, broken) if broken.stage == "connect" else _stream(scene, broken)


def _local(scene: _Scene, broken: _Broken) -> str:
    """Take "no route" for a router's word about something farther where this computer has a route."""
    routed = has_route(scene.evidence, broken.path.address.family)
    farther = routed and broken.failure is Failure.NETWORK_UNREACHABLE
    return "server-unreachable" if farther else _LOCAL[broken.failure]


def _reporter(broken: _Broken) -> str:
    """Name who sent the ICMP message that ended the wait, as far as that is known."""
    exchange = getattr(broken.seen, "exchange", None)
    return (isinstance(exchange, Exchange) and exchange.refused_by) or "A router on the way, or this computer,"


def _no_family(scene: _Scene, broken: _Broken) -> bool:
    """Whether this computer simply lacks the family, and the server has an address of the other one too."""
    here = has_route(scene.evidence, broken.path.address.family)
    silent = broken.failure in (*_LOCAL, Failure.TIMEOUT) and broken.failure is not Failure.PERMISSION_DENIED
    return silent and not here and bool(_siblings(scene, broken.path))


def _siblings(scene: _Scene, path: Path) -> tuple[Path, ...]:
    """Return the same server's paths over the same transport in the other family."""
    return tuple(
        other
        for other in scene.paths
        if (other.server, other.transport) == (path.server, path.transport)
        and other.address.family is not path.address.family
    )


def _wrong(broken: _Broken) -> Finding:
    """Tell HTTP and TLS from a wrong source or time, and those from no STUN and answers to another question."""
    if broken.failure is Failure.NOT_STUN_HTTP:
        return broken.find("server-speaks-http")
    if broken.failure is Failure.NOT_STUN_TLS:
        return broken.find("plain-on-tls-port")
    exchanges = [step.exchange for step in broken.path.steps]
    answers = [answer for exchange in exchanges for answer in exchange.answers]
    if answers:
        late = all(answer.expected_source for answer in answers)
        return broken.find("answers-too-late" if late else "answered-from-wrong-address")
    whys = {stray.why for exchange in exchanges for stray in exchange.strays}
    return broken.find("answer-is-not-stun" if not whys or whys & _NO_STUN else "answer-does-not-match")


def _udp(scene: _Scene, broken: _Broken) -> Finding:
    if broken.failure is Failure.CONNECTION_REFUSED:
        return broken.find("server-udp-refused", causes=_refusers(scene, broken.path))
    if broken.failure is not Failure.TIMEOUT:
        return broken.find("network-operation-failed", why=broken.failure.value)
    address = broken.path.address
    if address in scene.answers.http:
        return broken.find("server-behind-http-proxy")
    if _stalled(scene, broken.path):
        return broken.find("server-stalled")
    here = any(other.ip == address.ip for other in scene.answers.udp)
    others = here or scene.answers.elsewhere(scene.answers.udp, address.ip)
    if here or any(other.ip == address.ip for other in scene.answers.stream):
        return broken.find("server-udp-filtered" if others else "udp-silent-tcp-answers")
    return _silent(scene, broken, scene.answers.udp)


def _stalled(scene: _Scene, path: Path) -> bool:
    """Whether TCP at the same port is accepted, and STUN over it not answered either: then no firewall is to blame."""
    beside = [other for other in scene.paths if (other.server, other.address) == (path.server, path.address)]
    steps = [step for other in beside if other.transport is Transport.TCP and other.connected for step in other.steps]
    return bool(steps) and all(_failure(step) is Failure.TIMEOUT for step in steps)


def _refusers(scene: _Scene, path: Path) -> str:
    """Name who may have sent the refusal, the likeliest first: the message does not say from whom it is."""
    if path.address in scene.answers.plain:
        return "STUN over TCP answers at the same port, so a firewall rejects UDP, or the service does not listen on it"
    return "Nothing listens on the port, or a firewall on the way rejects the packets with this message"


def _silent(scene: _Scene, broken: _Broken, kind: frozenset[TransportAddress]) -> Finding:
    """Compare with whoever answered the same way beyond this computer; this server's own addresses are weaker proof."""
    path = broken.path
    away = {address.ip for address in kind if address.scope is not Scope.LOOPBACK} - {path.address.ip}
    own = {other.address.ip for other in scene.paths if other.server == path.server}
    if not away:
        return broken.find("server-no-answer")
    return broken.find("server-silent", others="other hosts do" if away - own else "its other addresses do")


def _connect(scene: _Scene, broken: _Broken) -> Finding:
    if broken.failure is Failure.CONNECTION_REFUSED:
        return broken.find("server-tcp-refused")
    if broken.failure is not Failure.TIMEOUT:
        return broken.find("network-operation-failed", why=broken.failure.value)
    ip = broken.path.address.ip
    if any(other.ip == ip for other in scene.answers.udp):
        return broken.find("server-tcp-filtered")
    return _silent(scene, broken, scene.answers.stream)


def _only_ipv6_dead(scene: _Scene, broken: _Broken) -> bool:
    """Whether nobody is at the IPv6 address of a server that is well at its IPv4 address."""
    path = broken.path
    if path.address.family is not Family.IPV6 or broken.failure not in _DEAD:
        return False
    others = any(other.answered or (bool(other.of(Connect)) and other.connected) for other in _siblings(scene, path))
    return others and (broken.stage == "connect" or path.transport is Transport.UDP)


def _stream(scene: _Scene, broken: _Broken) -> Finding:
    """TCP (and TLS) stands; what came back to STUN was nothing, or the end."""
    silent = broken.failure is Failure.TIMEOUT
    if not silent and broken.failure not in _HUNG_UP:
        return broken.find("network-operation-failed", why=broken.failure.value)
    if broken.path.transport is Transport.TCP and broken.path.address in scene.answers.tls:
        return broken.find("plain-on-tls-port")
    count = max((step.exchange.unfinished_bytes for step in broken.path.steps), default=0)
    if silent and count:
        return broken.find("stream-unfinished", count=count)
    return broken.find("stream-silent" if silent else "stream-closed")
