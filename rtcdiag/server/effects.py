"""What the server's logic asks the sockets to do. The logic itself never touches one."""

from typing import Literal, NamedTuple

from rtcdiag.address import Family, TransportAddress


class Client(NamedTuple):
    """The 5-tuple that names a client (RFC 8656 section 3): where it came from, where it came to, over what."""

    transport: Literal["udp", "tcp"]
    local: TransportAddress
    remote: TransportAddress


class Send(NamedTuple):
    """Send to a client from `client.local`; over TCP on its connection."""

    client: Client
    data: bytes


class OpenRelay(NamedTuple):
    """Bind a UDP socket for an allocation, then say `relay_opened` or `relay_failed`."""

    client: Client
    family: Family
    even_port: bool = False
    reserve_next: bool = False
    """Hold the port above for another allocation, and name a token for it."""
    token: bytes | None = None
    """Use the socket that was held under this token."""


class CloseRelay(NamedTuple):
    """Close the relay socket of a client."""

    client: Client


class SendToPeer(NamedTuple):
    """Send from a client's relay socket to a peer."""

    client: Client
    peer: TransportAddress
    data: bytes


Effect = Send | OpenRelay | CloseRelay | SendToPeer
