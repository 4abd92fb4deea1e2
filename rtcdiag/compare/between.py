"""How two people stand to each other: apart, behind one public address, or on one local network."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, scope_of
from rtcdiag.compare.party import InFamily, Party
from rtcdiag.traversal import APART, Between

_PREFIX = {4: 24, 6: 64}
"""What most local networks have; a pseudonym keeps this neighborhood."""
_SAME_NETWORK = Between(same_network=True, same_address=True)
_HAIRPINS = Between(same_address=True, hairpinning=True)
_DOES_NOT = Between(same_address=True)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is possible, and why."""

    betweens: tuple[Between, ...]
    same_address: bool | None
    """Whether both are seen with one public address; None where that cannot be told."""
    why: str = ""
    """Empty where they are apart."""


def standing(a: Party, b: Party, family: Family) -> Standing:
    """Tell it from the addresses that each saw of itself."""
    one, two = a.families[family], b.families[family]
    if (one.absent and not one.local) or (two.absent and not two.local):
        return Standing(betweens=(APART,), same_address=False)
    if not comparable(a, b):
        return Standing(
            betweens=(APART, _SAME_NETWORK, _HAIRPINS, _DOES_NOT),
            same_address=None,
            why="the reports were redacted apart from each other, so their addresses cannot be compared",
        )
    if one.public and two.public:
        return _seen_as(one, two)
    near = not one.local.isdisjoint(two.local) or _neighbors(one, two)
    return Standing(
        betweens=(APART, _SAME_NETWORK) if near else (APART,),
        same_address=None,
        why="their local addresses are alike, and their public ones are not known" if near else "",
    )


def _seen_as(one: InFamily, two: InFamily) -> Standing:
    same = not one.public.isdisjoint(two.public)
    if one.behind_nat is False or two.behind_nat is False:
        return Standing(betweens=(APART,), same_address=same)
    if same:
        return _behind_one_address(one, two)
    if (one.carrier or two.carrier) and not _neighborhoods(one.public).isdisjoint(_neighborhoods(two.public)):
        words = "their public addresses are neighbors, as those of one carrier's NAT are"
        return Standing(betweens=(APART, *_outside(one, two)), same_address=False, why=words)
    return Standing(betweens=(APART,), same_address=False)


def comparable(a: Party, b: Party) -> bool:
    """Tell whether equal addresses in the two reports are equal, and different ones different."""
    one, two = a.report.redaction, b.report.redaction
    if one.level == two.level == "none":
        return True
    return one.key_id is not None and one.key_id == two.key_id and "none" not in (one.level, two.level)


def _behind_one_address(one: InFamily, two: InFamily) -> Standing:
    carrier = one.carrier or two.carrier
    if one.local & two.local:
        near, words = (
            None,
            "both have the same local address: one computer, or two networks behind a carrier's NAT",
        )
    elif not _neighbors(one, two):
        near, words = None, "both have one public address, and local addresses of different networks"
    elif carrier:
        near, words = None, "both have one public address and alike local ones, but a carrier's NAT may join strangers"
    else:
        near, words = True, "both have one public address, and local addresses of one network"
    if near:
        return Standing(betweens=(_SAME_NETWORK,), same_address=True, why=words)
    return Standing(betweens=(_SAME_NETWORK, *_outside(one, two)), same_address=True, why=words)


def _outside(one: InFamily, two: InFamily) -> tuple[Between, ...]:
    told = {one.hairpinning, two.hairpinning} - {None}
    if len(told) == 1:
        return (_HAIRPINS,) if told == {True} else (_DOES_NOT,)
    return (_HAIRPINS, _DOES_NOT)


def _neighbors(one: InFamily, two: InFamily) -> bool:
    return not _neighborhoods(one.local).isdisjoint(_neighborhoods(two.local))


def _neighborhoods(local: frozenset[IPAddress]) -> frozenset[IPv4Network | IPv6Network]:
    return frozenset(_neighborhood(ip) for ip in local if scope_of(ip) in (Scope.PRIVATE, Scope.GLOBAL))


def _neighborhood(ip: IPv4Address | IPv6Address) -> IPv4Network | IPv6Network:
    return ip_network(f"{ip}/{_PREFIX[ip.version]}", strict=False)
