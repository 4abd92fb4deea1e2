"""What other targets have shown of this network: the controls without which the silence of one proves nothing."""

from msgspec.structs import replace

from rtcdiag.address import IPAddress, Scope
from rtcdiag.contacts import NAT64_NAME
from rtcdiag.evidence import Binding, Connect, Evidence, Observation, Resolution, Target
from rtcdiag.targets import Transport

_EACH = 2
"""So many hosts of a kind are remembered: one of them is another than the one that is silent."""


class Controls:
    """Who answered in this run, over UDP and over TCP, and that names are looked up."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._udp: dict[IPAddress, Binding] = {}
        self._tcp: dict[IPAddress, Connect] = {}
        self._names: dict[str, Resolution] = {}

    def learn(self, evidence: Evidence) -> bool:
        """Remember what a check of one target has shown; tell whether that was more than before."""
        before = self._count()
        if len(self._names) < _EACH:
            for name in evidence.of(Resolution, lambda item: bool(item.addresses)):
                self._names.setdefault(name.host, name)
        if len(self._udp) < _EACH:
            for item in evidence.of(Binding, _shows_udp):
                self._udp.setdefault(item.destination.ip, replace(item, purpose="control", socket="control"))
        if len(self._tcp) < _EACH:
            for connect in evidence.of(Connect, _shows_tcp):
                self._tcp.setdefault(connect.destination.ip, replace(connect, purpose="control"))
        return self._count() > before

    def _count(self) -> int:
        return len(self._names) + len(self._udp) + len(self._tcp)

    @property
    def answered(self) -> bool:
        """Tell whether anybody answered."""
        return bool(self._udp or self._tcp)

    def settle(self, evidence: Evidence) -> bool:
        """Tell whether it is known of this network what failed here: look-ups, UDP, or else any answer."""
        names = evidence.of(Resolution, lambda item: item.host != NAT64_NAME)
        if names and not any(name.addresses for name in names):
            return bool(self._names)
        if any(target.transport is Transport.UDP for target in evidence.of(Target)):
            return bool(self._udp)
        return self.answered

    def beside(self, evidence: Evidence) -> tuple[Observation, ...]:
        """Return what was seen of others than those whom this evidence is about."""
        own = {target.server for target in evidence.of(Target)}
        hosts = {item.host for item in evidence.of(Resolution)}
        seen: tuple[Binding | Connect, ...] = (*self._udp.values(), *self._tcp.values())
        answered = [item for item in seen if item.server not in own]
        names = [item for item in self._names.values() if item.host not in hosts]
        found: tuple[Observation, ...] = (*names, *answered)
        return tuple(replace(item, id=f"control-{number}") for number, item in enumerate(found, 1))


def _shows_udp(item: Binding) -> bool:
    beyond = item.destination.scope is not Scope.LOOPBACK
    return beyond and item.transport is Transport.UDP and item.exchange.succeeded


def _shows_tcp(item: Connect) -> bool:
    return item.destination.scope is not Scope.LOOPBACK and item.failure is None
