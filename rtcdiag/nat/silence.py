"""When the silence of a filtering test is the NAT's doing, and how likely it is not.

A request with CHANGE-REQUEST went out on a socket that sent nothing but to the server's primary address, and no answer
came. That the NAT's filter dropped it follows only where everything else is excluded:

* the request's way: the plain request on the same socket, to the same destination, was answered;
* the alternate's way: it answered a direct request in this run, so it is up and its packets get here;
* loss: ``loss.p_all_lost`` of the transmissions that were waited for is below one in a thousand; those that went out
  while all else towards the server was lost do not count, for they are one burst;
* the server: it can and does answer from there when asked to.

For the last there are two degrees. **Delivered**: a control socket, which had opened the NAT towards the alternates,
got the same changed answer. Nothing is left to the server. Behind dependent mapping the permission for the alternate is
on another mapping than the one that a plain changed answer is sent to, so the control asks for the answer on that one
(RESPONSE-PORT, RFC 5780 section 7.5). **Obeyed**: the server does not do that, but another changed answer came, so it
obeys CHANGE-REQUEST, says in OTHER-ADDRESS from where, and that address names the primary in turn, so that both are one
server. Anything less is the server's word, and no proof: a firewall that drops requests with CHANGE-REQUEST, or answers
from the alternate, would look just like a strict NAT.
"""

from statistics import median

import msgspec

from rtcdiag.evidence import Binding, Change, Failure
from rtcdiag.nat.behavior import Behavior
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.loss import Tally, Transmission, last_waited_ms, not_excluded, p_all_lost, tally, telling
from rtcdiag.nat.servers import Server, came_from, changes_of, delivered
from rtcdiag.nat.view import View

LIMIT = 1e-3
"""Silence that is loss with this probability or more decides nothing."""
LEAST_WAIT_MS = 250.0
P_OBEYS_HALF = 0.002
"""How often one that obeyed one kind of CHANGE-REQUEST is taken to drop the other; assumed, not measured."""

_SILENT = (None, Failure.TIMEOUT, Failure.DEADLINE, Failure.INTERRUPTED)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What the silences of one family are judged with."""

    view: View
    mapping: tuple[Behavior, ...]
    """The mapping behaviors that are possible."""
    sent: tuple[Transmission, ...]
    """What became of all else that was sent."""

    @property
    def lost(self) -> Tally:
        """How much of that was lost, and answered."""
        return tally(self.sent)


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
    wait_ms = patience_ms(view.bindings, server.uri)
    sends = max(telling(item, setting.sent, last_waited_ms(item, wait_ms)) for item in tests)
    p_loss = p_all_lost(setting.lost, sends)
    if p_loss >= LIMIT:
        return Judgement(why=not_excluded(sends, setting.lost))
    control = _vouched(setting, server, change)
    if control.value is None:
        return control
    ids = (*(item.id for item in tests), direct[0][0].id, *control.evidence)
    return Judgement(value=control.value + p_loss, evidence=ids)


def _is_silent(test: Binding) -> bool:
    return not test.exchange.answers and test.exchange.failure in _SILENT


def _works(view: View, server: Server, test: Binding) -> bool:
    """Tell whether the test's socket got the server's answer to a plain request."""
    return any(
        item.socket == test.socket or (item.local is not None and item.local == test.local)
        for item, _ in view.plain.get(server.primary, ())
    )


def patience_ms(bindings: tuple[Binding, ...], server: str) -> float:
    """Return how long a server's answer has to be waited for, after the round trips of this run, best its own."""
    timed = [item for item in bindings if item.exchange.rtt_ms is not None]
    own = [item.exchange.rtt_ms or 0.0 for item in timed if item.server == server]
    if own:
        return max(3 * median(own), LEAST_WAIT_MS)
    return max(3 * median(item.exchange.rtt_ms or 0.0 for item in timed) if timed else 0.0, 2 * LEAST_WAIT_MS)


def _vouched(setting: Setting, server: Server, change: Change) -> Judgement[float]:
    """Return the probability that the server sends no such answer although asked to, or why nobody can say."""
    shown = delivered(setting.view, server, change)
    if shown:
        return Judgement(value=0.0, evidence=tuple(item.id for item in shown))
    source = server.source(change)
    if _control_is_possible(setting, change):
        return Judgement(why=f"no answer from {source} came to the control either")
    obeyed = (*delivered(setting.view, server, "port"), *delivered(setting.view, server, "address-and-port"))
    if obeyed and _is_one_server(setting.view, server):
        return Judgement(value=P_OBEYS_HALF, evidence=tuple(item.id for item in obeyed))
    return Judgement(why="behind this mapping the control needs RESPONSE-PORT (RFC 5780), and no such answer came")


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
