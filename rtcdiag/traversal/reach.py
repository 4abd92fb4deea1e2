"""Whom this host reaches directly, kind by kind, and what that makes of its chances."""

from typing import Literal

import msgspec

from rtcdiag.nat import BEHAVIORS, Nat, possible_mappings
from rtcdiag.traversal.sides import DEPENDENT, EIM, STRICT, Endpoint, Reachable, endpoint_of, predict
from rtcdiag.traversal.words import explain

PeerKind = Literal[
    "open", "full-cone", "address-restricted", "port-restricted", "symmetric", "firewalled", "udp-blocked"
]
DirectHere = Literal["likely", "depends-on-peer", "none-direct", "inconclusive", "not-tested"]
"""What one side can tell of direct paths; what ``none-direct`` means for calls is decided by its relays."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this host reaches one kind of peer directly."""

    peer: PeerKind
    direct: Reachable
    why: str


PEERS: dict[PeerKind, Endpoint] = {
    "open": Endpoint(mappings=EIM, filterings=EIM),
    "full-cone": Endpoint(mappings=EIM, filterings=EIM),
    "address-restricted": Endpoint(mappings=EIM, filterings=("address-dependent",)),
    "port-restricted": Endpoint(mappings=EIM, filterings=STRICT),
    "symmetric": Endpoint(mappings=DEPENDENT, filterings=STRICT),
    "firewalled": Endpoint(mappings=EIM, filterings=STRICT),
    "udp-blocked": Endpoint(udp=False),
}


def reach_rows(ipv4: Nat | None, ipv6: Nat | None, *, udp_blocked: bool = False) -> tuple[Reach, ...]:
    """Return a row for each kind of peer, empty where no family was tested.

    Peers are taken to have IPv4 only, so the rows are of IPv4 unless only IPv6 was tested or had an answer.
    """
    nat = ipv6 if ipv6 is not None and (ipv4 is None or (_unknown(ipv4) and not _unknown(ipv6))) else ipv4
    if nat is None:
        return ()
    words = "over IPv6: " if nat is ipv6 else ""
    return tuple(_row(nat, kind, peer, words, udp_blocked=udp_blocked) for kind, peer in PEERS.items())


def _row(nat: Nat, kind: PeerKind, peer: Endpoint, words: str, *, udp_blocked: bool) -> Reach:
    here = endpoint_of(nat, udp_blocked=udp_blocked)
    unknown = _unknown(nat)
    if unknown and here.udp and peer.udp:
        return Reach(peer=kind, direct="unknown", why=words + unknown)
    return Reach(peer=kind, direct=predict(here, peer), why=words + explain(here, peer))


def _unknown(nat: Nat) -> str:
    """Say why nothing can be told of this side; empty where something can."""
    if nat.local_only:
        return "no server outside this network was asked"
    if not nat.mapped and possible_mappings(nat) == BEHAVIORS:
        return nat.undetermined.get("mapping") or "nothing is known of the NAT here"
    return ""


def direct_verdict(nat: Nat | None, *, udp_blocked: bool = False) -> DirectHere:
    """Return what one family's NAT means for direct paths.

    ``likely``: with every kind of peer that has UDP; ``depends-on-peer``: with some for certain; ``none-direct``: with
    none; ``inconclusive``: none is certain, or no server outside was asked; ``not-tested``: no NAT to judge.
    """
    if nat is None:
        return "not-tested"
    rows = reach_rows(nat, None, udp_blocked=udp_blocked)
    answers = {row.direct for row in rows if PEERS[row.peer].udp}
    if "yes" in answers:
        return "likely" if answers == {"yes"} else "depends-on-peer"
    return "none-direct" if answers == {"no"} else "inconclusive"


def direct_over_families(ipv4: DirectHere, ipv6: DirectHere) -> DirectHere:
    """Return the verdict over both families: that of IPv4, which every peer is taken to have.

    A family that was not tested does not count. Where IPv4 promises nothing, peers that have IPv6 too are still some.
    """
    if ipv4 == "not-tested":
        return ipv6
    promises = ("likely", "depends-on-peer")
    if ipv4 in promises or ipv6 not in promises:
        return "inconclusive" if ipv4 == "none-direct" and ipv6 == "inconclusive" else ipv4
    return "depends-on-peer"
