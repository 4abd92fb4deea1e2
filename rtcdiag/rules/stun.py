"""Binding answers: what a STUN server said, and whether it can be true."""

from collections import Counter
from collections.abc import Iterator
from statistics import median

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import Answer, Binding, Challenge, Evidence, Failure
from rtcdiag.findings import Facts, Finding, Severity
from rtcdiag.nat import nat64_of
from rtcdiag.rules.allocation import redirected
from rtcdiag.rules.paths import Path, clip, direct_paths, paths
from rtcdiag.targets import Transport

_FAR_MS = 500.0
_HERE = "Between two programs of one computer nothing rewrites packets: the server is wrong."
_ON_THE_WAY = (
    "Something on the way rewrites addresses (a router that 'helps', an ALG), or the server is wrong. STUN is made to "
    "survive the former; SIP and other protocols may not."
)
_NOWHERE = (Scope.UNSPECIFIED, Scope.MULTICAST, Scope.RESERVED)


def binding(evidence: Evidence) -> Iterator[Finding]:
    """Judge the answers to Binding requests on each path that was asked for."""
    for path in direct_paths(evidence):
        answered = [(item, item.exchange.answer) for item in path.of(Binding) if item.exchange.answer]
        if not answered:
            yield from _unanswered(path)
            continue
        item, answer = next(((item, answer) for item, answer in answered if answer.success), answered[0])
        if answer.success:
            yield from _mapped(evidence, path, item, answer)
        else:
            yield _refused(path, item, answer)


def quality(evidence: Evidence) -> Iterator[Finding]:
    """Judge loss and distance over the samples of each path."""
    for path in direct_paths(evidence):
        asked = path.of(Binding)
        lost = [item for item in asked if item.exchange.failure is Failure.TIMEOUT]
        if path.transport is Transport.UDP and lost and any(item.exchange.answer for item in asked):
            yield path.find("stun-loss", *lost, lost=len(lost), sent=len(asked))
        times = [item.exchange.rtt_ms for item in asked if item.exchange.rtt_ms is not None]
        if times and median(times) > _FAR_MS:
            yield path.find("server-far", *asked, rtt_ms=round(median(times)))


def software(evidence: Evidence) -> Iterator[Finding]:
    """Repeat what each server says that it is."""
    told: dict[str, tuple[Path, Answer]] = {}
    for path in paths(evidence):
        for step in path.steps if path.is_direct else ():
            answer = step.exchange.answer
            if answer is not None and clip(answer.software):
                told.setdefault(path.server, (path, answer))
    for path, answer in told.values():
        yield path.find("server-software", software=clip(answer.software))


def rewritten(evidence: Evidence) -> Iterator[Finding]:
    """Compare MAPPED-ADDRESS, which a middlebox can find in the packet, with XOR-MAPPED-ADDRESS, which it cannot."""
    for path in paths(evidence):
        for item in path.of(Binding) if path.is_direct else ():
            answer = item.exchange.answer
            if answer and answer.mapped and answer.xor_mapped and answer.mapped != answer.xor_mapped:
                here = path.address.scope is Scope.LOOPBACK
                facts: Facts = {"mapped": str(answer.mapped), "xor_mapped": str(answer.xor_mapped)}
                yield path.find("address-rewritten", item, cause=_HERE if here else _ON_THE_WAY, **facts)
                break


def outvoted(evidence: Evidence) -> Iterator[Finding]:
    """Find the server that reports another public IP address than all others do, in one family."""
    for here in _comparable(evidence):
        views = {path.server: path for path in here}
        votes = Counter(map(_mapped_ip, views.values()))
        for winner, count in votes.items():
            odd = [path for path in views.values() if _mapped_ip(path) != winner]
            if count > 1 and len(odd) == 1:
                facts: Facts = {"mapped": _mapped_ip(odd[0]), "others": winner, "servers": count}
                yield odd[0].find("mapped-address-outvoted", *odd[0].of(Binding)[:1], **facts)


