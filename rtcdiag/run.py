"""Gather the evidence of a run: every probe side by side, none able to break the report."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module
from itertools import chain
from pathlib import PurePath

from msgspec import Struct
from msgspec.structs import replace

from rtcdiag.address import Family, Scope
from rtcdiag.clocks import clocks_of
from rtcdiag.evidence import (
    Binding,
    Crash,
    CredentialShape,
    Environment,
    Evidence,
    Failure,
    Observation,
    Skipped,
    Target,
)
from rtcdiag.nat import classify
from rtcdiag.net import Net, OnProgress
from rtcdiag.net.capture import Capture
from rtcdiag.net.dtls import dtls_context, is_installed
from rtcdiag.net.stream import verifying_context
from rtcdiag.options import RunOptions
from rtcdiag.planning import CONTROLS, over_udp
from rtcdiag.probes import probe_of
from rtcdiag.probes.environment import environment
from rtcdiag.probes.job import Job
from rtcdiag.stun.credentials import shape_of
from rtcdiag.targets import Server, Transport

RELEASE_S = 3.0
"""How long cancelled probes may take to release what they hold on servers."""


class _Running(Struct):
    """A job under way."""

    job: Job
    observations: list[Observation] = []


async def gather(
    jobs: tuple[Job, ...],
    options: RunOptions,
    capture: Capture | None = None,
    on_progress: OnProgress | None = None,
    *,
    given: tuple[Observation, ...] = (),
    net: Net | None = None,
    here: Environment | None = None,
) -> Evidence:
    """Run all jobs side by side and return what they saw, numbered in the order of the plan; ``given`` comes first.

    ``net`` is that of a run that is under way, whose clock goes on; it is closed at the end all the same. ``here`` is
    what this computer is like, where that is known already.

    When the surrounding task is cancelled (Ctrl-C, SIGTERM) or the deadline comes, it lets the probes release their
    allocations and sockets, and returns what was recorded until then; what the deadline cut off is ``Skipped``.
    """
    _load(jobs, options)
    started_at_s = time.time()
    net = net or Net(options, capture)
    net.on_progress = on_progress or net.on_progress
    net.controls = any(job.probe in CONTROLS for job in jobs)
    running = [_Running(job) for job in jobs]
    tasks = [asyncio.create_task(_observe(item.job, net, item.observations.append)) for item in running]
    try:
        await _wait(running, tasks, net, options.deadline_ms / 1000)
        for item, task in zip(running, tasks, strict=True):
            if not (task.done() or task.cancelling() or _is_control(item)):
                item.observations.append(_cut_off(item.job, net, options))
    except asyncio.CancelledError:
        net.cut_off_by = Failure.INTERRUPTED
        _carry_on()
    finally:
        await _release(tasks)
        await net.close()
    found = numbered(chain(given, _targets(jobs), net.resolutions, *(item.observations for item in running)))
    surroundings = replace(here or environment(net), clock_offset_s=clocks_of(found).offset_s)
    return Evidence(started_at_s=started_at_s, environment=surroundings, observations=found)


SECOND_VIEW_S = 0.5
"""How much longer than all else the filter may be tested from relays where RFC 5780 has told it already."""
_SECOND_VIEW = "vantage"
_ASIDE = ("gateway", "hops")
"""Probes that stop listening to silence as soon as ``Net.others_done`` is set."""


async def _wait(running: list[_Running], tasks: list[asyncio.Task[None]], net: Net, limit_s: float) -> None:
    """Wait for the experiments, and for what was answered beside them.

    Their controls are waited for only where UDP was silent and there is something to control, and no longer than for
    one answer over UDP: names that nobody looks up must not hold up what is known.
    """
    end_s = asyncio.get_running_loop().time() + limit_s
    control_end_s = min(end_s, asyncio.get_running_loop().time() + net.options.timeout_ms / 1000)
    aside = [task for item, task in zip(running, tasks, strict=True) if item.job.probe in _ASIDE]
    second = {task: item.job for item, task in zip(running, tasks, strict=True) if item.job.probe == _SECOND_VIEW}
    experiments = [
        task
        for item, task in zip(running, tasks, strict=True)
        if task not in aside and task not in second and not _is_control(item)
    ]
    if experiments:
        await asyncio.wait(experiments, timeout=limit_s)
    for task, job in second.items():
        await _second_view(task, job, running, max(0.0, end_s - asyncio.get_running_loop().time()))
    net.others_done.set()
    if aside:
        await asyncio.wait(aside, timeout=max(0.0, end_s - asyncio.get_running_loop().time()))
    if tasks and not _udp_answered(running):
        await asyncio.wait(tasks, timeout=max(0.0, control_end_s - asyncio.get_running_loop().time()))


async def _second_view(task: asyncio.Task[None], job: Job, running: list[_Running], limit_s: float) -> None:
    """Wait for the relays' view of the filter: for long only where nothing else tells it."""
    is_settled = _filtering_is_settled(running)
    await asyncio.wait({task}, timeout=min(_grace_s(job), limit_s) if is_settled else limit_s)
    if is_settled and not task.done():
        task.cancel()


