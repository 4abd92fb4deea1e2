"""One run: plan, gather, diagnose, and what Ctrl-C and SIGTERM do to it."""

import asyncio
import sys
import time
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rtcdiag.cli.signals import cancelled_by_signals
from rtcdiag.cli.streams import is_terminal
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.evidence import Evidence, Observation
from rtcdiag.net import OnProgress
from rtcdiag.net.capture import Capture
from rtcdiag.options import RunOptions
from rtcdiag.planning import plan
from rtcdiag.report import Options, Report
from rtcdiag.run import gather
from rtcdiag.targets import Server


def run(
    command: str,
    servers: tuple[Server, ...],
    options: RunOptions,
    capture: Capture | None,
    *,
    quiet: bool,
    given: tuple[Observation, ...] = (),
) -> tuple[Report, int | None]:
    """Ask the servers; return the report, and the signal that ended the run early, if one did.

    ``given`` is what is known before anybody is asked.
    """
    jobs = plan(command, servers, options)
    began, started_at = time.monotonic(), datetime.now(UTC)
    with _progress(command, servers, options, quiet=quiet) as on_progress:
        evidence, ended_by = asyncio.run(_gather(gather(jobs, options, capture, on_progress, given=given)))
    if evidence.started_at_s:
        started_at = datetime.fromtimestamp(evidence.started_at_s, UTC)
    run = Run(
        id=str(uuid4()),
        command=command,
        options=asked(servers, options),
        started_at=rfc3339(started_at),
        utc_offset_min=utc_offset_min(started_at),
        duration_ms=round((time.monotonic() - began) * 1000, 1),
        interrupted=ended_by is not None,
    )
    return diagnose(evidence, run), ended_by


async def _gather(gathering: Coroutine[Any, Any, Evidence]) -> tuple[Evidence, int | None]:
    task = asyncio.create_task(gathering)
    with cancelled_by_signals(task) as caught:
        try:
            evidence = await task
        except asyncio.CancelledError:  # before it had begun
            evidence = Evidence()
    return evidence, caught[0] if caught else None


_AROUND_SILENCE_S = 7.0
"""What a run with --lifetime takes beside its longest silence."""
_FLAGS = (
    "families",
    "bind",
    "interface",
    "port",
    "server_name",
    "samples",
    "control",
    "gateway",
    "relay_only",
    "ice",
    "tcp_relay",
    "hairpin",
    "lifetime_up_to_s",
    "fragments",
    "quality_s",
    "throughput_kbps",
    "soak_s",
)


def asked(servers: tuple[Server, ...], options: RunOptions) -> Options:
    """Return what was asked for, as the report tells it; paths are left out, they may name a person."""
    default = RunOptions()
    changed = {name: value for name in _FLAGS if (value := getattr(options, name)) != getattr(default, name)}
    flags = {name: str(value) if name == "bind" else value for name, value in changed.items()}
    if options.proxy is not None:
        flags["proxy"] = options.proxy.label or options.proxy.named_by
    if options.ca_file is not None:
        flags["ca_file"] = True
    return Options(
        targets=tuple(server.uri for server in servers),
        flags=flags,
        thresholds={"timeout_ms": options.timeout_ms, "deadline_ms": options.deadline_ms},
    )


def rfc3339(at: datetime) -> str:
    """Return a time in UTC with milliseconds, as reports write it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_offset_min(at: datetime) -> int | None:
    """Return how many minutes local time was ahead of UTC at a time."""
    offset = at.astimezone().utcoffset()
    return None if offset is None else round(offset.total_seconds() / 60)


def _progress(
    command: str, servers: tuple[Server, ...], options: RunOptions, *, quiet: bool
) -> AbstractContextManager[OnProgress | None]:
    """Show on a terminal that the run lasts, and of long experiments how long still; nothing anywhere else."""
    if quiet or not is_terminal(sys.stderr):
        return nullcontext()
    from rtcdiag.cli.progress import Line, bars, status

    whom = f"{len(servers)} server{'s' if len(servers) != 1 else ''}"
    asking = f"rtcdiag {command}: asking {whom}"
    if command == "audit-turn":
        return bars(asking) if servers else nullcontext()
    if any(wanted is not None for wanted in (options.quality_s, options.throughput_kbps, options.soak_s)):
        return bars(asking)
    if options.lifetime_up_to_s is not None:
        return status(Line(asking, _AROUND_SILENCE_S + options.lifetime_up_to_s))
    return status(Line(f"{asking}, at most {options.deadline_ms / 1000:g} s"))
