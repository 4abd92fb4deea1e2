"""Two redacted reports that share a key: the second is written so that equal addresses have equal pseudonyms in both.

Each report takes its pseudonyms by itself, so that two of them may have one address under two, or two under one; their
tags tell.
"""

from ipaddress import ip_address, ip_network

from msgspec.structs import replace

from rtcdiag.address import IPAddress
from rtcdiag.redact.addresses import Addresses, Given
from rtcdiag.redact.key import Key
from rtcdiag.redact.mapping import Mapping
from rtcdiag.redact.redaction import rewritten_report
from rtcdiag.redact.survey import surveyed
from rtcdiag.redact.tags import IPNetwork, network_of
from rtcdiag.report import Redaction, Report, evidence_of

_ANY_KEY = Key(b"what is chosen here stands for pseudonyms")


def aligned(first: Report, second: Report) -> Report:
    """Return the second report in the pseudonyms of the first, or as it is where they share no key.

    Raise OverflowError for more addresses than there are pseudonyms.
    """
    one, two = first.redaction, second.redaction
    if one.key_id is None or one.key_id != two.key_id or not (one.tags and two.tags):
        return second
    evidence, unknown = evidence_of(second)
    taken = frozenset(ip for name in one.tags if (ip := _ip(name)) is not None)
    given = Given(addresses=_fixed(one, two), networks=_networks(one, two), taken=taken)
    addresses = Addresses(surveyed(second, evidence).known, _ANY_KEY, again=False, given=given)
    mapping = Mapping(addresses, _ANY_KEY, again=False)
    found = rewritten_report(second, evidence, mapping, unknown)
    tags = {_renamed(name, mapping): tag for name, tag in two.tags.items()}
    return replace(found, redaction=replace(two, tags=tags))


def _fixed(one: Redaction, two: Redaction) -> dict[IPAddress, IPAddress]:
    """Return, for each pseudonym of the second that stands for an address of the first, the first's."""
    there = {tag: ip for name, tag in one.tags.items() if (ip := _ip(name)) is not None}
    here = {ip: there.get(tag) for name, tag in two.tags.items() if (ip := _ip(name)) is not None}
    return {ip: other for ip, other in here.items() if other is not None and other.version == ip.version}


def _networks(one: Redaction, two: Redaction) -> dict[IPNetwork, IPNetwork]:
    """Return the same of neighborhoods."""
    there = {tag: network for name, tag in one.tags.items() if (network := _network(name)) is not None}
    here = {net: there.get(tag) for name, tag in two.tags.items() if (net := _network(name)) is not None}
    return {net: other for net, other in here.items() if other is not None and other.version == net.version}


def _renamed(name: str, mapping: Mapping) -> str:
    ip, network = _ip(name), _network(name)
    if ip is not None:
        return str(mapping.addresses.of(ip))
    return str(network_of(mapping.addresses.of(network.network_address))) if network is not None else name


def _ip(name: str) -> IPAddress | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _network(name: str) -> IPNetwork | None:
    try:
        return ip_network(name) if "/" in name else None
    except ValueError:
        return None
