"""The ways on which each server was asked: an address and a transport, directly or through a proxy."""

from collections.abc import Iterator

import msgspec

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import (
    Binding,
    Connect,
    Evidence,
    IceMeeting,
    Observation,
    ProxyTunnel,
    Resolution,
    Target,
    TlsHandshake,
    TurnStep,
)
from rtcdiag.targets import Transport


class Way(msgspec.Struct, frozen=True):
    """One server at one address over one transport; the address is None where the name gave none."""

    target: Target
    address: TransportAddress | None
    transport: Transport


def ways(target: Target, evidence: Evidence) -> Iterator[Way]:
    """Yield the ways on which a server was asked; of one whose name gave no address, one without."""
    seen: dict[tuple[TransportAddress | None, Transport], None] = dict.fromkeys(
        (item.destination, transport_of(item, target))
        for item in evidence.observations
        if isinstance(item, (Connect, TlsHandshake, Binding, TurnStep, ProxyTunnel)) and _is_of(item, target)
    )
    resolutions = evidence.of(Resolution, lambda item: item.host == target.host)
    named = [
        address for family in Family for item in resolutions if item.family is family for address in item.addresses
    ]
    # The URI's own transport first, for the others are controls; and IPv4 first, whoever answered first.
    for address, transport in sorted(seen, key=lambda at: (at[1] != target.transport, _rank(at[0], named))):
        yield Way(target, address, transport)
    if not seen and target.via is None and resolutions and not named:
        yield Way(target, None, target.transport)


def _rank(address: TransportAddress | None, named: list[str]) -> int:
    return named.index(address.host) if address is not None and address.host in named else len(named)


def _is_of(item: Connect | TlsHandshake | Binding | TurnStep | ProxyTunnel, target: Target) -> bool:
    """Tell what is about a server's own address; NAT experiments and controls have their place elsewhere."""
    if item.server != target.server:
        return False
    if isinstance(item, Binding):
        over_tcp = item.purpose == "control" and item.transport is not Transport.UDP
        return item.purpose == "reach" or (over_tcp and item.exchange.succeeded)
    return not isinstance(item, Connect) or item.purpose == "server"


def transport_of(item: Observation, target: Target) -> Transport:
    """Return over which transport something was seen, of a server whose URI asks for one."""
    if isinstance(item, (Binding, TurnStep, IceMeeting)):
        return item.transport
    if isinstance(item, Connect) and item.purpose == "control":
        return Transport.TCP
    return target.transport