def _grace_s(job: Job) -> float:
    """Return how long a second view of a filter is waited for that is known: not at all from the same host."""
    return SECOND_VIEW_S if len({server.host for server in over_udp(job.servers)}) > 1 else 0.0


def _filtering_is_settled(running: list[_Running]) -> bool:
    evidence = Evidence(observations=tuple(seen for item in running for seen in item.observations))
    found = [nat for family in Family if (nat := classify(evidence, family)) is not None]
    return bool(found) and all(nat.filtering != "undetermined" for nat in found)


def _is_control(item: _Running) -> bool:
    return item.job.probe in CONTROLS


def _udp_answered(running: list[_Running]) -> bool:
    """Tell whether anybody beyond this computer answered over UDP."""
    bindings = (seen for item in running for seen in item.observations if isinstance(seen, Binding))
    udp = (seen for seen in bindings if seen.transport is Transport.UDP and seen.exchange.answers)
    return any(seen.destination.scope is not Scope.LOOPBACK for seen in udp)


def _load(jobs: tuple[Job, ...], options: RunOptions) -> None:
    """Do what is slow before the clock starts: while a module is imported, no answer is received."""
    for job in jobs:
        probe_of(job.probe)
    if options.ice or any(job.probe == "candidates" for job in jobs):
        import_module("aioice")
    if any(server.via is not None for job in jobs for server in job.servers):
        import_module("rtcdiag.net.tunnel")
    if any(server.transport is Transport.DTLS for job in jobs for server in job.servers) and is_installed():
        import_module("rtcdiag.net.certificate")
        dtls_context(options.ca_file)
    if any(server.transport is Transport.TLS for job in jobs for server in job.servers):
        import_module("rtcdiag.net.certificate")
        verifying_context(options.ca_file)


def _carry_on() -> None:
    """Take a cancellation as "stop here": the caller still wants what there is."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


async def _release(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=RELEASE_S)


async def _observe(job: Job, net: Net, record: Callable[[Observation], None]) -> None:
    """Run one experiment; a bug in it is on record too."""
    try:
        await probe_of(job.probe)(job, net, record)
    except Exception as error:  # noqa: BLE001 - the report survives every bug of a probe
        record(_crash(job, error, net))


def _crash(job: Job, error: Exception, net: Net) -> Crash:
    if isinstance(error, ExceptionGroup):
        with contextlib.suppress(IndexError):
            return _crash(job, error.exceptions[0], net)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "rtcdiag" in PurePath(frame.filename).parts
    ]
    where = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    return Crash(t_ms=net.now_ms(), probe=job.probe, error=type(error).__name__, where=where)


def _cut_off(job: Job, net: Net, options: RunOptions) -> Skipped:
    what = " ".join([job.probe, *(server.uri for server in job.servers)])
    return Skipped(t_ms=net.now_ms(), what=what, why=f"the deadline of {options.deadline_ms / 1000:g} s came first")


def _targets(jobs: tuple[Job, ...]) -> list[Target]:
    """Return the servers of all experiments, each once."""
    servers = dict.fromkeys(server for job in jobs for server in job.servers)
    return [_target(server) for server in servers]


def _target(server: Server) -> Target:
    return Target(
        t_ms=0.0,
        server=server.uri,
        protocol=server.protocol,
        host=server.host,
        port=server.port,
        transport=server.transport,
        ip_literal=server.ip_literal,
        ignored_query=server.ignored_query,
        credential=_shape(server),
        origin=server.origin,
        via=server.via,
    )


def _shape(server: Server) -> CredentialShape | None:
    return shape_of(server.credential.username) if server.credential is not None else None


def numbered(found: Iterable[Observation]) -> tuple[Observation, ...]:
    """Return observations with the names by which findings refer to them."""
    return tuple(replace(item, id=f"obs-{number}") for number, item in enumerate(found, 1))
