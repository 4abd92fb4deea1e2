"""The run itself and the computer it ran on: crashes, the deadline, the clock, VPN and container."""

from collections.abc import Iterator

from rtcdiag.clocks import AGREE_S, Clocks, clocks_of
from rtcdiag.evidence import Binding, Crash, Evidence, Failure, Observation, Skipped
from rtcdiag.findings import Finding, find
from rtcdiag.rules.expiry import apart, seconds


def crashed(evidence: Evidence) -> Iterator[Finding]:
    """Say which experiments this program itself spoiled."""
    for item in evidence.of(Crash):
        yield find("probe-crashed", item.id, probe=item.probe, error=item.error, where=item.where)


def deadline(evidence: Evidence) -> Iterator[Finding]:
    """Count the experiments that the deadline cut off: one may consist of many requests, and is named once."""
    cut = [item for item in evidence.observations if _cut_off(item)]
    named = evidence.of(Skipped, lambda item: item.why.startswith("the deadline"))
    if cut or named:
        servers = {getattr(item, "server", None) or getattr(item, "host", None) for item in cut}
        ids = [item.id for item in (*named, *cut)]
        yield find("deadline-reached", *ids[:20], count=len(named) or len(servers))


def _cut_off(item: Observation) -> bool:
    exchange = getattr(item, "exchange", None)
    return Failure.DEADLINE in (getattr(item, "failure", None), getattr(exchange, "failure", None))


def clock(evidence: Evidence) -> Iterator[Finding]:
    """Compare this computer's clock with others, where any told its time."""
    clocks = clocks_of(evidence.observations)
    offset_s = clocks.offset_s if clocks.readings else evidence.environment.clock_offset_s
    ids = [item.id for item in clocks.readings]
    if clocks.own == "right":
        yield from _others(clocks)
    elif clocks.readings and clocks.own == "unknown":
        hosts = sorted({item.host for item in clocks.readings})
        yield find("clocks-differ", *ids, hosts=hosts, offset_s=seconds(offset_s or 0.0))
    elif offset_s is not None and abs(offset_s) > AGREE_S:
        yield find("clock-wrong", *ids, offset_s=seconds(offset_s), way="ahead" if offset_s > 0 else "behind")


def _others(clocks: Clocks) -> Iterator[Finding]:
    """Name the hosts whose clocks are wrong where this one is right."""
    for item in clocks.readings:
        if item.offset_s is not None and abs(item.offset_s) > AGREE_S:
            yield find("clock-of-host-wrong", item.id, host=item.host, how=apart(-item.offset_s))


def surroundings(evidence: Evidence) -> Iterator[Finding]:
    """Name what stands between this computer's programs and its network."""
    here = evidence.environment
    used = {item.interface for item in evidence.of(Binding)}
    if here.vpn and (not used or here.default_route in used):
        yield find("vpn-carries-traffic", interface=here.default_route or "unknown")
    if evidence.environment.container:
        yield find("inside-container")
