"""The way out: what the default gateway says of itself, and which routers stand behind it."""

from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure, Observation

PortMappingProtocol = Literal["nat-pmp", "pcp", "upnp-igd"]
GatewayQuestion = Literal["external-address", "announce", "discovery", "description", "status"]
GatewayProblem = Literal["not-understood", "description-elsewhere", "description-unusable"]


class GatewayQuery(Observation, frozen=True, kw_only=True, tag=True):
    """One read-only question to the default gateway, and what came back. None of them makes a mapping."""

    protocol: PortMappingProtocol
    question: GatewayQuestion
    destination: TransportAddress
    """The gateway; a link-local address stands without its zone, see ``interface``."""
    local: str | None = None
    """The IP address here that asks; the port does not matter."""
    interface: str | None = None
    sent_ms: tuple[float, ...] = ()
    failure: Failure | None = None
    """Why there was no answer."""
    problem: GatewayProblem | None = None
    """What is wrong with the answer.

    ``description-elsewhere``: the URL is not on the gateway, and was not followed; ``description-unusable``: too much,
    too slow, or no description of a gateway.
    """
    version: int | None = None
    """Of the protocol that the answer is in: 0 is NAT-PMP, 2 is PCP. For UPnP that of the Internet Gateway Device."""
    result: int | None = None
    """The protocol's own code: 0 is success. RFC 6886 section 3.5, RFC 6887 section 7.4, or an error code of UPnP."""
    result_name: str | None = None
    """``NOT_AUTHORIZED``, ``ADDRESS_MISMATCH``, …; ``UNKNOWN`` for a code without a name."""
    epoch_s: int | None = None
    """For how long the server has kept its mappings, as it says."""
    external_address: str | None = None
    """What the gateway says its external IP address is; may be nonsense, and is never contacted."""
    connection_status: str | None = None
    """``Connected``, …: UPnP's word for the state of the line."""
    device: str | None = None
    """Manufacturer and model as the device says, printable ASCII, bounded."""

    @property
    def succeeded(self) -> bool:
        """Whether the gateway answered the question."""
        return self.result == 0


class Hop(Observation, frozen=True, kw_only=True, tag=True):
    """A router that said that a packet to a server had no hop left (ICMP time exceeded)."""

    server: str
    destination: TransportAddress
    router: str
    """Its IP address on the side from which the packet came; nothing proves it."""
    ttl: int | None = None
    """How many hops the packet was allowed; None where the router did not quote enough of it."""
