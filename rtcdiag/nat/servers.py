"""Servers that can answer from another address (RFC 5780): what they claim, and what of it was shown."""

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Answer, Binding, Change
from rtcdiag.nat.answers import valid_answer
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.view import View


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One server at one address that named a valid alternate."""

    uri: str
    operator: str
    primary: TransportAddress
    other: TransportAddress
    """Its OTHER-ADDRESS: another IP address and another port."""

    def source(self, change: Change) -> TransportAddress:
        """Return from where the answer to a CHANGE-REQUEST to the primary has to come (RFC 5780 section 6.1)."""
        return self.other if change == "address-and-port" else TransportAddress(self.primary.ip, self.other.port)


def other_address(view: View, primary: TransportAddress) -> Judgement[TransportAddress]:
    """Return the OTHER-ADDRESS that the server at ``primary`` names, where it can be one (RFC 5780 section 7.4)."""
    named = {
        answer.other_address: item.id
        for item, answer in view.plain.get(primary, ())
        if answer.other_address is not None
    }
    if not named:
        return Judgement(why="names no OTHER-ADDRESS, so it cannot test filtering")
    if len(named) > 1:
        return Judgement(why=f"names several OTHER-ADDRESSes: {', '.join(map(str, sorted(named)))}")
    ((other, evidence),) = named.items()
    fault = _fault_of(other, primary)
    return Judgement(why=fault) if fault else Judgement(value=other, evidence=(evidence,))


def _fault_of(other: TransportAddress, primary: TransportAddress) -> str:
    if other.family is not primary.family:
        return f"names an OTHER-ADDRESS of another family: {other}"
    if other.scope is not primary.scope:
        return f"names an OTHER-ADDRESS that is {other.scope}: {other}"
    if other.ip == primary.ip:
        return f"names its own IP address as OTHER-ADDRESS: {other}"
    if other.port in (0, primary.port):
        return f"names the port {other.port} in OTHER-ADDRESS: {other}"
    return ""


def changes_of(view: View, server: Server) -> tuple[Binding, ...]:
    """Return all transactions with the server that asked for an answer from elsewhere."""
    return view.changes.get((server.uri, server.primary), ())


def delivered(view: View, server: Server, change: Change) -> tuple[Binding, ...]:
    """Return the transactions of any socket whose answer came from where ``change`` asked for."""
    return tuple(
        item for item in changes_of(view, server) if item.change == change and came_from(item, server.source(change))
    )


def came_from(binding: Binding, source: TransportAddress) -> bool:
    """Tell whether the answer that counts came from there: the packet's source, not what an attribute says."""
    answer = valid_answer(binding)
    return answer is not None and answer.source == source


def disobedience(view: View, server: Server) -> str:
    """Say what the server did instead of answering from where it was asked to; empty where nothing was seen."""
    for item in changes_of(view, server):
        for answer in item.exchange.answers:
            if item.response_port is not None and not answer.success:
                continue  # RESPONSE-PORT is optional (RFC 5780 section 6): refusing it says nothing of CHANGE-REQUEST
            fault = _disobeyed(answer, server, item.change)
            if fault:
                return fault
    return ""


def _disobeyed(answer: Answer, server: Server, change: Change) -> str:
    if not answer.success:
        return f"refuses CHANGE-REQUEST with error {answer.error_code}"
    if answer.source == server.primary:
        return f"ignores CHANGE-REQUEST: it answered from {server.primary}"
    if answer.source != server.source(change) or not answer.expected_source:
        return f"answered from {answer.source} where {server.source(change)} was asked for"
    return ""
