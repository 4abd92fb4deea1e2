"""What mapped addresses tell of translations that have to do with IPv6: NAT64, NAT66, and another prefix only."""

from ipaddress import ip_network

from rtcdiag.address import Family, TransportAddress
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.nat64 import Nat64
from rtcdiag.nat.samples import Sample, is_translated
from rtcdiag.synthesis import CONTINUITY

_CONTINUITY = ip_network(CONTINUITY)
_HOST_BITS = (1 << 64) - 1
"""The interface identifier (RFC 4291 section 2.5.1)."""
_TELLING = 1 << 16
"""Identifiers below it, such as ``::2``, are given by hand, and two computers may well have the same."""
_P_NEUTRAL = 1 / 65535
"""How often the checksums of two addresses that have nothing to do with each other are the same."""


def nat64_here(samples: tuple[Sample, ...], nat64: Nat64, *, public: bool) -> Judgement[bool]:
    """Tell whether IPv4 is reached through a NAT64: a request left as IPv6, and IPv4 came of it.

    An IPv4 address that stands in for IPv6 (RFC 7335) is one too where name service tells a prefix; DS-Lite has none.
    """
    across = tuple(item for item in samples if item.local is not None and item.local.family is not item.mapped.family)
    if across:
        return Judgement(value=True, evidence=tuple(item.id for item in across))
    inside = [item for item in samples if item.local is not None and item.local.ip in _CONTINUITY]
    if inside and nat64.told:
        return Judgement(value=True, evidence=(inside[0].id, *next(iter(nat64.told.values()))))
    if inside:
        return Judgement(why=f"{CONTINUITY} is used by 464XLAT and by DS-Lite")
    if public:
        return Judgement(value=False, evidence=(samples[0].id,))
    return Judgement(why="this computer sends IPv4; whether a router makes IPv6 of it cannot be seen from here")


def nat64_prefix_of(nat64: Nat64, here: Judgement[bool]) -> Judgement[str]:
    """Return the prefix that stands for IPv4: one through which answers came, else one that name service told."""
    known = nat64.used or tuple(nat64.told)
    if not here.value:
        return Judgement(why=here.why or "there is no NAT64")
    if not known:
        return Judgement(why="no prefix was told")
    return Judgement(value=str(known[0]), evidence=here.evidence)


def prefix_translation_of(samples: tuple[Sample, ...], behind_nat: bool | None) -> Judgement[bool]:
    """Tell whether a NAT of IPv6 replaces nothing but the prefix: no port, and not the host's part of the address.

    RFC 6296 keeps the checksum; where the prefix is longer than 48 bits it changes 16 bits of the host's part for that
    (section 3.5). Others keep the host's part as it is, which shows only where that is not a common one.
    """
    if behind_nat is not True:
        return Judgement(why="there is no NAT" if behind_nat is False else "whether there is a NAT is not known")
    if any(sample.mapped.family is not Family.IPV6 for sample in samples):
        return Judgement(why="it is told of IPv6 only")
    translated = tuple(sample for sample in samples if is_translated(sample))
    ids = tuple(sample.id for sample in translated)
    if any(sample.local and sample.local.port != sample.mapped.port for sample in translated):
        return Judgement(value=False, evidence=ids)
    kept = [_host(sample.local) == _host(sample.mapped) for sample in translated if sample.local]
    neutral = [_checksum(sample.local) == _checksum(sample.mapped) for sample in translated if sample.local]
    if all(neutral) or (all(kept) and all(_host(sample.mapped) >= _TELLING for sample in translated)):
        return Judgement(value=True, p_wrong=_P_NEUTRAL if all(neutral) else None, evidence=ids)
    if any(kept):
        return Judgement(why="the host's part of the address is kept, but it is one that many computers have")
    return Judgement(value=False, evidence=ids)


def _host(address: TransportAddress) -> int:
    return int(address.ip) & _HOST_BITS


def _checksum(address: TransportAddress) -> int:
    """Return the one's complement sum of an address, as RFC 6296 keeps it; 0 and 65535 are the same."""
    return int(address.ip) % 65535
