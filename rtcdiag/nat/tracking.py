"""Does a NAT take note of a packet that nobody inside asked for, so that it costs the port towards its sender.

Linux does where its firewall lets unasked packets to the router itself in (nftables' and iptables' input policy
``accept``): netfilter tracks them as connections of its own, and a masquerade that keeps ports otherwise has to take
another one towards their sender. A NAT that drops or rejects them, or maps by endpoint alone, keeps its port.

After the silence of a filtering test, its socket asks just where the swallowed answer came from.
"""

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding
from rtcdiag.nat.answers import valid_answer
from rtcdiag.nat.judgement import NO_NAT, Class, Judgement
from rtcdiag.nat.servers import Server, other_address
from rtcdiag.nat.silence import Setting, silence


def tracking_of(setting: Setting, behind_nat: bool | None, mapping: Class, filtering: Class) -> Judgement[bool]:
    """Tell whether a swallowed packet changed the mapped port towards its sender.

    No only where it is proven that there was such a packet: the silence was the NAT's doing.
    """
    why = _pointless(setting, behind_nat, mapping)
    if why:
        return Judgement(why=why)
    if filtering.possible == ("endpoint-independent",):
        return Judgement(value=False, p_wrong=filtering.p_wrong, evidence=filtering.evidence)
    if "address-and-port-dependent" not in filtering.possible:
        return Judgement(why="it is tested only behind a filter that counts ports")
    found = [_judged(setting, item) for item in setting.view.followed_up]
    known = [item for item in found if item.value is not None]
    if not known:
        whys = dict.fromkeys(item.why for item in found)
        return Judgement(why="; ".join(whys) or "no server was asked where a swallowed answer came from")
    if len({item.value for item in known}) > 1:
        return Judgement(why="after one server's swallowed answer the port changed, after another's it did not")
    return min(known, key=lambda item: item.p_wrong or 0.0)


def _pointless(setting: Setting, behind_nat: bool | None, mapping: Class) -> str:
    if behind_nat is False:
        return NO_NAT
    if setting.view.silent:
        return setting.view.silent
    if mapping.behavior == "endpoint-independent":
        return ""
    if "endpoint-independent" not in mapping.possible:
        return "the port depends on the destination anyway"
    return "whether the port depends on the destination is not known"


def _judged(setting: Setting, asked: Binding) -> Judgement[bool]:
    if asked.server in setting.view.distrusted:
        return Judgement(why=setting.view.distrusted[asked.server])
    before, after = _mapped_before(setting, asked), valid_answer(asked)
    if before is None or after is None or after.reflexive is None:
        return Judgement(why=f"{asked.destination}, where a swallowed answer came from, was not heard of afterwards")
    swallowed = _swallowed(setting, asked)
    if swallowed.value is None:
        return Judgement(why=swallowed.why)
    return Judgement(value=after.reflexive != before, p_wrong=swallowed.value, evidence=(asked.id, *swallowed.evidence))


def _mapped_before(setting: Setting, asked: Binding) -> TransportAddress | None:
    """Return the mapped address of the same socket towards the server's primary address."""
    plain = (
        answer.reflexive
        for replies in setting.view.plain.values()
        for item, answer in replies
        if (item.server, item.socket, item.role) == (asked.server, asked.socket, "primary")
    )
    return next(plain, None)


def _swallowed(setting: Setting, asked: Binding) -> Judgement[float]:
    """Return the probability that no answer was swallowed from there, or why nobody can say."""
    view = setting.view
    for primary in {item.destination for item in view.bindings if item.socket == asked.socket}:
        other = other_address(view, primary)
        if other.value is None:
            continue
        server = Server(uri=asked.server, operator=view.operators[asked.server], primary=primary, other=other.value)
        if server.source("port") == asked.destination:
            return silence(setting, server, "port")
    return Judgement(why=f"{asked.destination} is not the other port of the server that was asked")
