"""The causal chain of each server at each address: which stages held, which one broke, which were never reached."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import msgspec
from msgspec.structs import replace

from rtcdiag.address import TransportAddress
from rtcdiag.capabilities import capabilities_of
from rtcdiag.evidence import (
    Allocation,
    Binding,
    Challenge,
    Connect,
    Evidence,
    Failure,
    IceMeeting,
    Observation,
    Permission,
    ProxyTunnel,
    Redirect,
    Refresh,
    RelayedData,
    Resolution,
    Target,
    TlsHandshake,
    TurnStep,
)
from rtcdiag.findings import STAGES, Finding, Severity, Stage, entry_of
from rtcdiag.measures import relay_measures
from rtcdiag.report import IceRow, ServerRow, StageRow, StageStatus
from rtcdiag.targets import VIA, Transport
from rtcdiag.ways import Way, transport_of, ways


def server_rows(evidence: Evidence, findings: tuple[Finding, ...]) -> tuple[ServerRow, ...]:
    """Return a row for every path, in the order in which the servers were named."""
    return tuple(_row(path, evidence, findings) for target in evidence.of(Target) for path in ways(target, evidence))


_BEFORE: tuple[Stage, ...] = ("config", "clock", "dns")
"""Stages before the server itself is asked."""
_Held = Callable[[Any], bool]
_STAGE_EVIDENCE: tuple[tuple[Stage, type[Observation], _Held, _Held], ...] = (
    # stage, kind, which of that kind, and whether it held
    ("connect", Connect, lambda _: True, lambda item: item.failure is None),
    ("tls", TlsHandshake, lambda _: True, lambda item: item.failure is None),
    ("binding", Binding, lambda item: item.role == "primary", lambda item: item.exchange.succeeded),
    ("challenge", Challenge, lambda _: True, lambda item: item.exchange.answer is not None),
    ("allocate", Allocation, lambda item: not item.sends_on, lambda item: item.exchange.succeeded),
    (
        "relayed-address",
        Allocation,
        lambda item: item.exchange.succeeded,
        lambda item: item.exchange.answer.relayed is not None,
    ),
    ("permission", Permission, lambda _: True, lambda item: item.exchange.succeeded),
    ("data", RelayedData, lambda item: item.sent > 0, lambda item: item.received > 0),
    ("refresh", Refresh, lambda item: item.lifetime_s > 0, lambda item: item.exchange.succeeded),
    ("release", Refresh, lambda item: item.lifetime_s == 0, lambda item: item.exchange.succeeded),
)


def _row(path: Way, evidence: Evidence, findings: tuple[Finding, ...]) -> ServerRow:
    about = tuple(finding for finding in findings if _concerns(finding, path))
    stages = tuple(_first_break(tuple(_stage(stage, path, evidence, about) for stage in _chain(path, about))))
    return ServerRow(
        uri=path.target.server.partition(VIA)[0],
        via=path.target.via,
        address=path.address,
        transport=path.transport,
        status=_worst(stages),
        stages=tuple(_owned(stages, findings)),
        quality=_quality(path, evidence),
        ice=_ice(path, evidence, about),
        redirected_from=_redirected_from(path, evidence),
        capabilities=capabilities_of(path.target, path.address, path.transport, evidence),
    )


def _redirected_from(path: Way, evidence: Evidence) -> TransportAddress | None:
    """Return the server that sent on to this one."""
    redirects = evidence.of(Redirect, lambda item: item.server == path.target.server and item.not_followed is None)
    return next((item.destination for item in redirects if item.alternate == path.address), None)


def _owned(stages: tuple[StageRow, ...], findings: tuple[Finding, ...]) -> Iterator[StageRow]:
    """Give a break that no finding about the server owns to the one about the network that silenced it."""
    network = (item.code for item in findings if item.subject is None and item.severity is not Severity.INFO)
    code = next(network, None)
    for row in stages:
        yield replace(row, finding=code) if row.status == "failed" and row.finding is None else row


class _Seen(msgspec.Struct, frozen=True):
    """A stage as findings judge it, and what the evidence alone says."""

    row: StageRow
    observed: StageStatus

    @property
    def broke(self) -> bool:
        """Whether it did not hold, or is said to be broken although it did."""
        return "failed" in (self.observed, self.row.status)


def _first_break(seen: tuple[_Seen, ...]) -> Iterator[StageRow]:
    """Let the first broken stage own the break: what fails behind it for no reason of its own was not tested."""
    held = any(item.observed == "ok" for item in seen if item.row.stage not in _BEFORE)
    broken = False
    for item in seen:
        if broken and item.row.status == "failed" and item.row.finding is None:
            yield replace(item.row, status="not-tested", duration_ms=None)
        elif item.broke and not broken and not held:
            yield _all_that_is_known(item.row)
        else:
            yield item.row
        broken = broken or item.broke


def _all_that_is_known(row: StageRow) -> StageRow:
    """Do not call mild what ended a path on which nothing held: it failed, or could not even be tested."""
    untested = row.finding is not None and entry_of(row.finding).severity is Severity.INFO
    return replace(row, status="not-tested" if untested else "failed")


def _concerns(finding: Finding, path: Way) -> bool:
    if finding.subject is None and path.target.via is not None:
        return finding.facts.get("proxy") == path.target.via and path.target.server in finding.facts.get("servers", ())
    if finding.subject != path.target.server:
        return False
    address, transport = finding.facts.get("address"), finding.facts.get("transport")
    return address in (None, str(path.address)) and transport in (None, str(path.transport))


def _chain(path: Way, about: tuple[Finding, ...]) -> tuple[Stage, ...]:
    """Return the stages that this server and transport have."""
    stages = {"config", "binding"} | {finding.stage for finding in about}
    if not path.target.ip_literal and path.target.via is None:
        stages.add("dns")
    if path.transport in (Transport.TCP, Transport.TLS):
        stages.add("connect")
    if path.transport in (Transport.TLS, Transport.DTLS):
        stages.add("tls")
    if path.target.protocol == "turn" and path.transport is path.target.transport:
        stages |= {"challenge", "allocate", "relayed-address", "permission", "data", "refresh", "release"}
    return tuple(stage for stage in STAGES if stage in stages)


def _stage(stage: Stage, path: Way, evidence: Evidence, about: tuple[Finding, ...]) -> _Seen:
    held, duration_ms = _observed(stage, path, evidence)
    # A rule may call harmless what did not hold (a TURN server without Binding): that shows, and breaks nothing.
    mild = () if held == "failed" else (Severity.INFO,)
    owners = [finding for finding in about if finding.stage == stage and finding.severity not in mild]
    owner = min(owners, key=lambda finding: tuple(Severity).index(finding.severity), default=None)
    if owner is None:
        return _Seen(StageRow(stage=stage, status=held, duration_ms=duration_ms), held)
    # What a proxy breaks may hinder nobody, and is broken all the same.
    broken = owner.severity is Severity.ERROR or (path.target.via is not None and held == "failed")
    status: StageStatus = "failed" if broken else "warning"
    return _Seen(StageRow(stage=stage, status=status, duration_ms=duration_ms, finding=owner.code), held)


def _observed(stage: Stage, path: Way, evidence: Evidence) -> tuple[StageStatus, float | None]:
    """Return what the evidence alone says of a stage, and how long it took."""
    if stage in ("config", "clock"):
        return "ok", None
    if stage == "dns":
        return _resolved(path, evidence)
    held = next(held for name, _, _, held in _STAGE_EVIDENCE if name == stage)
    if stage == "connect" and path.target.via is not None:
        return _outcome(stage, _tunnels(path, evidence), lambda item: item.opened)
    return _outcome(stage, _found(stage, path, evidence), held)


def stage_evidence(row: ServerRow, stage: Stage, evidence: Evidence) -> tuple[Observation, ...]:
    """Return what a row's stage was judged by; nothing of stages that need no packet."""
    name = row.uri if row.via is None else f"{row.uri}{VIA}{row.via}"
    targets = evidence.of(Target, lambda item: item.server == name)
    transports = [transport for transport in Transport if transport == row.transport]
    if not targets or not transports:
        return ()
    path = Way(targets[0], row.address, transports[0])
    if stage == "dns":
        return tuple(item for item in evidence.of(Resolution) if item.host == path.target.host)
    if stage == "connect" and row.via is not None:
        return tuple(_tunnels(path, evidence))
    return tuple(_found(stage, path, evidence))


