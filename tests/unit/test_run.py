"""Plans are values; a run survives its probes."""

import asyncio
import pkgutil
from importlib import import_module
from inspect import signature

import pytest

from rtcdiag import probes as probes_package
from rtcdiag import run
from rtcdiag.evidence import Binding, Crash, Evidence, Skipped, Target
from rtcdiag.net import Net
from rtcdiag.options import RunOptions
from rtcdiag.planning import plan
from rtcdiag.probes import PROBES, probe_of
from rtcdiag.probes.job import Job, Record
from rtcdiag.run import gather
from rtcdiag.targets import Credential, parse_server
from support.nat_model import ModelNat, plain, two_operators
from support.nat_probe import Probe
from support.observations import mapped

STUN = parse_server("stun:stun.example.org")
STUNS = parse_server("stuns:stun.example.org")
TURN = parse_server("turn:turn.example.org?transport=tcp", credential=Credential("1700000000:kim", "hush"))


def test_a_report_runs_every_probe_and_a_control() -> None:
    assert plan("report", (STUN, STUNS, TURN), RunOptions()) == (
        Job(probe="control"),
        Job(probe="web-check"),
        Job(probe="gateway", servers=(STUN, STUNS, TURN)),
        Job(probe="hops", servers=(STUN,)),
        Job(probe="stun-server", servers=(STUN,), samples=1),
        Job(probe="stun-server", servers=(STUNS,)),
        Job(probe="turn-server", servers=(TURN,)),
        Job(probe="nat-behavior", servers=(STUN,)),
        Job(probe="vantage", servers=(STUN, STUNS, TURN)),
        Job(probe="candidates", servers=(STUN, STUNS, TURN)),
    )


@pytest.mark.parametrize("uri", ["turn:turn.example.org", "turns:turn.example.org", "turn:192.0.2.1?transport=tcp"])
def test_the_filter_is_tested_from_a_relay_only_where_there_are_credentials(uri: str) -> None:
    known, unknown = parse_server(uri, credential=Credential("kim", "hush")), parse_server(uri)

    assert Job(probe="vantage", servers=(STUN, known)) in plan("nat-type", (STUN, known), RunOptions())
    assert "vantage" not in {job.probe for job in plan("nat-type", (STUN, unknown), RunOptions())}
    assert "vantage" not in {job.probe for job in plan("check-turn", (known,), RunOptions())}


def test_a_server_named_twice_is_asked_once() -> None:
    assert plan("check-stun", (STUN, STUN), RunOptions()) == (Job(probe="stun-server", servers=(STUN,)),)


def test_no_control_host_is_contacted_where_only_this_computer_is_asked() -> None:
    local = parse_server("stun:127.0.0.1")

    assert plan("nat-type", (local,), RunOptions()) == (Job(probe="nat-behavior", servers=(local,)),)
    assert Job(probe="control") not in plan("nat-type", (STUN,), RunOptions(control=False))
    assert Job(probe="control") in plan("nat-type", (STUN, local), RunOptions())


def test_the_gateway_is_asked_unless_the_user_forbids_it() -> None:
    asked = [job.probe for job in plan("nat-type", (STUN,), RunOptions())]
    assert asked == ["control", "web-check", "gateway", "hops", "nat-behavior"]
    assert "gateway" not in [job.probe for job in plan("nat-type", (STUN,), RunOptions(gateway=False))]
    assert "gateway" not in [job.probe for job in plan("check-stun", (STUN,), RunOptions())]


def test_candidates_asks_nothing_but_for_candidates() -> None:
    assert plan("candidates", (STUN,), RunOptions()) == (Job(probe="candidates", servers=(STUN,)),)


async def _raise(_job: Job, _net: Net, _record: Record) -> None:
    raise ExceptionGroup("side by side", [ZeroDivisionError("secret-in-the-message")])


async def _hang(job: Job, net: Net, record: Record) -> None:
    record(Skipped(t_ms=net.now_ms(), what="first", why=job.probe))
    await asyncio.Event().wait()


async def _quick(_job: Job, net: Net, record: Record) -> None:
    record(Skipped(t_ms=net.now_ms(), what="quick", why="done"))


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "probe_of", {"crash": _raise, "hang": _hang, "quick": _quick}.__getitem__)


@pytest.mark.usefixtures("probes")
def test_a_probe_that_raises_becomes_a_crash_without_the_message_and_the_others_go_on() -> None:
    evidence = asyncio.run(gather((Job(probe="crash"), Job(probe="quick")), RunOptions()))

    (crash,) = evidence.of(Crash)
    assert (crash.probe, crash.error, crash.id) == ("crash", "ZeroDivisionError", "obs-1")
    assert "secret" not in repr(evidence)
    assert evidence.of(Skipped)[0].what == "quick"


