"""Two NATs and ICE: what they will achieve between them (RFC 8445)."""

from typing import Literal

import msgspec

PeerKind = Literal[
    "open", "full-cone", "address-restricted", "port-restricted", "symmetric", "firewalled", "udp-blocked"
]
Reachable = Literal["yes", "no", "unknown"]


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this host reaches one kind of peer directly."""

    peer: PeerKind
    direct: Reachable
    why: str
