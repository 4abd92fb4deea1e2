"""IPv6: what is translated, what gets through, addresses that lead nowhere; and rewriting on the way."""

from typing import Any

from rtcdiag.address import Family
from rtcdiag.evidence import Binding, Failure, Interface, Observation
from support.cases import case
from support.cases.network import A4, A6, B4, A, B, C, silent, tcp
from support.evidence import HERE, HERE6, PUBLIC, answered, at, binding, connect, resolution, run, target

WELL_KNOWN = "[64:ff9b::c633:640a]:3478"
"""198.51.100.10 under the well-known prefix."""
OWN_PREFIX = "[2001:db8:64::c633:640a]:3478"
OWN_PREFIX_B = "[2001:db8:64::c633:6414]:3478"
LOCAL_USE = "[64:ff9b:1::c633:640a]:3478"
B6, C6 = "[2001:db8:20::20]:3478", "[2001:db8:40::40]:3478"
ULA = "[fd12:3456:789a:1:216:3eff:fe12:3456]:40000"
IPV6_ONLY: dict[str, Any] = {"ipv4": False, "ipv6": True}


def across(uri: str, address: str, mapped: str = PUBLIC, **more: Any) -> Binding:
    """Return a request that left as IPv6, whose server saw IPv4."""
    return binding(uri, address, answered(address, xor_mapped=at(mapped), **more))


def told(*addresses: str) -> Observation:
    """Return what name service says of the name that every NAT64 has."""
    return resolution("ipv4only.arpa", *addresses, family=Family.IPV6)


def stand_in(*before: Observation) -> tuple[Observation, ...]:
    """Return a request from the IPv4 address of a 464XLAT inside this computer."""
    return (target(A), *before, binding(A, A4, local=at("192.0.0.2:40000")))


def over_ipv6(local: str, *mapped: str) -> tuple[Observation, ...]:
    """Return requests over IPv6 from one local address, of which servers saw these."""
    seen = (binding(A, A6, answered(A6, xor_mapped=at(it)), local=at(local)) for it in mapped)
    return (target(A), *seen)


def computer(*addresses: str, role: Any = "ethernet", ipv6: bool = False) -> Any:
    interface = Interface(name="eth0", role=role, addresses=("192.168.1.4", "fe80::1", "no address", *addresses))
    seen = answered(A4, xor_mapped=at(PUBLIC), other_address=at("198.51.100.11:3479"))
    asked = binding(A, A4, seen, purpose="mapping")
    return run(target(A), asked, ipv6=ipv6, interfaces=(interface,))


