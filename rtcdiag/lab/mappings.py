"""The table of one protocol: mappings (RFC 4787 section 4) and what their filters let in (section 5)."""

from collections import OrderedDict
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Literal

from rtcdiag.lab.connections import Connections
from rtcdiag.lab.packet import Endpoint
from rtcdiag.nat import Behavior

MOST_MAPPINGS = 8192
"""In one table: then new ones are refused until some expire."""
MOST_REMOTES = 1024
"""That one filter remembers: then the one sent to longest ago is forgotten."""
TRACKED_S = 30.0
"""For so long Linux remembers a UDP packet that was not answered."""
_SWEEP_S = 0.1
"""Between two looks at a full table for what has expired."""

Assign = Callable[[Endpoint, Container[Endpoint]], Endpoint | None]
"""Choose an external endpoint for an inside one, which is none of those taken; None when there is none left."""
Refresh = Literal["outbound", "inbound", "both"]


@dataclass(slots=True)
class Mapping:
    """An inside endpoint, where the outside sees it, and whom the outside may be."""

    inside: Endpoint
    external: Endpoint
    expires_s: float
    remotes: OrderedDict[object, float] = field(default_factory=OrderedDict)
    """What the filter compares -> until when."""
    connections: Connections = field(default_factory=Connections)
    """Of TCP only."""


def _part(behavior: Behavior, remote: Endpoint) -> object:
    """Return the part of a remote endpoint that a behavior depends on."""
    if behavior == "endpoint-independent":
        return None
    return remote[0] if behavior == "address-dependent" else remote


