"""Two NATs and ICE: what they will achieve between them (RFC 8445).

A model, not a table: two agents behind NATs of RFC 4787's behaviors run checks at each other until nothing new comes of
it. What is not known of a side is tried in every way that it can be.
"""

from rtcdiag.traversal.checks import Order, Path, connects, paths
from rtcdiag.traversal.reach import (
    PEERS,
    DirectHere,
    PeerKind,
    Reach,
    direct_over_families,
    direct_verdict,
    reach_rows,
)
from rtcdiag.traversal.sides import (
    Endpoint,
    Reachable,
    certain,
    endpoint_of,
    outcomes,
    predict,
    taken_for_granted,
)
from rtcdiag.traversal.words import Names, explain, proviso
from rtcdiag.traversal.world import APART, Between, CandidateKind, Side

__all__ = [
    "APART",
    "PEERS",
    "Between",
    "CandidateKind",
    "DirectHere",
    "Endpoint",
    "Names",
    "Order",
    "Path",
    "PeerKind",
    "Reach",
    "Reachable",
    "Side",
    "certain",
    "connects",
    "direct_over_families",
    "direct_verdict",
    "endpoint_of",
    "explain",
    "outcomes",
    "paths",
    "predict",
    "proviso",
    "reach_rows",
    "taken_for_granted",
]
