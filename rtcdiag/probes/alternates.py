"""The alternate address that a server names in OTHER-ADDRESS, as it can be asked from here."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

from rtcdiag.address import Family, TransportAddress
from rtcdiag.net import Net
from rtcdiag.stun.message import Message
from rtcdiag.synthesis import WELL_KNOWN, embedded, prefix_between, synthesized


async def alternate_of(message: Message | None, primary: TransportAddress, net: Net) -> TransportAddress | None:
    """Return the alternate that an answer from ``primary`` announces, where it can be one.

    Behind a NAT64 it is an IPv4 address: it is asked under the prefix under which the primary was.
    """
    if message is None or message.other_address is None:
        return None
    mapped = message.xor_mapped or message.mapped
    if primary.family is Family.IPV4 or mapped is None or mapped.family is Family.IPV6:
        return valid_alternate(message.other_address, primary)
    return await _across(message, primary, net)


async def _across(message: Message, primary: TransportAddress, net: Net) -> TransportAddress | None:
    prefix = await _prefix(message, primary, net)
    inside = embedded(prefix, IPv6Address(primary.host)) if prefix is not None else None
    if prefix is None or inside is None:
        return None
    other = valid_alternate(message.other_address, TransportAddress(inside, primary.port))
    if other is None or not isinstance(other.ip, IPv4Address):
        return None
    return TransportAddress(synthesized(prefix, other.ip), other.port)


async def _prefix(message: Message, primary: TransportAddress, net: Net) -> IPv6Network | None:
    """Return the prefix that stands before the primary: what name service tells, or what the server's answer shows."""
    address, origin = IPv6Address(primary.host), message.response_origin
    for prefix in (WELL_KNOWN, *await net.nat64_prefixes()):
        if address in prefix:
            return prefix
    return prefix_between(address, origin.ip) if origin and isinstance(origin.ip, IPv4Address) else None


def valid_alternate(other: TransportAddress | None, primary: TransportAddress) -> TransportAddress | None:
    """Return an OTHER-ADDRESS where it can be an alternate (RFC 5780 section 7.4).

    It has to differ from the primary in address and in port, in the same family, and to have the primary's scope: an
    address of another scope is a misconfigured server's inside, and is never sent to.
    """
    if other is None or other.family is not primary.family or other.scope is not primary.scope:
        return None
    return other if other.ip != primary.ip and other.port not in (0, primary.port) else None
