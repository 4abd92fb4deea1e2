"""What ``rtcdiag health`` does: read the configuration, check what is in it, print, write, and return the exit code."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from msgspec import to_builtins
from msgspec.structs import replace

from rtcdiag.cli.asking import Question
from rtcdiag.cli.checking import run_options
from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.exits import INCONCLUSIVE, SIGNAL
from rtcdiag.cli.health_config import Loaded, Source, load, source_of
from rtcdiag.cli.health_exits import health_exit, nagios_exit
from rtcdiag.cli.health_live import Shown, shown
from rtcdiag.cli.health_options import (
    Checks,
    HealthJudgement,
    HealthNetwork,
    HealthOutput,
    HealthServers,
    required,
    retries,
    thresholds,
    watch_s,
)
from rtcdiag.cli.health_outputs import Outlet
from rtcdiag.cli.options import Judgement, Network, Output, Redacting, Servers
from rtcdiag.cli.redacting import redact_part, series_of
from rtcdiag.cli.running import rfc3339
from rtcdiag.cli.signals import cancelled_by_signals
from rtcdiag.cli.streams import OutputError, say
from rtcdiag.config import HealthConfig
from rtcdiag.evidence import Environment
from rtcdiag.fleet import Settings, around, check_all, settings_for
from rtcdiag.fleet.many import OnResult
from rtcdiag.fleet.spool import Spool
from rtcdiag.health import HealthResult, HealthSummary, Round, Tally, judge_service
from rtcdiag.health.watching import Watcher
from rtcdiag.options import RunOptions
from rtcdiag.redact import Series
from rtcdiag.report import Options

_TRY_S = 30.0
"""How long one try of one target takes at most."""
_TICK_S = 0.5


class Asked(NamedTuple):
    """One command line."""

    config: str
    output: HealthOutput
    checks: Checks
    servers: HealthServers
    network: HealthNetwork
    judgement: HealthJudgement
    redacting: Redacting = Redacting()


class Plan(NamedTuple):
    """The command line, understood."""

    asked: Asked
    servers: Servers
    options: RunOptions
    """With the proxy, through which a service is asked."""
    source: Source
    settings: Settings
    outlet: Outlet
    series: Series
    """Redacts what is told, in every round alike."""


def run_health(asked: Asked) -> int:
    """Check once, or again and again; return the exit code, of the last round."""
    plan = _plan(asked)
    if asked.network.list_contacts:
        return _list_contacts(plan)
    every_s = watch_s(asked.checks.watch)
    watcher = Watcher()
    while True:
        began_s = time.monotonic()
        code, ended = _round(plan, watcher if every_s is not None else None)
        if every_s is None or ended:
            return code
        signal = asyncio.run(_pause(began_s + every_s - time.monotonic()))
        if signal is not None:
            return SIGNAL + signal


async def _pause(pause_s: float) -> int | None:
    """Wait for the next round; return the signal that ended the wait, if one did."""
    task = asyncio.create_task(asyncio.sleep(pause_s))
    with cancelled_by_signals(task) as caught, contextlib.suppress(asyncio.CancelledError):
        await task
    return caught[0] if caught else None


def _plan(asked: Asked) -> Plan:
    """Understand everything before anybody is contacted."""
    servers, network = Servers(**asked.servers._asdict()), Network(**asked.network._asdict())
    deadline_s = asked.checks.deadline
    network = network._replace(deadline=deadline_s)
    options = run_options(Question("health", Output(), servers, network, Judgement()))
    required(asked.checks.require_servers)
    watch_s(asked.checks.watch)
    series = series_of(asked.redacting)
    outlet = Outlet(asked.output, asked.config if series.level != "strict" else None)
    settings = Settings(
        options=replace(options, control=False, gateway=False, proxy=None, deadline_ms=_TRY_S * 1000),
        thresholds=thresholds(asked.checks.threshold),
        retries=retries(asked.checks.retries),
        deadline_s=deadline_s,
        keep_evidence=outlet.wants_evidence,
    )
    if asked.checks.watch is not None and outlet.format == "nagios":
        raise BadInputError("--watch: a plug-in checks once, and is called again (leave it out with --format nagios)")
    source = source_of(asked.config, asked.checks.token_file, servers)
    return Plan(asked, servers, options, source, settings, outlet, series)


def _list_contacts(plan: Plan) -> int:
    from rtcdiag.cli.contacts import print_contacts

    source = plan.source
    uris = [item.server.uri for item in source.config.targets] if source.config else [source.name]
    output = Output(as_json=plan.asked.output.as_json)
    return print_contacts(
        list(dict.fromkeys(uris)),
        control=False,
        look_up=False,
        known_name=source.config is None or not all(item.server.ip_literal for item in source.config.targets),
        gateway=False,
        ports=False,
        output=output,
    )


def _round(plan: Plan, watcher: Watcher | None) -> tuple[int, bool]:
    """Check all targets once; return the exit code, and whether a signal ended it."""
    began_s, started_at = time.monotonic(), rfc3339(datetime.now(UTC))
    loaded = load(plan.source, plan.servers, plan.options)
    plan.outlet.mask(loaded.config)
    tally = Tally(required(plan.asked.checks.require_servers))
    with Spool() as spool:
        here, signal = _checked(plan, loaded, Sink(plan, tally, spool, watcher), started_at)
        summary = HealthSummary(
            id=str(uuid4()),
            options=_told(plan, loaded),
            started_at=started_at,
            duration_ms=round((time.monotonic() - began_s) * 1000, 1),
            interrupted=signal is not None,
            environment=here,
            verdict=tally.verdict(),
            requirement=tally.requirement(),
            counts=tally.counts,
            warnings=tally.warnings,
            failures=tally.failures,
        )
        told = Round(redact_part(summary, plan.series), spool)
        plan.outlet.tell(told, watcher.flips() if watcher is not None else (), dated=watcher is not None)
        written = _written(plan, told)
    if plan.outlet.format == "nagios" and signal is None:
        return nagios_exit(summary), False
    code = health_exit(tally, fail_on=plan.asked.judgement.fail_on, signal=signal)
    return code if written or signal is not None else INCONCLUSIVE, signal is not None


def _written(plan: Plan, told: Round) -> bool:
    """Write files and send metrics; where the check goes on, or a plug-in's code is due, a failure is only said."""
    try:
        plan.outlet.write(told)
    except OutputError as error:
        if plan.asked.checks.watch is None and plan.outlet.format != "nagios":
            raise
        say(f"rtcdiag: {error}")
        return False
    return True


