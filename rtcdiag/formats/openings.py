"""What a firewall would have to let through: from what failed in a report, and nothing else.

A finding says whose firewall can be meant, and whether that is proven. Firewalls are taken to be stateful: what is let
out lets its answers in.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.findings import Finding
from rtcdiag.report import Report, ServerRow
from rtcdiag.targets import UriError, parse_server

Place = Literal["this-computer", "this-network", "this-network-or-server", "proxy", "server"]
_PLACES: dict[str, Place] = {
    "local-firewall": "this-computer",
    "udp-blocked": "this-network",
    "udp-blocked-relay-works": "this-network",
    "udp-blocked-over-ipv6": "this-network",
    "no-answer-over-ipv6": "this-network",
    "server-forbidden": "this-network",
    "no-answer-at-all": "this-network-or-server",
    "server-ipv6-silent": "this-network-or-server",
    "server-no-answer": "this-network-or-server",
    "server-tcp-filtered": "this-network-or-server",
    "server-unreachable": "this-network-or-server",
    "udp-port-silent": "this-network-or-server",
    "udp-silent-tcp-answers": "this-network-or-server",
    "server-udp-filtered": "server",
}
"""By finding: whose firewall. Where others get through, or the server answers wrongly, none is to be opened."""
_PROXY = ("proxy-forbids-connect", "proxy-hangs-up")
_RELAY_PORTS = "turn-relay-ports-unreachable"
_UDP_AS_SUCH = ("udp-blocked", "udp-blocked-relay-works")
_PROTOCOL = {"udp": "UDP", "dtls": "UDP", "tcp": "TCP", "tls": "TCP"}
RELAY_RANGE = "49152-65535"
"""What a relay takes its ports from unless it is told otherwise (RFC 8656 section 7.2)."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a firewall."""

    place: Place
    direction: Literal["out", "in"]
    protocol: str
    """UDP or TCP."""
    host: str
    """An IP address, or a name where the firewall itself looks it up."""
    ports: str
    names: tuple[str, ...] = ()
    """The hosts of the URIs that lead there."""
    codes: tuple[str, ...]
    """The findings that it rests on."""


def openings(report: Report) -> tuple[Opening, ...]:
    """Return what is to be opened, each once, in the order of the report."""
    found: dict[tuple[str, str, str, str], Opening] = {}
    for item in (*_of_servers(report), *_of_findings(report)):
        key = (item.place, item.protocol, item.host, item.ports)
        known = found.get(key)
        found[key] = item if known is None else _joined(known, item)
    return tuple(found.values())


def _joined(one: Opening, other: Opening) -> Opening:
    names = tuple(dict.fromkeys((*one.names, *other.names)))
    return msgspec.structs.replace(one, names=names, codes=tuple(dict.fromkeys((*one.codes, *other.codes))))


def _of_servers(report: Report) -> Iterator[Opening]:
    """Yield the way to each server on which something failed that a firewall can have done."""
    for row in report.servers:
        codes = {stage.finding for stage in row.stages if stage.status in ("failed", "warning")}
        for code in sorted(codes & _PLACES.keys() - {None}, key=str):
            if row.address is not None and row.via is None:
                yield _way(row, row.address, str(code))


def _way(row: ServerRow, address: TransportAddress, code: str) -> Opening:
    place = _PLACES[code]
    return Opening(
        place=place,
        direction="in" if place == "server" else "out",
        protocol=_PROTOCOL[row.transport],
        host=address.host,
        ports=str(address.port),
        names=tuple(_names(row.uri)),
        codes=(code,),
    )


def _names(uri: str) -> Iterator[str]:
    try:
        server = parse_server(uri)
    except UriError:
        return
    if not server.ip_literal:
        yield server.host


def _of_findings(report: Report) -> Iterator[Opening]:
    for finding in report.findings:
        if finding.code in _PROXY:
            yield from _through_proxy(finding)
        elif finding.code == _RELAY_PORTS:
            yield from _relay(finding)


def _through_proxy(finding: Finding) -> Iterator[Opening]:
    targets = finding.facts.get("targets")
    for target in targets if isinstance(targets, list) else ():
        host, _, port = str(target).rpartition(":")
        yield Opening(place="proxy", direction="out", protocol="TCP", host=host, ports=port, codes=(finding.code,))


def _relay(finding: Finding) -> Iterator[Opening]:
    """Yield the ports of a relay, of which only those of this run are known."""
    try:
        host = TransportAddress.parse(str(finding.facts.get("relayed"))).host
    except ValueError:
        return
    yield Opening(place="server", direction="in", protocol="UDP", host=host, ports=RELAY_RANGE, codes=(finding.code,))


def needs_udp(report: Report) -> bool:
    """Tell whether UDP as such is blocked, so that nobody could be reached directly either."""
    return any(finding.code in _UDP_AS_SUCH for finding in report.findings)