def _tunnels(path: Way, evidence: Evidence) -> list[Any]:
    return [item for item in evidence.of(ProxyTunnel) if _on(item, path) and not _cut_off(item)]


def _found(stage: Stage, path: Way, evidence: Evidence) -> list[Any]:
    for name, kind, which, _ in _STAGE_EVIDENCE:
        if name == stage:
            found = [item for item in evidence.of(kind) if _on(item, path) and which(item) and not _cut_off(item)]
            return _last_tries(found) if stage == "allocate" else found
    return []


def _last_tries(found: list[Any]) -> list[Any]:
    """Leave out what a later try made good: another port after 437, IPv4 where IPv6 is not relayed."""
    return list({item.allocation: item for item in found}.values())


def _cut_off(item: Any) -> bool:
    """Tell what the run's end cut off before the server could fail: it was not tested."""
    failure = item.exchange.failure if hasattr(item, "exchange") else getattr(item, "failure", None)
    return failure in (Failure.DEADLINE, Failure.INTERRUPTED)


_ONE_SUFFICES: tuple[Stage, ...] = ("connect", "tls", "binding", "permission", "data")
"""One connection of several is a way, one answer of several samples is an answer, and one peer that the relay reaches
is a relay; rules say what is amiss with the others. Of every other stage, each step has to hold."""


