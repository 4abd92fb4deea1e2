"""What tells equal addresses of two redacted reports that share a key: pseudonyms are chosen in each by itself."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network

from rtcdiag.address import IPAddress
from rtcdiag.redact.key import Key

IPNetwork = IPv4Network | IPv6Network
_PREFIX = {4: 24, 6: 64}
"""What a neighborhood is."""


def tags_of(given: Mapping[IPAddress, IPAddress], key: Key) -> dict[str, str]:
    """Return the tags by pseudonym, of addresses and of their neighborhoods."""
    return {pseudonym: key.tag("address", original) for original, pseudonym in _pairs(given)}


def _pairs(given: Mapping[IPAddress, IPAddress]) -> Iterator[tuple[str, str]]:
    for original, pseudonym in given.items():
        if original != pseudonym:
            yield str(original), str(pseudonym)
            yield str(network_of(original)), str(network_of(pseudonym))


def network_of(ip: IPAddress) -> IPNetwork:
    """Return the neighborhood of an address."""
    return ip_network(f"{ip}/{_PREFIX[ip.version]}", strict=False)
