"""STUN Binding transactions: reachability, mapping, filtering and their controls."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Observation
from rtcdiag.evidence.wire import Exchange
from rtcdiag.targets import Transport

Purpose = Literal["reach", "mapping", "filtering", "control", "ports", "tracking"]
Change = Literal["none", "address-and-port", "port"]
Role = Literal["primary", "alternate-address", "alternate-port", "alternate-address-and-port"]


class Binding(Observation, frozen=True, kw_only=True, tag=True):
    """One Binding transaction (RFC 8489 section 12), with or without CHANGE-REQUEST (RFC 5780 section 7.2)."""

    server: str
    """The URI that was asked."""
    purpose: Purpose
    """``reach``: does it answer. ``mapping``, ``filtering``: RFC 5780 sections 4.3 and 4.4. ``control``: proves that
    the server can send what a filtering test waits for. ``ports``: one of many sockets, to see how ports are chosen.
    ``tracking``: from a filtering test's socket to where its swallowed answer came from, to see whether that cost the
    port."""
    socket: str
    """The socket's label. The same label is the same local port; mapping and filtering never share one."""
    transport: Transport = Transport.UDP
    local: TransportAddress | None
    """The address on this computer, with the interface's address even where the socket is bound to any."""
    interface: str | None = None
    destination: TransportAddress
    """Where the request went."""
    role: Role = "primary"
    """What the destination is to the server's primary address and port."""
    change: Change = "none"
    """What CHANGE-REQUEST asked the server to change for its answer."""
    response_port: int | None = None
    """RESPONSE-PORT (RFC 5780 section 7.5): to which port of this host's public address the answer was to go."""
    heard_on: str | None = None
    """The label of the other socket at which the answer arrived, where RESPONSE-PORT led it there."""
    answer_from: TransportAddress | None = None
    """From where the answer has to come; None where any source was accepted."""
    exchange: Exchange