class Mappings:
    """The mappings of one protocol."""

    def __init__(
        self,
        *,
        mapping: Behavior,
        filtering: Behavior,
        lifetime_s: float,
        refresh: Refresh,
        assign: Assign,
        overloads: bool = False,
        tracks: bool = False,
    ) -> None:
        """`overloads`: one external endpoint serves many, of different remotes; `tracks`: see `inbound`."""
        self._mapping: Behavior = mapping
        self._filtering: Behavior = filtering
        self._lifetime_s = lifetime_s
        self._refreshed_by_inbound = refresh != "outbound"
        self._refreshed_by_outbound = refresh != "inbound"
        self._assign = assign
        self._shares: Behavior = mapping if overloads else "endpoint-independent"
        self._tracks = tracks
        self._by_key: dict[tuple[Endpoint, object], Mapping] = {}
        self._by_external: dict[tuple[Endpoint, object], Mapping] = {}
        self._tracked: OrderedDict[tuple[Endpoint, Endpoint], float] = OrderedDict()
        self._swept_s = float("-inf")

    def outbound(self, inside: Endpoint, remote: Endpoint, now_s: float, flags: int | None = None) -> Mapping | None:
        """Return the mapping that a packet to ``remote`` takes, new where there is none; None when nothing is left.

        ``flags`` are those of TCP.
        """
        mapping = self.of_inside(inside, remote, now_s)
        fresh = mapping is None
        if mapping is None:
            mapping = self._create(inside, remote, now_s)
        if mapping is None:
            return None
        until_s = now_s + self._follow(mapping, remote, flags, inbound=False)
        self._permit(mapping, remote, until_s)
        if fresh or self._refreshed_by_outbound:
            self._refresh(mapping, until_s, flags)
        return mapping

    def inbound(self, external: Endpoint, remote: Endpoint, now_s: float, flags: int | None = None) -> Mapping | None:
        """Return the mapping that lets a packet from ``remote`` in, or None.

        A table that tracks remembers a packet that it did not let in, as Linux does with what it believes to be for
        itself: for a while no mapping to this remote can have that external endpoint.
        """
        mapping = self.of_external(external, remote, now_s)
        if mapping is None:
            self._track(external, remote, now_s)
            return None
        until_s = now_s + self._follow(mapping, remote, flags, inbound=True)
        if self._refreshed_by_inbound:
            self._permit(mapping, remote, until_s)
            self._refresh(mapping, until_s, flags)
        return mapping

    def of_inside(self, inside: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        """Return the mapping that a packet to ``remote`` would take, without touching it."""
        mapping = self._by_key.get((inside, _part(self._mapping, remote)))
        return mapping if mapping is not None and now_s < mapping.expires_s else None

    def of_external(self, external: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        """Return the mapping that lets ``remote`` in, without touching it."""
        mapping = self._by_external.get((external, _part(self._shares, remote)))
        return mapping if mapping is not None and self._lets_in(mapping, remote, now_s) else None

    def of_receiver(self, inside: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        """Return a mapping by which something from ``remote`` may have come to an inside endpoint."""
        if mapping := self.of_inside(inside, remote, now_s):
            return mapping
        every = (one for one in self._by_key.values() if one.inside == inside)
        return next((one for one in every if self._lets_in(one, remote, now_s)), None)

    def _lets_in(self, mapping: Mapping, remote: Endpoint, now_s: float) -> bool:
        if now_s >= mapping.expires_s:
            return False
        if self._filtering == "endpoint-independent":
            return True
        until_s = mapping.remotes.get(_part(self._filtering, remote))
        return until_s is not None and now_s < until_s

    def _create(self, inside: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        if len(self._by_key) >= MOST_MAPPINGS:
            self._sweep(now_s)
        key = (inside, _part(self._mapping, remote))
        expired = self._by_key.pop(key, None)
        if expired and self._by_external[expired.external, _part(self._shares, remote)] is expired:
            del self._by_external[expired.external, _part(self._shares, remote)]
        external = self._assign(inside, _Taken(self, remote, now_s)) if len(self._by_key) < MOST_MAPPINGS else None
        if external is None:
            return None
        mapping = Mapping(inside, external, now_s)
        self._by_key[key] = self._by_external[external, _part(self._shares, remote)] = mapping
        return mapping

    def is_taken(self, external: Endpoint, remote: Endpoint, now_s: float) -> bool:
        """Return whether a new mapping to ``remote`` cannot have this endpoint."""
        mapping = self._by_external.get((external, _part(self._shares, remote)))
        if mapping is not None and now_s < mapping.expires_s:
            return True
        return now_s < self._tracked.get((external, remote), now_s)

    def _follow(self, mapping: Mapping, remote: Endpoint, flags: int | None, *, inbound: bool) -> float:
        """Return for how long a packet keeps alive what it belongs to, in seconds."""
        if flags is None:
            return self._lifetime_s
        return mapping.connections.follow(remote, flags, inbound=inbound)

    @staticmethod
    def _refresh(mapping: Mapping, until_s: float, flags: int | None) -> None:
        mapping.expires_s = until_s if flags is None else max(mapping.remotes.values(), default=until_s)

    def _permit(self, mapping: Mapping, remote: Endpoint, until_s: float) -> None:
        """Let ``remote`` in until then, if a mapping lives so long."""
        part = _part(self._filtering, remote)
        if part is None:
            return
        if part not in mapping.remotes and len(mapping.remotes) >= MOST_REMOTES:
            mapping.remotes.popitem(last=False)
        mapping.remotes[part] = until_s
        mapping.remotes.move_to_end(part)

    def _track(self, external: Endpoint, remote: Endpoint, now_s: float) -> None:
        if not self._tracks:
            return
        self._tracked[external, remote] = now_s + TRACKED_S
        self._tracked.move_to_end((external, remote))
        if len(self._tracked) > MOST_MAPPINGS:
            self._tracked.popitem(last=False)

    def _sweep(self, now_s: float) -> None:
        """Forget what has expired."""
        if now_s < self._swept_s + _SWEEP_S:
            return
        self._swept_s = now_s
        for table in (self._by_key, self._by_external):
            for key in [key for key, mapping in table.items() if now_s >= mapping.expires_s]:
                del table[key]


class _Taken:
    """The endpoints that a new mapping to one remote cannot have."""

    def __init__(self, table: Mappings, remote: Endpoint, now_s: float) -> None:
        self._table = table
        self._remote = remote
        self._now_s = now_s

    def __contains__(self, endpoint: object) -> bool:
        # A container is asked about anything; a table of ports only about endpoints.
        return self._table.is_taken(endpoint, self._remote, self._now_s)  # type: ignore[arg-type]
