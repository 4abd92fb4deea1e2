"""Filtering behavior (RFC 4787 section 5): RFC 5780 section 4.4's tests and those of TURN relays, put together."""

from math import prod

from rtcdiag.address import TransportAddress
from rtcdiag.nat.behavior import BEHAVIORS, Behavior
from rtcdiag.nat.judgement import Class
from rtcdiag.nat.loss import tally, transmissions
from rtcdiag.nat.opinion import Opinion, without_port
from rtcdiag.nat.servers import Server, disobedience, other_address
from rtcdiag.nat.silence import P_OBEYS_HALF, Setting, arrivals, silence
from rtcdiag.nat.vantage import relay_opinions
from rtcdiag.nat.view import View

_REASONS = 4
"""How many servers' reasons are told."""


def filtering_of(view: View, mapping: tuple[Behavior, ...]) -> Class:
    """Classify the filter; ``mapping`` is what is possible of the mapping, which decides what a control can show.

    Every arrival and every proven silence excludes behaviors. What all servers together leave is the class; where they
    leave nothing they contradict each other. An exclusion that rests on one operator's obedience elsewhere needs a
    second operator: a server that obeys one kind of CHANGE-REQUEST and drops the other looks the same.
    """
    opinions = opinions_of(view, mapping) + relay_opinions(view, tally(transmissions(view.bindings)))
    if not opinions:
        return Class(why=_untested(view))
    possible = tuple(item for item in BEHAVIORS if _p_excluded_wrongly(opinions, item) >= P_OBEYS_HALF)
    evidence = tuple(name for opinion in opinions for name in opinion.evidence)
    if not possible:
        return Class(why=f"the servers are inconsistent: {_told(opinions)}", evidence=evidence)
    if len(possible) > 1:
        return Class(possible=possible, why=_at_least(possible) + _reasons(opinions), evidence=evidence)
    return Class(possible=possible, p_wrong=_p_wrong(opinions, possible[0]), evidence=evidence)


def opinions_of(view: View, mapping: tuple[Behavior, ...]) -> tuple[Opinion, ...]:
    """Return what each server that was asked for filtering says, in the order asked."""
    asked = dict.fromkeys(
        (item.server, item.destination)
        for item in view.bindings
        if item.purpose == "filtering" and item.role == "primary"
    )
    setting = Setting(view=view, mapping=mapping, sent=transmissions(view.bindings))
    return tuple(_opinion(setting, uri, primary) for uri, primary in asked)


def _opinion(setting: Setting, uri: str, primary: TransportAddress) -> Opinion:
    operator = setting.view.operators[uri]
    other = other_address(setting.view, primary)
    if other.value is None:
        return Opinion(uri=uri, operator=operator, why=other.why)
    server = Server(uri=uri, operator=operator, primary=primary, other=other.value)
    fault = disobedience(setting.view, server)
    if fault:
        return Opinion(uri=uri, operator=operator, why=fault)
    return _tested(setting, server)


def _tested(setting: Setting, server: Server) -> Opinion:
    """Exclude what the two tests exclude: the answer from the other address, and the one from the other port."""
    doubts: dict[Behavior, float] = {}
    whys: list[str] = []
    evidence: list[str] = []
    far = arrivals(setting.view, server, "address-and-port")
    near = arrivals(setting.view, server, "port")
    if far:
        doubts |= {"address-dependent": 0.0, "address-and-port-dependent": 0.0}
    if near:
        doubts |= {"address-and-port-dependent": 0.0}
    if not far:
        dropped = silence(setting, server, "address-and-port")
        doubts |= {} if dropped.value is None else {"endpoint-independent": dropped.value}
        whys.append(dropped.why)
        evidence += dropped.evidence
    if not near and not far:
        dropped = silence(setting, server, "port")
        doubts |= {} if dropped.value is None else without_port(doubts, dropped.value)
        whys.append(dropped.why)
        evidence += dropped.evidence
    return Opinion(
        uri=server.uri,
        operator=server.operator,
        doubts=doubts,
        why="; ".join(dict.fromkeys(filter(None, whys))),
        evidence=(*far, *near, *evidence),
    )


def _p_wrong(opinions: tuple[Opinion, ...], behavior: Behavior) -> float:
    """Return the greater of the probabilities that every operator wrongly excluded one of the other behaviors.

    Not their sum: the silence that wrongly excludes the more permissive one wrongly excludes the other too.
    """
    return max(_p_excluded_wrongly(opinions, other) for other in BEHAVIORS if other != behavior)


def _p_excluded_wrongly(opinions: tuple[Opinion, ...], behavior: Behavior) -> float:
    by_operator: dict[str, float] = {}
    for opinion in opinions:
        doubt = opinion.doubts.get(behavior, 1.0)
        by_operator[opinion.operator] = min(doubt, by_operator.get(opinion.operator, 1.0))
    return prod(by_operator.values())


def _untested(view: View) -> str:
    primary = {item.destination for item in view.bindings if item.role == "primary"}
    named = {address: other_address(view, address) for address in view.plain if address in primary}
    if not named or any(other.value is not None for other in named.values()):
        return view.silent or "no filtering test was made"
    if any(answer.other_address is not None for address in named for _, answer in view.plain[address]):
        return "; ".join(dict.fromkeys(f"{address} {other.why}" for address, other in named.items()))
    return (
        "no server that was asked can answer from another address (RFC 5780); name one that can, "
        "or a TURN server with credentials, whose relay can test it"
    )


def _told(opinions: tuple[Opinion, ...]) -> str:
    told = [f"{opinion.uri} says {' or '.join(opinion.possible) or 'nothing'}" for opinion in opinions]
    return ", ".join(told[:_REASONS])


def _at_least(possible: tuple[Behavior, ...]) -> str:
    return "" if possible == BEHAVIORS else f"{' or '.join(possible)}; "


def _reasons(opinions: tuple[Opinion, ...]) -> str:
    told: dict[str, dict[str, None]] = {}
    for opinion in opinions:
        if opinion.why or _is_alone(opinion):
            told.setdefault(opinion.uri, {})[opinion.why or _ALONE] = None
    if len(opinions) == 1:
        return "".join(why for whys in told.values() for why in whys)
    return "; ".join([f"{uri}: {'; '.join(whys)}" for uri, whys in told.items()][:_REASONS])


_ALONE = "whether it would have answered from its other address is not shown; a second operator has to say the same"


def _is_alone(opinion: Opinion) -> bool:
    return any(doubt >= P_OBEYS_HALF for doubt in opinion.doubts.values())
