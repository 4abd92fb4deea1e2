"""The evidence about one path: one server, at one address, over one transport."""

from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import (
    Allocation,
    Binding,
    Challenge,
    Connect,
    Evidence,
    Exchange,
    Failure,
    IceMeeting,
    Observation,
    Permission,
    ProxyTunnel,
    Refresh,
    RelayedData,
    Target,
    TlsHandshake,
    TlsTrial,
    TurnStep,
)
from rtcdiag.findings import Finding, Severity, Stage, entry_of, find
from rtcdiag.targets import VIA, Transport

UNFINISHED = (Failure.DEADLINE, Failure.INTERRUPTED)
"""The run ended before the operation could fail: nothing follows from it."""
_Kind = TypeVar("_Kind", bound=Observation)
_Key = tuple[str, TransportAddress, Transport]


class Step(msgspec.Struct, frozen=True):
    """One transaction on a path, and the stage that it is."""

    stage: Stage
    seen: Observation
    exchange: Exchange


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one server at one address over one transport, in the order of the plan."""

    server: str
    address: TransportAddress
    transport: Transport
    target: Target | None
    observations: tuple[Observation, ...]
    beside: bool = False
    """Whether it goes through a proxy, while the server also answers directly: what fails on it hinders few."""

    @property
    def is_direct(self) -> bool:
        """Whether it goes to the server itself, and not through a proxy."""
        return self.target is None or self.target.via is None

    @property
    def asked(self) -> bool:
        """Whether the URI asks for this transport; otherwise the path is only a control beside it."""
        return self.target is None or self.target.transport == self.transport

    def of(self, kind: type[_Kind]) -> tuple[_Kind, ...]:
        """Return the observations of one kind."""
        return tuple(item for item in self.observations if isinstance(item, kind))

    @property
    def connected(self) -> bool:
        """Whether TCP and TLS, as far as the transport has them, got through at least once."""
        return all(not tried or any(item.failure is None for item in tried) for tried in self._ways)

    @property
    def _ways(self) -> tuple[tuple[Connect | TlsHandshake, ...], ...]:
        return (self.of(Connect), self.of(TlsHandshake))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The transactions, by stage: Binding, then each step of TURN."""
        found = [step for item in self.observations if (step := _step(item)) is not None]
        return tuple(sorted(found, key=lambda step: _ORDER.index(step.stage)))

    @property
    def answered(self) -> bool:
        """Whether any transaction got the answer that it waited for, while it waited."""
        return any(step.exchange.answer is not None and not step.exchange.answer.late for step in self.steps)

    def find(
        self,
        code: str,
        *seen: Observation,
        stage: Stage | None = None,
        severity: Severity | None = None,
        **facts: Any,
    ) -> Finding:
        """Build a finding about this path."""
        if self.beside and (severity or entry_of(code).severity) is Severity.ERROR:
            severity = Severity.WARNING
        return about(
            self.target,
            self.server,
            code,
            *seen,
            stage=stage,
            severity=severity,
            address=str(self.address),
            transport=self.transport.value,
            **facts,
        )


_ORDER: tuple[Stage, ...] = ("binding", "challenge", "allocate", "permission", "refresh", "release")


def _step(item: Observation) -> Step | None:
    match item:
        case Binding():
            return Step("binding", item, item.exchange)
        case Challenge():
            return Step("challenge", item, item.exchange)
        case Allocation():
            return Step("allocate", item, item.exchange)
        case Permission():
            return Step("permission", item, item.exchange)
        case Refresh():
            return Step("refresh" if item.lifetime_s else "release", item, item.exchange)
        case _:
            return None


_latest: tuple[Evidence, tuple[Path, ...]] = (Evidence(), ())


def paths(evidence: Evidence) -> tuple[Path, ...]:
    """Return every path of the evidence, in the order in which it first appears.

    Binding transactions with CHANGE-REQUEST, or to a server's alternate address, are about the NAT and not in here.
    """
    # Thirty rules ask for them, one after the other and of the same evidence, which never changes.
    global _latest  # noqa: PLW0603 - a memory of one, which changes no answer
    known = _latest
    if known[0] is not evidence:
        known = _latest = (evidence, _paths(evidence))
    return known[1]


def _paths(evidence: Evidence) -> tuple[Path, ...]:
    targets = targets_of(evidence)
    found: dict[_Key, list[Observation]] = {}
    for item in evidence.observations:
        key = _key(item, targets)
        if key is not None:
            found.setdefault(key, []).append(item)
    made = tuple(
        Path(server=key[0], address=key[1], transport=key[2], target=targets.get(key[0]), observations=tuple(items))
        for key, items in found.items()
    )
    direct = {path.server for path in made if path.is_direct and path.asked and path.answered}
    return tuple(replace(path, beside=not path.is_direct and server_of(path.server) in direct) for path in made)


def server_of(name: str) -> str:
    """Return the URI of a server that is asked through a proxy, or directly."""
    return name.partition(VIA)[0]


def asked_paths(evidence: Evidence) -> tuple[Path, ...]:
    """Return the paths that the URIs ask for."""
    return tuple(path for path in paths(evidence) if path.asked)


def direct_paths(evidence: Evidence) -> tuple[Path, ...]:
    """Return the paths that the URIs ask for and that go through no proxy."""
    return tuple(path for path in asked_paths(evidence) if path.is_direct)


def about(
    target: Target | None,
    server: str,
    code: str,
    *seen: Observation,
    stage: Stage | None = None,
    severity: Severity | None = None,
    **facts: Any,
) -> Finding:
    """Build a finding about one server. One of the default list that ails is a fact, and nobody's problem here."""
    if target is not None and target.origin == "default":
        severity = Severity.INFO
    return find(code, *(item.id for item in seen), subject=server, stage=stage, severity=severity, **facts)


def targets_of(evidence: Evidence) -> dict[str, Target]:
    """Return the targets by URI."""
    return {target.server: target for target in evidence.of(Target)}


def _key(item: Observation, targets: dict[str, Target]) -> _Key | None:
    match item:
        case Connect() if item.purpose == "server" or item.server in targets:
            return item.server, item.destination, _stream(item, targets.get(item.server))
        case ProxyTunnel() if item.destination is not None:
            return item.server, item.destination, _transport(targets.get(item.server))
        case TlsHandshake():
            return item.server, item.destination, item.transport
        case TlsTrial():
            return item.server, item.destination, Transport.TLS
        case Binding(role="primary", change="none") | TurnStep() | IceMeeting():
            return item.server, item.destination, item.transport
        case _:
            return None


def _transport(target: Target | None) -> Transport:
    return target.transport if target is not None else Transport.TCP


def _stream(item: Connect, target: Target | None) -> Transport:
    """Tell for what a connection was made: the URI's transport, or as a control the other of TCP and TLS."""
    secure = target is not None and target.transport is Transport.TLS
    if item.purpose == "control":
        secure = target is not None and target.transport is Transport.TCP
    return Transport.TLS if secure else Transport.TCP


def relayed_data(path: Path) -> bool:
    """Whether the path's relay was proven: a datagram went through it."""
    return any(item.received > 0 for item in path.of(RelayedData))


def clip(text: str | None, limit: int = 80) -> str:
    """Shorten what a server said, so that one finding stays one line."""
    words = " ".join((text or "").split())
    return words if len(words) <= limit else words[: limit - 1] + "…"