class Sink(NamedTuple):
    """Where results go as they come."""

    plan: Plan
    tally: Tally
    spool: Spool
    watcher: Watcher | None

    def take(self, result: HealthResult) -> HealthResult:
        """Count a result, keep it on disk, and print it where it is not to wait; return it as it may be told."""
        self.tally.add(result)
        result = redact_part(result, self.plan.series)
        try:
            self.spool.add(result)
        except OSError as error:
            raise OutputError(f"no room for results where temporary files are kept: {error.strerror}") from None
        self.plan.outlet.at_once(result)
        if self.watcher is not None:
            self.watcher.see(result)
        return result


def _checked(plan: Plan, loaded: Loaded, sink: Sink, started_at: str) -> tuple[Environment, int | None]:
    """Check what was loaded; return what this computer is like, and the signal that ended it early, if one did."""
    if loaded.config is None:
        sink.take(judge_service(plan.source.name, loaded.observations, started_at))
        return Environment(), None
    config, settings = loaded.config, settings_for(plan.settings, loaded.config, plan.asked.checks.depth)
    with shown(config, plan.series.text, quiet=plan.asked.output.quiet or plan.outlet.is_live) as live:

        def take(result: HealthResult) -> None:
            live.done(sink.take(result))

        return asyncio.run(_checking(config, settings, take, live, plan.series))


async def _checking(
    config: HealthConfig, settings: Settings, take: OnResult, live: Shown, series: Series
) -> tuple[Environment, int | None]:
    here = around(settings.options)
    series.meet(here.here)
    task = asyncio.create_task(check_all(config.targets, settings, here, take, live.begun))
    ticking = asyncio.create_task(_tick(live))
    with cancelled_by_signals(task) as caught, contextlib.suppress(asyncio.CancelledError):  # before it had begun
        await task
    ticking.cancel()
    await here.close()
    return here.here, caught[0] if caught else None


async def _tick(live: Shown) -> None:
    while True:
        await asyncio.sleep(_TICK_S)
        live.tick()


def _told(plan: Plan, loaded: Loaded) -> Options:
    """Return what was asked for, as the result tells it; paths are left out, they may name a person."""
    checks, options = plan.asked.checks, plan.settings.options
    flags = {"depth": checks.depth, "retries": checks.retries or None, "watch": checks.watch}
    limits = (loaded.config.thresholds if loaded.config else {}) | plan.settings.thresholds
    return Options(
        flags={name: value for name, value in flags.items() if value is not None},
        thresholds={"timeout_ms": options.timeout_ms, "deadline_s": plan.settings.deadline_s}
        | {name: to_builtins(limit) for name, limit in limits.items()},
    )