async def _answer(_job: Job, net: Net, record: Record) -> None:
    record(mapped("stun:198.51.100.1", "198.51.100.1:3478", 50000, t_ms=net.now_ms()))


def test_a_control_is_not_waited_for_where_udp_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "probe_of", {"control": _hang, "nat-behavior": _answer}.__getitem__)
    evidence = asyncio.run(gather((Job(probe="control"), Job(probe="nat-behavior")), RunOptions()))

    assert [item.what for item in evidence.of(Skipped)] == ["first"]
    assert len(evidence.of(Binding)) == 1


async def _after_a_while(job: Job, net: Net, record: Record) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    await _quick(job, net, record)


def test_a_control_is_waited_for_where_udp_was_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "probe_of", {"web-check": _after_a_while, "nat-behavior": _quick}.__getitem__)
    evidence = asyncio.run(gather((Job(probe="web-check"), Job(probe="nat-behavior")), RunOptions()))

    assert [item.what for item in evidence.of(Skipped)] == ["quick", "quick"]


def test_a_control_that_hangs_does_not_hold_up_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "probe_of", {"control": _hang, "nat-behavior": _quick}.__getitem__)
    jobs = (Job(probe="control"), Job(probe="nat-behavior"))
    evidence = asyncio.run(asyncio.wait_for(gather(jobs, RunOptions(timeout_ms=20)), 10))

    assert [item.what for item in evidence.of(Skipped)] == ["first", "quick"]


@pytest.mark.parametrize(("filtering", "hosts", "waits"), [("known", 1, False), ("known", 2, True), ("open", 1, True)])
def test_relays_are_waited_for_where_they_can_tell_more(
    filtering: str, hosts: int, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tell(_job: Job, _net: Net, record: Record) -> None:
        servers = two_operators() if filtering == "known" else plain(2)
        for seen in Probe(ModelNat(), servers).run().seen:
            record(seen)

    monkeypatch.setattr(run, "probe_of", {"nat-behavior": tell, "vantage": _slow}.__getitem__)
    monkeypatch.setattr(run, "SECOND_VIEW_S", 10.0)
    servers = (TURN, STUN, parse_server("stun:other.example"))[: 1 + hosts]
    jobs = (Job(probe="nat-behavior"), Job(probe="vantage", servers=servers))
    evidence = asyncio.run(gather(jobs, RunOptions()))

    assert [item.what for item in evidence.of(Skipped)] == (["slow"] if waits else [])


async def _slow(_job: Job, net: Net, record: Record) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    record(Skipped(t_ms=net.now_ms(), what="slow", why="done"))


@pytest.mark.usefixtures("probes")
def test_the_deadline_keeps_what_was_seen_and_says_what_it_cut_off() -> None:
    evidence = asyncio.run(gather((Job(probe="hang", servers=(TURN,)),), RunOptions(deadline_ms=20)))

    assert [item.what for item in evidence.of(Skipped)] == ["first", f"hang {TURN.uri}"]
    assert "0.02 s" in evidence.of(Skipped)[1].why


@pytest.mark.usefixtures("probes")
def test_a_cancelled_run_returns_what_it_had() -> None:
    async def cancelled() -> Evidence:
        task = asyncio.create_task(gather((Job(probe="hang"), Job(probe="quick")), RunOptions()))
        # The probes have their turn before this task does again.
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        return await task

    assert [item.what for item in asyncio.run(cancelled()).of(Skipped)] == ["first", "quick"]


@pytest.mark.usefixtures("probes")
def test_targets_tell_the_shape_of_a_credential_and_never_the_credential() -> None:
    evidence = asyncio.run(gather((Job(probe="quick", servers=(TURN,)),), RunOptions()))

    (target,) = evidence.of(Target)
    assert target.credential is not None
    assert (target.credential.form, target.credential.expires_at) == ("time-limited", 1700000000)
    assert "hush" not in repr(evidence)
    assert "kim" not in repr(evidence)


def test_every_probe_is_registered_and_every_registered_one_can_run() -> None:
    modules = {info.name for info in pkgutil.iter_modules(probes_package.__path__)}
    observes = {name: getattr(import_module(f"rtcdiag.probes.{name}"), "observe", None) for name in modules}
    found = {name for name, one in observes.items() if one and [*signature(one).parameters] == ["job", "net", "record"]}

    assert {name.replace("_", "-") for name in found} == set(PROBES)
    assert len(PROBES) == len(found)
    assert all(probe_of(name) is observes[name.replace("-", "_")] for name in PROBES)
