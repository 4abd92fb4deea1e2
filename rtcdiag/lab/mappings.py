"""The table of one protocol: mappings (RFC 4787 section 4) and what their filters let in (section 5)."""

from collections import OrderedDict
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Literal

from rtcdiag.lab.packet import Endpoint
from rtcdiag.nat import Behavior

MOST_MAPPINGS = 8192
"""In one table: then new ones are refused until some expire."""
MOST_REMOTES = 1024
"""That one filter remembers: then the one sent to longest ago is forgotten."""

Assign = Callable[[Endpoint, Container[Endpoint]], Endpoint | None]
"""Choose an external endpoint for an inside one, which is none of those taken; None when there is none left."""
Refresh = Literal["outbound", "inbound", "both"]


@dataclass(slots=True)
class Mapping:
    """An inside endpoint, where the outside sees it, and whom the outside may be."""

    key: tuple[Endpoint, object]
    inside: Endpoint
    external: Endpoint
    expires_s: float
    remotes: OrderedDict[object, float] = field(default_factory=OrderedDict)
    """What the filter compares -> until when."""


def _part(behavior: Behavior, remote: Endpoint) -> object:
    """Return the part of a remote endpoint that a behavior depends on."""
    if behavior == "endpoint-independent":
        return None
    return remote[0] if behavior == "address-dependent" else remote


class Mappings:
    """The mappings of one protocol, all of one lifetime."""

    def __init__(
        self, *, mapping: Behavior, filtering: Behavior, lifetime_s: float, refresh: Refresh, assign: Assign
    ) -> None:
        self._mapping: Behavior = mapping
        self._filtering: Behavior = filtering
        self._lifetime_s = lifetime_s
        self._refreshed_by_inbound = refresh != "outbound"
        self._refreshed_by_outbound = refresh != "inbound"
        self._assign = assign
        self._by_key: OrderedDict[tuple[Endpoint, object], Mapping] = OrderedDict()
        self._by_external: dict[Endpoint, Mapping] = {}

    def outbound(self, inside: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        """Return the mapping that a packet to ``remote`` takes, new where there is none; None when nothing is left."""
        self._expire(now_s)
        mapping = self.of_inside(inside, remote, now_s)
        fresh = mapping is None
        if mapping is None:
            mapping = self._create(inside, remote, now_s)
        if mapping is None:
            return None
        if fresh or self._refreshed_by_outbound:
            self._refresh(mapping, now_s)
        self._permit(mapping, remote, now_s)
        return mapping

    def inbound(self, external: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        """Return the mapping that lets a packet from ``remote`` in, or None."""
        mapping = self.of_external(external, remote, now_s)
        if mapping is not None and self._refreshed_by_inbound:
            self._refresh(mapping, now_s)
            self._permit(mapping, remote, now_s)
        return mapping

    def of_inside(self, inside: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        """Return the mapping that a packet to ``remote`` would take, without touching it."""
        mapping = self._by_key.get((inside, _part(self._mapping, remote)))
        return mapping if mapping is not None and now_s < mapping.expires_s else None

    def of_external(self, external: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        """Return the mapping that lets ``remote`` in, without touching it."""
        mapping = self._by_external.get(external)
        if mapping is None or now_s >= mapping.expires_s:
            return None
        if self._filtering == "endpoint-independent":
            return mapping
        until_s = mapping.remotes.get(_part(self._filtering, remote))
        return mapping if until_s is not None and now_s < until_s else None

    def _create(self, inside: Endpoint, remote: Endpoint, now_s: float) -> Mapping | None:
        key = (inside, _part(self._mapping, remote))
        if expired := self._by_key.pop(key, None):
            del self._by_external[expired.external]
        external = self._assign(inside, self._by_external) if len(self._by_key) < MOST_MAPPINGS else None
        if external is None:
            return None
        mapping = Mapping(key, inside, external, now_s)
        self._by_key[key] = self._by_external[external] = mapping
        return mapping

    def _refresh(self, mapping: Mapping, now_s: float) -> None:
        mapping.expires_s = now_s + self._lifetime_s
        self._by_key.move_to_end(mapping.key)

    def _permit(self, mapping: Mapping, remote: Endpoint, now_s: float) -> None:
        """Let ``remote`` in from now on, as long as a mapping lives."""
        part = _part(self._filtering, remote)
        if part is None:
            return
        if part not in mapping.remotes and len(mapping.remotes) >= MOST_REMOTES:
            mapping.remotes.popitem(last=False)
        mapping.remotes[part] = now_s + self._lifetime_s
        mapping.remotes.move_to_end(part)

    def _expire(self, now_s: float) -> None:
        """Forget what has expired: the longest idle one is always first."""
        while self._by_key:
            oldest = next(iter(self._by_key.values()))
            if now_s < oldest.expires_s:
                return
            del self._by_key[oldest.key], self._by_external[oldest.external]
