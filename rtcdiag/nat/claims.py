"""Whether it is more than one operator's word that a mapping depends on the destination.

A server that tells only its alternate another port makes an endpoint-independent mapping look dependent, and nobody is
there to contradict it. So what the two told is believed only where it was shown to be right: an answer that the server
sent to the very port (RESPONSE-PORT) arrived at the socket, or the NAT keeps ports and both addresses told new sockets
the ports that these have here, which no server can know.
"""

from rtcdiag.evidence import Binding
from rtcdiag.nat.answers import valid_answer
from rtcdiag.nat.samples import Sample
from rtcdiag.nat.view import View

_LEAST_KEPT = 2
"""So many sockets have to have kept their port, as each address told."""


def doubt(samples: tuple[Sample, ...], view: View) -> str:
    """Say why nothing shows that one socket has two mapped addresses; empty where something does."""
    if any(_differ(one, other) for one in _shown(samples, view) for other in _shown(samples, view)):
        return ""
    pairs = [(one, other) for one in samples for other in samples if _differ(one, other)]
    if any(_knows_ports(one, view) and _knows_ports(other, view) for one, other in pairs):
        return ""
    told = sorted({str(sample.mapped) for sample in samples})
    return (
        f"only {samples[0].server} tells that one socket has the addresses {', '.join(told)}, and {_why(samples, view)}"
    )


def _differ(one: Sample, other: Sample) -> bool:
    return one.destination.ip != other.destination.ip and one.mapped != other.mapped


def _shown(samples: tuple[Sample, ...], view: View) -> tuple[Sample, ...]:
    """Return those to whose port the server sent an answer that arrived at the socket."""
    return tuple(
        sample for sample in samples if any(item.heard_on == sample.socket[0] for item in _tests(sample, view))
    )


def _tests(sample: Sample, view: View) -> tuple[Binding, ...]:
    """Return the requests for an answer to the port that a sample told, from where it was told."""
    return tuple(
        item
        for item in view.bindings
        if (item.response_port, item.destination, item.change) == (sample.mapped.port, sample.destination, "none")
    )


def _knows_ports(told: Sample, view: View) -> bool:
    """Tell whether an IP address told other sockets than this one the ports that they have on this computer."""
    kept = {
        sample.socket
        for sample in view.samples
        if sample.destination.ip == told.destination.ip
        and sample.socket != told.socket
        and sample.local is not None
        and sample.local.port == sample.mapped.port
    }
    return len(kept) >= _LEAST_KEPT


def _why(samples: tuple[Sample, ...], view: View) -> str:
    tests = [(sample, item) for sample in samples for item in _tests(sample, view)]
    refused = next((item for _, item in tests if item.exchange.answers and valid_answer(item) is None), None)
    if refused is not None:
        error = refused.exchange.answers[0].error_code
        return f"it cannot be checked: it refuses RESPONSE-PORT (RFC 5780) with error {error}"
    if any(item.exchange.answers and item.heard_on is None for _, item in tests):
        return "it cannot be checked: it ignores RESPONSE-PORT (RFC 5780)"
    lost = next((sample.mapped.port for sample, item in tests if not item.exchange.answers), None)
    return "it was not checked" if lost is None else f"no answer that it was asked to send to port {lost} arrived"
