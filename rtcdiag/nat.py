"""Classify a NAT from what Binding transactions showed (RFC 4787 section 4 and 5, RFC 5780 section 4)."""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress

Behavior = Literal["endpoint-independent", "address-dependent", "address-and-port-dependent", "undetermined"]


class Certainty(msgspec.Struct, frozen=True, kw_only=True):
    """On what a class rests."""

    p_wrong: float | None = None
    """The probability that it is wrong, where it was computed."""
    evidence: tuple[str, ...] = ()


class Nat(msgspec.Struct, frozen=True, kw_only=True):
    """The NAT (or none) in one address family, as classified from the evidence. None means not known."""

    behind_nat: bool | None = None
    mapping: Behavior = "undetermined"
    filtering: Behavior = "undetermined"
    mapped: tuple[TransportAddress, ...] = ()
    """Every mapped transport address that was seen, in the order seen."""
    pooling: Literal["paired", "arbitrary"] | None = None
    port_preservation: bool | None = None
    port_delta: int | None = None
    hairpinning: bool | None = None
    lifetime_s: float | None = None
    alg: bool | None = None
    """MAPPED-ADDRESS and XOR-MAPPED-ADDRESS differ: something rewrites addresses in packets."""
    cgnat: bool | None = None
    layers: int | None = None
    firewall: bool | None = None
    """No NAT, but unsolicited datagrams do not get in."""
    local_only: bool = False
    """Only addresses of this computer or of a private network were asked: it says nothing about the internet."""
    confidence: dict[str, Certainty] = {}
    """By field name: ``mapping``, ``filtering``, …"""
    undetermined: dict[str, str] = {}
    """By field name: why there is no answer."""