def _comparable(evidence: Evidence) -> Iterator[tuple[Path, ...]]:
    """Yield the paths of one family that left by one interface.

    None where one server saw two addresses of this computer: a NAT with several gives other servers others, too.
    """
    found: dict[tuple[Family, str | None], list[Path]] = {}
    for path in direct_paths(evidence):
        mapped = _mapped_address(path) if path.transport is Transport.UDP else None
        if mapped is not None:
            found.setdefault((_seen_family(evidence, path, mapped), path.of(Binding)[0].interface), []).append(path)
    for (family, _), here in found.items():
        told: dict[TransportAddress, set[str]] = {}
        for item in evidence.of(Binding, lambda item: item.transport is Transport.UDP):
            answer = item.exchange.answer
            if answer and answer.reflexive and answer.reflexive.family is family:
                told.setdefault(item.destination, set()).add(answer.reflexive.host)
        if all(len(hosts) == 1 for hosts in told.values()):
            yield tuple(here)


def _mapped_ip(path: Path) -> str | None:
    mapped = _mapped_address(path)
    return mapped.host if mapped is not None else None


def _mapped_address(path: Path) -> TransportAddress | None:
    answers = [item.exchange.answer for item in path.of(Binding)]
    return next((answer.reflexive for answer in answers if answer and answer.reflexive), None)


def _unanswered(path: Path) -> Iterator[Finding]:
    silent = path.of(Binding)
    if silent and any(item.exchange.answer for item in path.of(Challenge)):
        yield path.find("turn-no-binding", *silent)


def _refused(path: Path, item: Binding, answer: Answer) -> Finding:
    severity = None if _is_stun(path) else Severity.WARNING
    if answer.error_code == 401:
        return path.find("binding-needs-credentials", item, severity=severity)
    if answer.error_code == 300:
        return redirected(path, item, answer, "binding", severity)
    return path.find("binding-rejected", item, severity=severity, error_code=answer.error_code or 0)


def _is_stun(path: Path) -> bool:
    return path.target is None or path.target.protocol == "stun"


def _mapped(evidence: Evidence, path: Path, item: Binding, answer: Answer) -> Iterator[Finding]:
    severity = None if _is_stun(path) else Severity.WARNING
    mapped = answer.reflexive
    if mapped is None:
        yield path.find("binding-without-address", item, severity=severity)
        return
    if answer.xor_mapped is None:
        yield path.find("stun-without-xor-mapped-address", item)
    facts: Facts = {"mapped": str(mapped), "scope": mapped.scope.value}
    if mapped.scope in _NOWHERE or mapped.port == 0 or mapped.family is not _seen_family(evidence, path, mapped):
        yield path.find("mapped-address-implausible", item, severity=severity, **facts)
    elif path.address.scope is Scope.LOOPBACK and item.local not in (None, mapped):
        yield path.find("mapped-address-not-ours", item, local=str(item.local), **facts)
    elif _is_rewritten_source(evidence, path, item, mapped):
        yield path.find("mapped-address-private", item, **facts)


def _seen_family(evidence: Evidence, path: Path, mapped: TransportAddress) -> Family:
    """Return the family that a server has to see: that of its address, or IPv4 behind a NAT64."""
    if mapped.family is path.address.family:
        return mapped.family
    return (nat64_of(evidence).ipv4_of(path.address) or path.address).family


def _is_rewritten_source(evidence: Evidence, path: Path, item: Binding, mapped: TransportAddress) -> bool:
    """Whether a public server saw a source that is neither public nor ours: something in front of it replaced it."""
    own = {address for interface in evidence.environment.interfaces for address in interface.addresses}
    own |= {item.local.host} if item.local else set()
    return path.address.scope is Scope.GLOBAL and mapped.scope is not Scope.GLOBAL and mapped.host not in own