def _outcome(stage: Stage, found: list[Any], held: _Held) -> tuple[StageStatus, float | None]:
    if not found:
        return "not-tested", None
    durations = [item.duration_ms for item in found if item.duration_ms is not None]
    good = any(map(held, found)) if stage in _ONE_SUFFICES else all(map(held, found))
    return "ok" if good else "failed", min(durations, default=None) if good else max(durations, default=None)


def _resolved(path: Way, evidence: Evidence) -> tuple[StageStatus, float | None]:
    found = evidence.of(Resolution, lambda item: item.host == path.target.host and not _cut_off(item))
    if not found:
        return "not-tested", None
    duration_ms = max((item.duration_ms or 0.0 for item in found), default=None)
    return ("ok" if any(item.addresses for item in found) else "failed"), duration_ms


def _on(item: Any, path: Way) -> bool:
    return (
        item.server == path.target.server
        and item.destination == path.address
        and getattr(item, "purpose", "reach") != "mapping"
        and transport_of(item, path.target) is path.transport
    )


def _worst(stages: tuple[StageRow, ...]) -> StageStatus:
    found = {row.status for row in stages}
    for status in ("failed", "warning"):
        if status in found:
            return status
    return "ok" if any(row.status == "ok" for row in stages if row.stage not in _BEFORE) else "not-tested"


def _ice(path: Way, evidence: Evidence, about: tuple[Finding, ...]) -> IceRow | None:
    """Return how real agents fared; what the run's end cut off is not tested."""
    found = [item for item in evidence.of(IceMeeting) if _on(item, path)]
    if not found:
        return None
    code = next((item.code for item in about if set(item.evidence) & {meeting.id for meeting in found}), None)
    connected = found[0].outcome == "connected"
    status: StageStatus = "ok" if connected else "not-tested" if _cut_off(found[0]) else "failed"
    return IceRow(status=status, duration_ms=found[0].connecting_ms if connected else None, finding=code)


def _is_sample(item: Binding, path: Way) -> bool:
    """Tell a plain request to a path's address, whatever it was made for."""
    here = (item.destination, item.transport) == (path.address, path.transport)
    return here and (item.change, item.role) == ("none", "primary")


def _quality(path: Way, evidence: Evidence) -> dict[str, Any] | None:
    samples = evidence.of(Binding, lambda item: _is_sample(item, path))
    relay = relay_measures(evidence.of(TurnStep, lambda item: _on(item, path)))
    if not samples:
        return relay or None
    times = [item.exchange.rtt_ms for item in samples if item.exchange.rtt_ms is not None]
    return {
        "rtt_ms": times,
        "rtt_median_ms": median(times) if times else None,
        "sent": len(samples),
        "answered": sum(item.exchange.succeeded for item in samples),
        **relay,
    }
