"""What a NAT does, in the words of RFC 4787, and how sure that is."""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress

Behavior = Literal["endpoint-independent", "address-dependent", "address-and-port-dependent", "undetermined"]
Pooling = Literal["paired", "arbitrary"]
HairpinSource = Literal["external", "internal"]
PortAssignment = Literal["preserved", "sequential", "block", "random"]
"""How a new mapping gets its port: the local one; the next after the one before; any of a small block; any."""

BEHAVIORS: tuple[Behavior, ...] = ("endpoint-independent", "address-dependent", "address-and-port-dependent")
"""What a mapping or a filter can be, the most permissive first."""


class Certainty(msgspec.Struct, frozen=True, kw_only=True):
    """On what a class rests."""

    p_wrong: float | None = None
    """The probability that it is wrong, where it was computed."""
    evidence: tuple[str, ...] = ()


class OtherWay(msgspec.Struct, frozen=True, kw_only=True):
    """Another way out of this computer, by which some servers were asked; no part of the NAT that is described."""

    interface: str | None = None
    address: str | None = None
    """The address on this computer."""
    mapped: tuple[TransportAddress, ...] = ()
    """What the servers saw, in the order asked."""


class Nat(msgspec.Struct, frozen=True, kw_only=True):
    """The NAT (or none) in one address family, as classified from the evidence. None means not known."""

    interface: str | None = None
    """By which the questions left whose answers count; None where the system does not tell."""
    address: str | None = None
    """This computer's IP address on that way."""
    other_ways: tuple[OtherWay, ...] = ()
    """The other ways by which servers were asked: their answers are not compared with those that count."""
    behind_nat: bool | None = None
    mapping: Behavior = "undetermined"
    filtering: Behavior = "undetermined"
    mapping_possible: tuple[Behavior, ...] = ()
    """The mapping behaviors that the evidence leaves open; empty where nobody worked them out."""
    filtering_possible: tuple[Behavior, ...] = ()
    """The filtering behaviors that the evidence leaves open; empty where nobody worked them out."""
    mapped: tuple[TransportAddress, ...] = ()
    """Every mapped transport address that was seen, in the order seen."""
    pooling: Pooling | None = None
    port_preservation: bool | None = None
    port_parity: bool | None = None
    """Even ports stay even and odd ones odd, although they are not kept (RFC 4787 section 4.2.2)."""
    port_assignment: PortAssignment | None = None
    port_delta: int | None = None
    """Of sequential assignment: the step from one new mapping to the next."""
    tracks_unsolicited: bool | None = None
    """A packet from outside that it swallows costs the port towards its sender: the next packet to there leaves from
    another one. Linux' netfilter does so where its firewall accepts what is sent to the router itself."""
    hairpinning: bool | None = None
    """What is sent to a mapped address from inside comes back in, as from outside (RFC 4787 section 6).

    Most systems drop a datagram that comes in with their own address as its source, so a NAT that leaves the internal
    source in place is "no" here, as it is for calls.
    """
    hairpinning_source: HairpinSource | None = None
    """As who the sender is seen then."""
    lifetime_s: float | None = None
    """The longest silence that a mapping was seen to survive, in seconds."""
    lifetime_below_s: float | None = None
    """The shortest silence after which it was gone, in seconds; None where it survived all."""
    fragments_outbound: bool | None = None
    """Datagrams that were cut into IP fragments get from here to a server."""
    fragments_inbound: bool | None = None
    """They get from a server to here."""
    mtu_bytes: int | None = None
    """The largest packet, of those tried, that got to a server without being cut."""
    alg: bool | None = None
    """MAPPED-ADDRESS and XOR-MAPPED-ADDRESS differ: something rewrites addresses in packets."""
    cgnat: bool | None = None
    nat64: bool | None = None
    """Requests to IPv4 servers leave this computer as IPv6, and a NAT64 makes IPv4 of them (RFC 6146). Then this is the
    NAT between here and the IPv4 internet, all translators on the way taken together."""
    nat64_prefix: str | None = None
    """The IPv6 prefix that stands for IPv4, such as ``64:ff9b::/96`` (RFC 6052)."""
    prefix_translation: bool | None = None
    """Of a NAT of IPv6: it replaces the prefix and keeps ports and hosts apart (RFC 6296); otherwise it is NAT66."""
    layers: int | None = None
    """How many NATs stand in a row: none, one and no more, or 2 for two or more."""
    firewall: bool | None = None
    """No NAT, but unsolicited datagrams do not get in."""
    local_only: bool = False
    """Only addresses of this computer or of a private network were asked: it says nothing about the internet."""
    confidence: dict[str, Certainty] = {}
    """By field name: ``mapping``, ``filtering``, …"""
    undetermined: dict[str, str] = {}
    """By field name: why there is no answer."""
    inferred: dict[str, str] = {}
    """By field name, for what nobody told: from which signs it was concluded."""
    find_out: dict[str, str] = {}
    """By field name, for mapping and filtering that are undetermined although servers answered: what to do next."""
    distrusted: dict[str, str] = {}
    """By server: why its answers were not used."""


def possible_mappings(nat: Nat) -> tuple[Behavior, ...]:
    """Return the mapping behaviors that are not excluded, the most permissive first."""
    return nat.mapping_possible or _open(nat.mapping)


def possible_filterings(nat: Nat) -> tuple[Behavior, ...]:
    """Return the filtering behaviors that are not excluded, the most permissive first."""
    return nat.filtering_possible or _open(nat.filtering)


def _open(behavior: Behavior) -> tuple[Behavior, ...]:
    return BEHAVIORS if behavior == "undetermined" else (behavior,)


def endpoint_dependent(nat: Nat) -> bool | None:
    """Return whether the mapping changes with the destination, None where not known.

    True also where it is not known whether the destination's port counts beside its address.
    """
    possible = possible_mappings(nat)
    if "endpoint-independent" not in possible:
        return True
    return False if len(possible) == 1 else None


_CONES: dict[Behavior, str] = {
    "endpoint-independent": "full cone",
    "address-dependent": "address-restricted cone",
    "address-and-port-dependent": "port-restricted cone",
}


def familiar_name(nat: Nat) -> str | None:
    """Return the name that people know, None where what is known does not suffice for one."""
    if nat.behind_nat is False:
        return _without_nat(nat)
    dependent = endpoint_dependent(nat)
    if dependent:
        return "symmetric NAT"
    return _CONES.get(nat.filtering) if dependent is False and nat.behind_nat else None


def _without_nat(nat: Nat) -> str | None:
    possible = possible_filterings(nat)
    if "endpoint-independent" not in possible:
        return "stateful firewall"
    return "open internet" if len(possible) == 1 else None


def lifetime_words(nat: Nat) -> str | None:
    """Return how long a mapping lives without traffic, None where not known; never a number that was not seen."""
    survived, below = nat.lifetime_s, nat.lifetime_below_s
    if survived is None:
        return None if below is None else f"less than {below:g} s"
    return f"at least {survived:g} s" if below is None else f"between {survived:g} and {below:g} s"
