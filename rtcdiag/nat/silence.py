"""When the silence of a filtering test is the NAT's doing, and how likely it is not.

A request with CHANGE-REQUEST went out on a socket that sent nothing but to the server's primary address, and no answer
came. That the NAT's filter dropped it follows only where everything else is excluded:

* the request's way: the plain request on the same socket, to the same destination, was answered;
* the alternate's way: it answered a direct request in this run, so it is up and its packets get here;
* loss: ``loss.p_all_lost`` of the transmissions that were waited for is below one in a thousand;
* the server: it can and does answer from there when asked to.

For the last there are three degrees. **Delivered**: a control socket, which had opened the NAT towards the alternates,
got the same changed answer. Nothing is left to the server. **Obeyed**: behind address-dependent mapping the control
cannot open the way, because its permission for the alternate belongs to another mapping than the one that the answer is
sent to. But another changed answer came, so the server obeys CHANGE-REQUEST, and says in OTHER-ADDRESS from where.
**Bound**: behind address-and-port-dependent mapping and filtering no changed answer can come at all. What is left is
the server's word: OTHER-ADDRESS "informs the client of the source IP address and port that would be used"
(RFC 5780 section 7.4), the alternate names the primary in turn, so that both are one server, and a server that does
not do CHANGE-REQUEST has to answer 420 (RFC 8489 section 6.3.1) or ignores the attribute and answers from the primary;
either answer would have come through. A server that breaks both rules, by dropping the request, is told from a
NAT only by other servers: one operator's word is taken to be wrong in one of fifty cases, and what two independent ones
say in one of 2500. Where the mapping does not forbid the control, its failure is the server's, and nothing follows.
"""

from statistics import median

import msgspec

from rtcdiag.evidence import Binding, Change, Failure
from rtcdiag.nat.behavior import Behavior
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.loss import Tally, p_all_lost, waited_out
from rtcdiag.nat.servers import Server, came_from, changes_of, delivered
from rtcdiag.nat.view import View

LIMIT = 1e-3
"""Silence that is loss with this probability or more decides nothing."""
LEAST_WAIT_MS = 250.0
P_BOUND_BY_WORD = 0.02
"""How often a server that never showed that it obeys CHANGE-REQUEST is taken to drop it; assumed, not measured."""
P_OBEYS_HALF = 0.002
"""How often one that obeyed one kind of CHANGE-REQUEST is taken to drop the other; assumed, not measured."""

_SILENT = (None, Failure.TIMEOUT, Failure.DEADLINE)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What the silences of one family are judged with."""

    view: View
    mapping: tuple[Behavior, ...]
    """The mapping behaviors that are possible."""
    lost: Tally


def pure_tests(view: View, server: Server, change: Change) -> tuple[Binding, ...]:
    """Return the filtering tests whose socket had sent nothing to where the answer has to come from.

    An answer from another IP address needs a socket that never contacted that address; one from another port, a socket
    that never contacted that port (RFC 5780 section 3.2).
    """
    tests = (item for item in changes_of(view, server) if item.purpose == "filtering")
    return tuple(item for item in tests if item.change == change and not _contacted(view, server, item))


def _contacted(view: View, server: Server, test: Binding) -> bool:
    source = server.source(test.change)
    sent_to = view.contacted[test.socket] | view.contacted.get(test.local, set())
    return source in sent_to or (test.change == "address-and-port" and any(item.ip == source.ip for item in sent_to))


def arrivals(view: View, server: Server, change: Change) -> tuple[str, ...]:
    """Return the ids of filtering tests whose answer came from where no packet had been sent to."""
    source = server.source(change)
    return tuple(item.id for item in pure_tests(view, server, change) if came_from(item, source))


def silence(setting: Setting, server: Server, change: Change) -> Judgement[float]:
    """Return the probability that the silence of one kind of test is not the NAT's doing, or why it tells nothing."""
    view, source = setting.view, server.source(change)
    tests = tuple(item for item in pure_tests(view, server, change) if _is_silent(item))
    if not tests:
        return Judgement(why=f"no test for an answer from {source} ran to its end")
    tests = tuple(item for item in tests if _works(view, server, item))
    if not tests:
        return Judgement(why="the plain request on the filtering socket was not answered")
    direct = view.plain.get(source)
    if not direct:
        return Judgement(why=f"its alternate {source} did not answer a direct request")
    sends = max(waited_out(item, _wait_ms(setting, server)) for item in tests)
    p_loss = p_all_lost(setting.lost, sends)
    if p_loss >= LIMIT:
        return Judgement(why=f"loss cannot be excluded: {sends} transmissions, {_told(setting.lost)}")
    control = _vouched(setting, server, change)
    if control.value is None:
        return control
    ids = (*(item.id for item in tests), direct[0][0].id, *control.evidence)
    return Judgement(value=control.value + p_loss, evidence=ids)


def _told(lost: Tally) -> str:
    return f"{lost[0]} of {sum(lost)} others lost"


def _is_silent(test: Binding) -> bool:
    return not test.exchange.answers and test.exchange.failure in _SILENT


def _works(view: View, server: Server, test: Binding) -> bool:
    """Tell whether the test's socket got the server's answer to a plain request."""
    return any(
        item.socket == test.socket or (item.local is not None and item.local == test.local)
        for item, _ in view.plain.get(server.primary, ())
    )


def _wait_ms(setting: Setting, server: Server) -> float:
    rtts = [
        item.exchange.rtt_ms
        for item in setting.view.bindings
        if item.server == server.uri and item.exchange.rtt_ms is not None
    ]
    return max(3 * median(rtts), LEAST_WAIT_MS) if rtts else 2 * LEAST_WAIT_MS


def _vouched(setting: Setting, server: Server, change: Change) -> Judgement[float]:
    """Return the probability that the server sends no such answer although asked to, or why nobody can say."""
    shown = delivered(setting.view, server, change)
    if shown:
        return Judgement(value=0.0, evidence=tuple(item.id for item in shown))
    if _control_is_possible(setting, change):
        return Judgement(why=f"no answer from {server.source(change)} came to the control either")
    if not _is_one_server(setting.view, server):
        return Judgement(why=f"its alternate {server.other} does not name it in turn, and no control is possible")
    obeyed = (*delivered(setting.view, server, "port"), *delivered(setting.view, server, "address-and-port"))
    if obeyed:
        return Judgement(value=P_OBEYS_HALF, evidence=tuple(item.id for item in obeyed))
    return Judgement(value=P_BOUND_BY_WORD)


def _control_is_possible(setting: Setting, change: Change) -> bool:
    """Tell whether a control socket's permission for the alternate may be on the mapping that the answer goes to.

    It is on one mapping for all destinations, and for the ports of one address where only addresses count.
    """
    if change == "address-and-port":
        return "endpoint-independent" in setting.mapping
    return setting.mapping != ("address-and-port-dependent",)


def _is_one_server(view: View, server: Server) -> bool:
    """Tell whether the alternate was asked directly and names the primary as its own alternate."""
    back = view.plain.get(server.other, ())
    return bool(back) and all(answer.other_address == server.primary for _, answer in back)
