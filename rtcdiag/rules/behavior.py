"""What a STUN server offers for NAT tests (RFC 5780). One that offers nothing is not broken for calls."""

from collections.abc import Iterator

from rtcdiag.address import Scope, TransportAddress
from rtcdiag.evidence import Binding, Evidence, Failure, VantageKnock
from rtcdiag.findings import Facts, Finding, find
from rtcdiag.nat import classify, nat64_of
from rtcdiag.rules.paths import Path, about, direct_paths, targets_of


def change_request(evidence: Evidence) -> Iterator[Finding]:
    """Tell servers that refuse CHANGE-REQUEST, and servers that answer as if it were not there."""
    targets = targets_of(evidence)
    # A server that does not do RESPONSE-PORT refuses it the same way, and may well do CHANGE-REQUEST.
    asked = evidence.of(Binding, lambda item: item.change != "none" and item.response_port is None)
    for server, address in dict.fromkeys((item.server, item.destination) for item in asked):
        here = [item for item in asked if (item.server, item.destination) == (server, address)]
        for code, disobeys in (("stun-refuses-change-request", _refuses), ("stun-ignores-change-request", _ignores)):
            seen = [item for item in here if disobeys(item)]
            if seen:
                yield about(targets.get(server), server, code, *seen, address=str(address), transport="udp")
        strange = [item for item in here if _strange(item)]
        if strange:
            facts: Facts = {"source": str(_strange(strange[0])), "address": str(address), "transport": "udp"}
            yield about(targets.get(server), server, "stun-changes-to-wrong-address", *strange, **facts)
        if _drops(evidence, server, address, here):
            facts = {"address": str(address), "transport": "udp"}
            yield about(targets.get(server), server, "stun-drops-change-request", *here, **facts)


def _strange(item: Binding) -> TransportAddress | None:
    """Return from where an answer came that was neither asked for nor the address that was asked."""
    asked = (item.destination, item.answer_from)
    sources = (answer.source for answer in item.exchange.answers if not answer.expected_source)
    return next((source for source in sources if source is not None and source not in asked), None)


def _drops(evidence: Evidence, server: str, address: TransportAddress, asked: list[Binding]) -> bool:
    """Whether a server answers everything but CHANGE-REQUEST, and no mapping of this network explains it.

    The control's socket had sent to the alternates before, so a filter alone would have let their answers in.
    """
    plain = evidence.of(Binding, lambda item: item.server == server and item.change == "none")
    answered = {item.role for item in plain if item.exchange.succeeded and item.destination.family is address.family}
    silent = all(not item.exchange.answers and item.exchange.failure is Failure.TIMEOUT for item in asked)
    if not silent or not {"primary", "alternate-address-and-port"} <= answered:
        return False
    if {item.purpose for item in asked} != {"filtering", "control"}:
        return False
    nat = classify(evidence, address.family)
    return nat is not None and nat.mapping == "endpoint-independent"


def _refuses(item: Binding) -> bool:
    return any(answer.error_code == 420 for answer in item.exchange.answers)


def _ignores(item: Binding) -> bool:
    return any(answer.success and answer.source == item.destination for answer in item.exchange.answers)


def other_address(evidence: Evidence) -> Iterator[Finding]:
    """Check the alternate address that servers announce (RFC 5780 section 7.4), and whether anything answers there."""
    nat64 = nat64_of(evidence)
    for path in direct_paths(evidence):
        answered = [(item, item.exchange.answer) for item in path.of(Binding)]
        announced = [(item, answer.other_address) for item, answer in answered if answer and answer.other_address]
        if announced:
            yield from _announced(path, nat64.ipv4_of(path.address) or path.address, *announced[0])
            yield from _silent(evidence, path)


def _announced(path: Path, primary: TransportAddress, item: Binding, other: TransportAddress) -> Iterator[Finding]:
    """Hold what a server announces against its own address, behind a NAT64 its IPv4 address."""
    wrong = {
        "it has another scope than the address that was asked": other.scope is not primary.scope,
        "it is of another family": other.family is not primary.family,
        "its address is the one that was asked": other.ip == primary.ip,
        "its port is the one that was asked": other.port == primary.port,
        "port 0 is no port": other.port == 0,
    }
    why = next((words for words, holds in wrong.items() if holds), None)
    if why is not None:
        yield path.find("stun-other-address-implausible", item, other=str(other), why=why)


def _silent(evidence: Evidence, path: Path) -> Iterator[Finding]:
    asked = evidence.of(Binding, lambda item: item.server == path.server and item.role != "primary")
    plain = [item for item in asked if item.change == "none" and item.destination.family is path.address.family]
    answered = {item.destination for item in plain if item.exchange.answers}
    silent = [item for item in plain if item.destination not in answered]
    if silent:
        others = list(dict.fromkeys(str(item.destination) for item in silent))
        yield path.find("stun-alternate-silent", *silent, other=others)


def no_behavior_server(evidence: Evidence) -> Iterator[Finding]:
    """Say that no server could test the filtering, where a NAT test was wanted and servers answered."""
    asked = evidence.of(Binding, lambda item: item.purpose in ("mapping", "filtering"))
    answered = [item for item in asked if item.exchange.succeeded]
    offers = any(answer.other_address for item in evidence.of(Binding) for answer in item.exchange.answers)
    if answered and not offers and not evidence.of(VantageKnock):
        yield find("no-nat-behavior-server", *(item.id for item in answered[:5]), servers=len(answered))


def origin(evidence: Evidence) -> Iterator[Finding]:
    """Compare where a server says that it answers from (RFC 5780 section 7.3) with where its answers come from."""
    nat64 = nat64_of(evidence)
    for path in direct_paths(evidence):
        primary = nat64.ipv4_of(path.address) or path.address
        for item in path.of(Binding):
            told = item.exchange.answer.response_origin if item.exchange.succeeded and item.exchange.answer else None
            if told is not None and told.scope is not Scope.UNSPECIFIED and told != primary:
                yield path.find("stun-origin-elsewhere", item, origin=str(told))
                break
