"""What a NAT64 makes of an IPv4 experiment: requests leave as IPv6, and the servers see an IPv4 address.

That a server which was asked over IPv6 saw IPv4 is the fact; the prefix tells which IPv4 server it was.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import msgspec
from msgspec.structs import replace

from rtcdiag.address import Family, TransportAddress
from rtcdiag.contacts import NAT64_NAME
from rtcdiag.evidence import Answer, Binding, Evidence, Resolution, Target
from rtcdiag.synthesis import LOCAL_USE, WELL_KNOWN, prefix_between, prefixes_of, stands_for

_AGREE = 2
"""So many servers have to show the same prefix where nothing but their own words tells it."""


class Nat64(msgspec.Struct, frozen=True, kw_only=True):
    """The prefixes of the translators in this network, as far as the evidence shows them."""

    told: dict[IPv6Network, tuple[str, ...]]
    """By prefix that name service told: the look-ups."""
    shown: tuple[IPv6Network, ...]
    """Those that only answers show."""
    native: frozenset[TransportAddress]
    """What answered as a host of IPv6, whatever its address looks like."""
    crossed: tuple[TransportAddress, ...]
    """What was asked over IPv6, and saw IPv4."""

    @property
    def prefixes(self) -> tuple[IPv6Network, ...]:
        """All of them."""
        return tuple(dict.fromkeys((*self.told, *self.shown, WELL_KNOWN)))

    def ipv4_of(self, address: TransportAddress) -> TransportAddress | None:
        """Return the IPv4 transport address that is reached under an IPv6 one; None where it is a host of IPv6."""
        return None if address in self.native else stands_for(self.prefixes, address)

    @property
    def used(self) -> tuple[IPv6Network, ...]:
        """The prefixes through which answers came."""
        return tuple(prefix for prefix in self.prefixes if any(stands_for((prefix,), item) for item in self.crossed))


def nat64_of(evidence: Evidence) -> Nat64:
    """Find the prefixes: by the name that was made for it (RFC 7050), and by what servers saw."""
    looked_up = evidence.of(Resolution, lambda item: item.host == NAT64_NAME and item.family is Family.IPV6)
    told: dict[IPv6Network, tuple[str, ...]] = {}
    for item in looked_up:
        for prefix in prefixes_of(_ipv6(item)):
            told[prefix] = (*told.get(prefix, ()), item.id)
    answered = [(item, mapped) for item in evidence.of(Binding) if (mapped := _mapped(item)) is not None]
    across = [item for item, mapped in answered if _crosses(item, mapped)]
    native = frozenset(item.destination for item, mapped in answered if mapped.family is Family.IPV6)
    crossed = tuple(dict.fromkeys(item.destination for item in across))
    return Nat64(told=told, shown=_shown(evidence, across), native=native, crossed=crossed)


def _ipv6(item: Resolution) -> tuple[IPv6Address, ...]:
    return tuple(ip for ip in _addresses(item) if isinstance(ip, IPv6Address))


def _addresses(item: Resolution) -> list[IPv4Address | IPv6Address]:
    found = []
    for text in item.addresses:
        try:
            found.append(ip_address(text))
        except ValueError:
            continue  # a report from elsewhere may hold anything
    return found


def _mapped(item: Binding) -> TransportAddress | None:
    answer = item.exchange.answer
    return answer.reflexive if answer is not None and answer.success else None


def _crosses(item: Binding, mapped: TransportAddress) -> bool:
    return item.destination.family is Family.IPV6 and mapped.family is Family.IPV4


def _shown(evidence: Evidence, across: list[Binding]) -> tuple[IPv6Network, ...]:
    """Return the prefixes between the address that was asked and the server's own IPv4 address.

    A name's IPv4 address comes from name service, and a destination of RFC 8215's range is made for this, so one answer
    suffices with either. An address that only the server tells counts where two servers show one prefix.
    """
    if not across:
        return ()
    hosts = {target.server: target.host for target in evidence.of(Target)}
    known = _known_ipv4(evidence)
    proven: dict[IPv6Network, None] = {}
    votes: dict[IPv6Network, set[str]] = {}
    for item in across:
        host = hosts.get(item.server, item.server)
        named, claimed = _between(item, known.get(host, set())), _between(item, _origin(item.exchange.answer))
        if named is not None:
            proven[named] = None
        elif claimed is not None and claimed.subnet_of(LOCAL_USE):
            proven[claimed] = None
        elif claimed is not None:
            votes.setdefault(claimed, set()).add(host)
    return (*proven, *(prefix for prefix, servers in votes.items() if len(servers) >= _AGREE))


def _known_ipv4(evidence: Evidence) -> dict[str, set[IPv4Address]]:
    found: dict[str, set[IPv4Address]] = {}
    for item in evidence.of(Resolution):
        found.setdefault(item.host, set()).update(ip for ip in _addresses(item) if isinstance(ip, IPv4Address))
    return found


def _between(item: Binding, inside: set[IPv4Address]) -> IPv6Network | None:
    address = item.destination.ip
    found = (prefix_between(address, ip) for ip in sorted(inside) if isinstance(address, IPv6Address))
    return next((prefix for prefix in found if prefix is not None), None)


def _origin(answer: Answer | None) -> set[IPv4Address]:
    origin = answer.response_origin.ip if answer and answer.response_origin else None
    return {origin} if isinstance(origin, IPv4Address) else set()


def as_ipv4(item: Binding, nat64: Nat64) -> Binding:
    """Return a transaction as the IPv4 side saw it; only the local address stays of IPv6."""
    exchange = item.exchange
    return replace(
        item,
        destination=nat64.ipv4_of(item.destination) or item.destination,
        answer_from=_told(item.answer_from, nat64),
        exchange=replace(
            exchange, answers=tuple(replace(answer, source=_told(answer.source, nat64)) for answer in exchange.answers)
        ),
    )


def _told(address: TransportAddress | None, nat64: Nat64) -> TransportAddress | None:
    return (nat64.ipv4_of(address) or address) if address is not None else None
