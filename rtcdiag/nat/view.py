"""What there is to judge: one family's transactions with the servers farthest outside, and the answers believed."""

import msgspec

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import Answer, Binding, Environment, Failure
from rtcdiag.nat.answers import valid_answer, widest
from rtcdiag.nat.behavior import OtherWay
from rtcdiag.nat.follow_ups import before_follow_ups
from rtcdiag.nat.operators import operators
from rtcdiag.nat.relays import Relays, relay_samples, told_wrong, within
from rtcdiag.nat.samples import Sample, in_order, samples_of
from rtcdiag.nat.trust import distrust
from rtcdiag.nat.ways import Way, by_way, main_way, other_ways

Reply = tuple[Binding, Answer]
Asked = tuple[str, TransportAddress]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence about one family's NAT, sorted."""

    scope: Scope
    """That of the servers that count."""
    way: Way
    """The way out that is judged."""
    others: tuple[OtherWay, ...]
    bindings: tuple[Binding, ...]
    """All transactions with servers of that scope by that way, but for those of ``followed_up``."""
    followed_up: tuple[Binding, ...]
    """Those that asked, last on a filtering test's socket, where a swallowed answer came from."""
    operators: dict[str, str]
    """By server."""
    samples: tuple[Sample, ...]
    """Believed, with CHANGE-REQUEST or without, in the order of the answers."""
    distrusted: dict[str, str]
    """By server: why its mapped addresses are not believed."""
    plain: dict[TransportAddress, tuple[Reply, ...]]
    """By destination: the valid answers to plain requests."""
    changes: dict[Asked, tuple[Binding, ...]]
    """By server and destination: the transactions with CHANGE-REQUEST."""
    contacted: dict[object, set[TransportAddress]]
    """By socket label and by local address: where packets were sent to."""
    environment: Environment
    relays: Relays
    """What TURN relays showed, those of that scope."""

    @property
    def silent(self) -> str:
        """Why there is nothing to judge; empty where there is something."""
        if self.samples:
            return ""
        if any(valid_answer(item) for item in self.bindings):
            return "no answer told a mapped address that can be believed"
        if any(item.exchange.answers for item in self.bindings):
            return "no valid answer over UDP"
        failures = {item.exchange.failure for item in self.bindings}
        forbidden = "; this computer does not allow sending" if failures == {Failure.PERMISSION_DENIED} else ""
        return "no answer over UDP" + forbidden + self._answered_elsewhere()

    def _answered_elsewhere(self) -> str:
        names = [item.interface or item.address or "another interface" for item in self.others if item.mapped]
        return f" by {self.way.name}; servers that were asked by {', '.join(names)} did answer" if names else ""


def view_of(bindings: tuple[Binding, ...], environment: Environment, family: Family, relays: Relays) -> View:
    """Sort a family's transactions; there is at least one."""
    scope = widest(bindings, relays.points)
    outside = before_follow_ups(tuple(item for item in bindings if item.destination.scope is scope))
    way = main_way(outside, environment, family)
    left, relays = by_way(outside, way), within(relays, scope, way.address)
    relevant = tuple(item for item in left if item.purpose != "tracking")
    run_by = operators(relevant, relays.hosts)
    samples = in_order((*samples_of(relevant, run_by), *relay_samples(relays, run_by)))
    distrusted = told_wrong(relays, run_by)
    distrusted |= distrust(tuple(sample for sample in samples if sample.server not in distrusted), scope)
    return View(
        scope=scope,
        way=way,
        others=other_ways(outside, way),
        bindings=relevant,
        followed_up=tuple(item for item in left if item.purpose == "tracking"),
        operators=run_by,
        samples=tuple(sample for sample in samples if sample.server not in distrusted),
        distrusted=distrusted,
        plain=_plain(relevant),
        changes=_changes(relevant),
        contacted=_contacted(relevant),
        environment=environment,
        relays=relays,
    )


def _plain(bindings: tuple[Binding, ...]) -> dict[TransportAddress, tuple[Reply, ...]]:
    found: dict[TransportAddress, list[Reply]] = {}
    for item in bindings:
        answer = valid_answer(item) if item.change == "none" else None
        if answer is not None:
            found.setdefault(item.destination, []).append((item, answer))
    return {destination: tuple(replies) for destination, replies in found.items()}


def _changes(bindings: tuple[Binding, ...]) -> dict[Asked, tuple[Binding, ...]]:
    found: dict[Asked, list[Binding]] = {}
    for item in bindings:
        if item.change != "none":
            found.setdefault((item.server, item.destination), []).append(item)
    return {asked: tuple(items) for asked, items in found.items()}


def _contacted(bindings: tuple[Binding, ...]) -> dict[object, set[TransportAddress]]:
    found: dict[object, set[TransportAddress]] = {}
    for item in bindings:
        found.setdefault(item.socket, set()).add(item.destination)
        if item.local is not None:
            found.setdefault(item.local, set()).add(item.destination)
    return found
