"""What is left of direct paths, and of relays where there is none."""

from collections.abc import Iterator

from msgspec.structs import replace

from rtcdiag.address import Family
from rtcdiag.report import Direct, Nats, ServerRow
from rtcdiag.traversal import DirectHere, Reachable, direct_over_families, direct_verdict
from rtcdiag.verdict.known import Known

ONLY_AMONG_RELAYS = ("turn-relay-address-unreachable", "turn-relay-ports-unreachable")
"""Data went from one relayed address to another, which stay inside the server's host, and not to this computer."""


def by_family(known: Known) -> Iterator[tuple[str, Direct]]:
    """Yield what each family promises by itself."""
    nats = known.nats
    for family, only in ((Family.IPV4, Nats(ipv4=nats.ipv4)), (Family.IPV6, Nats(ipv6=nats.ipv6))):
        yield family.value, "not-tested" if only == Nats() else _in_family(family, replace(known, nats=only))


def _in_family(family: Family, known: Known) -> Direct:
    """Say what one family promises; one that is proven to be closed, while the other works, is blocked."""
    direct = _else_relays(known, _over_families(known))
    closed = family is Family.IPV6 and known.ipv6_blocked and not known.udp_blocked
    return "blocked" if closed and direct == "inconclusive" else direct


def direct_of(known: Known) -> Direct:
    """Say what there is of direct paths, and where there are none of relays."""
    return _else_relays(known, direct_here(known))


def _else_relays(known: Known, here: DirectHere) -> Direct:
    match here:
        case "none-direct":
            return _relay(known.servers)
        case "not-tested":
            return "inconclusive"
        case direct:
            return direct


def direct_here(known: Known) -> DirectHere:
    """Say what the NATs here leave of direct paths, over both families."""
    nats = known.nats
    direct = _over_families(known)
    # A computer behind a NAT64 has IPv6: where that was not tested, peers that have it too are not ruled out.
    untested = nats.ipv6 is None and nats.ipv4 is not None and nats.ipv4.nat64 and not known.udp_blocked
    return "inconclusive" if untested and direct == "none-direct" else direct


def _over_families(known: Known) -> DirectHere:
    if known.udp_blocked:
        return "none-direct"
    ipv6 = direct_verdict(known.nats.ipv6, udp_blocked=known.ipv6_blocked)
    return direct_over_families(direct_verdict(known.nats.ipv4), ipv6)


def _relay(servers: tuple[ServerRow, ...]) -> Direct:
    """Say what is left where no direct path is possible."""
    data = [(row, relays(server)) for server in servers for row in server.stages if row.stage == "data"]
    tried = {proven for row, proven in data if proven != "unknown" or row.status != "not-tested"}
    if "yes" in tried:
        return "relay-needed"
    return "blocked" if tried == {"no"} else "inconclusive"


def relays(server: ServerRow) -> Reachable:
    """Return whether data went through a TURN server's relay to somebody else than its like."""
    data = next((row for row in server.stages if row.stage == "data"), None)
    if data is not None and data.finding in ONLY_AMONG_RELAYS:
        return "unknown"
    if data is not None and data.status in ("ok", "warning"):
        return "yes"
    return "no" if "failed" in (server.status, *(row.status for row in server.stages)) else "unknown"