CASES = {
    # --- NAT64
    "a server behind the well-known prefix sees IPv4": case(
        run(target(A), across(A, WELL_KNOWN), **IPV6_ONLY), "through-nat64"
    ),
    "name service tells the network's own prefix": case(
        run(target(A), told("2001:db8:64::c000:aa"), across(A, OWN_PREFIX), **IPV6_ONLY), "through-nat64"
    ),
    "the name's IPv4 address stands in the IPv6 address that it was given": case(
        run(target(A), resolution("stun.example.org", "198.51.100.10"), across(A, OWN_PREFIX), **IPV6_ONLY),
        "through-nat64",
    ),
    "two servers say that their IPv4 address stands in the address that was asked": case(
        run(
            target(A),
            target(B),
            across(A, OWN_PREFIX, response_origin=at(A4)),
            across(B, OWN_PREFIX_B, response_origin=at(B4)),
            **IPV6_ONLY,
        ),
        "through-nat64",
    ),
    "one server says so, of a range that is for nothing else": case(
        run(target(A), across(A, LOCAL_USE, response_origin=at(A4)), **IPV6_ONLY), "through-nat64"
    ),
    "one server alone says so: it may be wrong": case(
        run(target(A), across(A, OWN_PREFIX, response_origin=at(A4)), **IPV6_ONLY),
        "mapped-address-implausible",
        "stun-origin-elsewhere",
    ),
    "a server of IPv6 that claims to see IPv4 is wrong": case(
        run(target(A), told("2001:db8:64::c000:aa"), across(A, A6), ipv6=True),
        "mapped-address-implausible",
        "dns-synthesizes-ipv6",
    ),
    "a host of IPv6 under a prefix that name service tells is a host of IPv6": case(
        run(target(A), told("64:ff9b::c000:aa"), binding(A, WELL_KNOWN, answered(WELL_KNOWN, xor_mapped=at(HERE6)))),
        "dns-synthesizes-ipv6",
    ),
    "names are made up beside an IPv4 that works": case(
        run(target(A), told("64:ff9b::c000:aa"), binding(A, A4), across(A, WELL_KNOWN), ipv6=True),
        "dns-synthesizes-ipv6",
    ),
    "an answer of ipv4only.arpa without its addresses tells no prefix": case(
        run(target(A), told("2001:db8::1"), binding(A, A4))
    ),
    "the second address of a server behind a NAT64 is an IPv4 address": case(
        run(
            target(A),
            across(A, WELL_KNOWN, other_address=at("198.51.100.11:3479"), response_origin=at(A4)),
            **IPV6_ONLY,
        ),
        "through-nat64",
    ),
    "the second address of a server behind a NAT64 is a private one": case(
        run(target(A), across(A, WELL_KNOWN, other_address=at("10.0.0.11:3479")), **IPV6_ONLY),
        "through-nat64",
        "stun-other-address-implausible",
    ),
    "servers of both families do not outvote each other by what they see": case(
        run(
            target(A),
            target(B),
            across(A, WELL_KNOWN),
            across(B, "[64:ff9b::c633:6414]:3478"),
            binding("stun:six.example.net", B6),
            ipv6=True,
        ),
        "through-nat64",
    ),
    # --- IPv4 that is made of IPv6 inside this computer
    "an IPv4 address of the continuity prefix, and name service tells a NAT64": case(
        run(*stand_in(told("64:ff9b::c000:aa"))), "no-native-ipv4"
    ),
    "an IPv4 address of the continuity prefix alone": case(run(*stand_in()), "no-native-ipv4"),
    # --- NAT66 and prefix translation
    "ports change over IPv6": case(run(*over_ipv6(ULA, "[2001:db8:7::1]:50001")), "nat-on-ipv6"),
    "only the prefix changes over IPv6": case(
        run(*over_ipv6(ULA, "[2001:db8:7:1:216:3eff:fe12:3456]:40000")), "nat-on-ipv6"
    ),
    "nothing is translated over IPv6": case(run(target(A), binding(A, A6), ipv6=True)),
    # --- what gets through
    "IPv6 is silent over UDP and TCP at two hosts, and IPv4 answers": case(
        run(
            *(target(A), target(B), binding(A, A4), binding(B, B4)),
            *(silent(A, A6), silent(B, B6), *tcp(A, A6, Failure.TIMEOUT)),
            ipv6=True,
        ),
        "no-answer-over-ipv6",
    ),
    "servers that are known by their IPv6 address are explained by it, one of IPv4 is not": case(
        run(
            *(target(f"stun:{address}") for address in (A6, B6, A4, B4)),
            *(silent(f"stun:{A6}", A6), silent(f"stun:{B6}", B6), *tcp(f"stun:{A6}", A6, Failure.TIMEOUT)),
            *(binding(f"stun:{A4}", A4), silent(f"stun:{B4}", B4)),
            ipv6=True,
        ),
        "no-answer-over-ipv6",
        "server-silent",
    ),
    "IPv6 is silent at one host only": case(
        run(target(A), binding(A, A4), silent(A, A6), *tcp(A, A6, Failure.TIMEOUT), ipv6=True), "server-ipv6-silent"
    ),
    "one of two hosts answers over IPv6": case(
        run(target(A), target(B), binding(A, A4), silent(A, A6), binding(B, B6), ipv6=True), "server-ipv6-silent"
    ),
    "one of three hosts answers over IPv6": case(
        run(
            *(target(A), target(B), target(C), binding(A, A4), binding(B, B4), binding(C, C6)),
            *(silent(A, A6), silent(B, B6), *tcp(A, A6, Failure.TIMEOUT)),
            ipv6=True,
        ),
        "server-ipv6-silent",
    ),
    "IPv6 is silent and so is IPv4": case(
        run(target(A), target(B), silent(A, A6), silent(B, B6), *tcp(A, A6, Failure.TIMEOUT), ipv6=True),
        "no-answer-at-all",
    ),
    "UDP over IPv6 is silent at two hosts, and TCP over IPv6 is accepted": case(
        run(
            *(target(A), target(B), binding(A, A4), binding(B, B4)),
            *(silent(A, A6), silent(B, B6), connect(A, A6, purpose="control")),
            ipv6=True,
        ),
        "udp-blocked-over-ipv6",
    ),
    # --- addresses
    "an IPv6 address without a route": case(computer("2001:db8:7::7"), "no-ipv6-route"),
    "unique local addresses only": case(computer("fd12:3456::7"), "only-unique-local-ipv6"),
    "a container's network is not this computer's": case(computer("fd12:3456::7", role="container")),
    "an address of Teredo": case(computer("2001:0:c000:201::1", ipv6=True), "tunneled-ipv6-address"),
    "an address of 6to4": case(computer("2002:c000:201::1"), "tunneled-ipv6-address"),
    "IPv6 with an address and a route": case(computer("2001:db8:7::7", "fd12:3456::7", ipv6=True)),
    # --- rewriting
    "a private address stands in the answer of a public server": case(
        run(target(A), binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), mapped=at(HERE), fingerprint="invalid"))),
        "nat-rewrites-payload",
    ),
    "one server writes two addresses, another does not": case(
        run(
            target(A),
            target(B),
            binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), mapped=at("198.18.0.9:4000"))),
            binding(B, B4),
        ),
        "address-rewritten",
    ),
    "a server that thinks that it has another address": case(
        run(target(A), binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), response_origin=at("10.0.0.10:3478")))),
        "stun-origin-elsewhere",
    ),
    "a server that does not know which address it has": case(
        run(target(A), binding(A, A4, answered(A4, xor_mapped=at(PUBLIC), response_origin=at("0.0.0.0:3478"))))
    ),
}
