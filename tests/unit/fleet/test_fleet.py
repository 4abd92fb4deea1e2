"""What many checks share: lanes that narrow, controls for others, results on disk, one look-up a name."""

import asyncio
import threading
from ipaddress import ip_address
from typing import Any

import pytest

from rtcdiag.address import Family
from rtcdiag.config import HealthTarget
from rtcdiag.evidence import Evidence, Failure, Observation
from rtcdiag.fleet import many
from rtcdiag.fleet.controls import Controls
from rtcdiag.fleet.lanes import Lane, Lanes
from rtcdiag.fleet.many import check_all
from rtcdiag.fleet.room import lacked_room, met_itself
from rtcdiag.fleet.settings import Settings, around
from rtcdiag.fleet.spool import Spool
from rtcdiag.health import HealthResult, Try
from rtcdiag.net import resolver
from rtcdiag.net.resolver import Answer, Resolver
from rtcdiag.options import RunOptions
from rtcdiag.targets import parse_server
from support.evidence import binding, connect, failed, refused, resolution, run, target
from support.health import STARTED, TURN, health_target, healthy, result

OTHER = "stun:other.example.org"


def test_a_lane_holds_no_more_than_its_width() -> None:
    async def crowd() -> int:
        lanes, most = Lanes(3), 0

        async def one() -> None:
            nonlocal most
            async with lanes.at("a") as lane:
                most = max(most, lane.busy)
                await asyncio.sleep(0)

        await asyncio.gather(*(one() for _ in range(20)))
        return most

    assert asyncio.run(crowd()) == 3


def test_hosts_do_not_wait_for_each_other() -> None:
    async def both() -> None:
        lanes = Lanes(1)
        async with lanes.at("a"), lanes.at("b"):
            pass

    asyncio.run(asyncio.wait_for(both(), 5))


def test_a_lane_narrows_once_for_all_that_met_the_same_want_of_room() -> None:
    lane = Lane(32)
    lane.busy = 20
    for busy in range(20, 0, -1):
        lane.busy = busy
        lane.narrow(32)
    assert lane.width == 10
    lane.busy = 10
    lane.narrow(10)
    assert lane.width == 5
    lane.busy = 1
    for _ in range(5):
        lane.narrow(lane.width)
    assert lane.width == 1
    assert lane.rest_s > 1


def learned(*evidence: Evidence) -> Controls:
    controls = Controls()
    for item in evidence:
        controls.learn(item)
    return controls


def test_who_answered_is_a_control_for_the_others_and_not_for_itself() -> None:
    seen = run(target(OTHER), resolution("other.example.org", "203.0.113.9"), binding(OTHER, "203.0.113.9:3478"))
    controls = learned(seen)
    assert controls.answered
    assert {item.__class__.__name__ for item in controls.beside(run(TURN.target()))} == {"Resolution", "Binding"}
    assert controls.beside(seen) == ()


@pytest.mark.parametrize(
    "evidence",
    [
        run(target(OTHER), binding(OTHER, "203.0.113.9:3478", failed())),
        run(target(OTHER), binding(OTHER, "127.0.0.1:3478")),
    ],
)
def test_silence_and_this_computer_are_no_controls(evidence: Evidence) -> None:
    controls = learned(evidence)
    assert not controls.answered
    assert controls.beside(run(TURN.target())) == ()


NAMED = run(target(OTHER), resolution("other.example.org", "203.0.113.9"), binding(OTHER, "203.0.113.9:3478"))
OVER_TCP = run(target("turn:203.0.113.8?transport=tcp"), connect("turn:203.0.113.8?transport=tcp", "203.0.113.8:3478"))
LOST = run(target("stun:gone.example.org"), resolution("gone.example.org", failure=Failure.DNS_FAILURE))
SILENT = run(TURN.target(), binding(TURN.uri, TURN.address, failed()))


@pytest.mark.parametrize("failure", [LOST, SILENT])
def test_an_answer_over_tcp_settles_neither_a_lost_name_nor_silence_over_udp(failure: Evidence) -> None:
    assert not learned(OVER_TCP).settle(failure)
    assert learned(OVER_TCP, NAMED).settle(failure)


def denied(*known: str) -> Evidence:
    names = [resolution("gone.example.org", failure=Failure.DNS_NOT_FOUND)]
    failure = None if known else Failure.DNS_NOT_FOUND
    return run(target("stun:gone.example.org"), *names, resolution("ipv4only.arpa", *known, failure=failure))


def test_a_name_that_is_denied_is_settled_by_any_name_that_is_known() -> None:
    assert learned(denied("192.0.0.170")).settle(denied("192.0.0.170"))
    assert not learned(denied()).settle(denied())
    assert learned(denied(), NAMED).settle(denied())


def test_who_fails_before_the_others_answered_is_judged_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {
        "turn:203.0.113.8?transport=tcp": (0.0, OVER_TCP),
        "stun:gone.example.org": (0.02, LOST),
        OTHER: (0.1, NAMED),
    }

    async def observe(one: HealthTarget, *_: object, **__: object) -> Try:
        wait_s, evidence = seen[one.name]
        await asyncio.sleep(wait_s)
        return Try(evidence=evidence, started_at=STARTED, duration_ms=1.0)

    async def checked() -> list[HealthResult]:
        results: list[HealthResult] = []
        targets, here = [health_target(uri, name=uri, server=parse_server(uri)) for uri in seen], around(RunOptions())
        await check_all(targets, Settings(options=RunOptions()), here, results.append)
        await here.close()
        return results

    monkeypatch.setattr(many, "observe", observe)
    found = {one.name: one.finding for one in asyncio.run(checked())}
    assert found["stun:gone.example.org"] == "dns-lookup-failed"


def test_few_controls_are_remembered_of_many_targets() -> None:
    uris = [f"turn:h{number}.example" for number in range(50)]
    seen = [
        run(target(uri), binding(uri, f"203.0.113.{number}:3478"), connect(uri, f"203.0.113.{number}:3478"))
        for number, uri in enumerate(uris)
    ]
    assert len(learned(*seen).beside(run(TURN.target()))) <= 6


def test_a_control_makes_silence_the_servers() -> None:
    controls = learned(run(target(OTHER), binding(OTHER, "203.0.113.9:3478")))
    silent = run(TURN.target(), binding(TURN.uri, TURN.address, failed()))
    assert result(silent).finding == "server-no-answer"
    assert result(silent, controls=controls.beside(silent)).finding == "server-silent"


def tried(*steps: Observation) -> Try:
    return Try(evidence=run(TURN.target(), *steps), started_at=STARTED, duration_ms=1.0)


@pytest.mark.parametrize(
    ("steps", "again"),
    [
        ((TURN.challenge(refused(TURN.address, 437)),), True),
        ((TURN.challenge(), TURN.allocation(), TURN.allocation(refused(TURN.address, 437), allocation="b")), True),
        ((TURN.challenge(refused(TURN.address, 437)), TURN.challenge(), TURN.allocation()), False),
        ((TURN.challenge(), TURN.allocation(refused(TURN.address, 401))), False),
    ],
)
def test_a_port_that_the_server_remembers_of_us_is_no_fault_of_the_server(
    steps: tuple[Observation, ...], again: bool
) -> None:
    assert met_itself(tried(*steps)) is again


def test_a_server_without_room_is_tried_again_until_ours_was_the_only_check() -> None:
    full, lane = tried(TURN.challenge(), TURN.allocation(refused(TURN.address, 486))), Lane(8)
    lane.busy = 8
    assert lacked_room(full, lane)
    lane.busy = 1
    assert lacked_room(full, lane)
    lane.narrow(8)
    assert not lacked_room(full, lane)


def test_results_come_back_from_disk_in_order_and_as_often_as_wanted() -> None:
    results = [healthy(name=f"n{number}") for number in range(20)]
    with Spool() as spool:
        for item in results:
            spool.add(item)
        assert [item.name for item in spool] == [item.name for item in results]
        assert list(spool)[3] == results[3]


def test_a_name_is_looked_up_once_and_no_more_than_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, most, now = list[str](), 0, 0
    lock = threading.Lock()

    async def look_up(host: str, family: Family, timeout_ms: float) -> Answer:
        nonlocal most, now
        del family, timeout_ms
        with lock:
            asked.append(host)
            now += 1
            most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return Answer((ip_address("203.0.113.1"),))

    monkeypatch.setattr(resolver, "look_up", look_up)

    async def many() -> list[Any]:
        pool = Resolver(4)
        names = [f"h{number % 10}.example" for number in range(100)]
        found = await asyncio.gather(*(pool.look_up(name, Family.IPV4, 1000) for name in names))
        await pool.close()
        return found

    assert len(asyncio.run(many())) == 100
    assert len(asked) == 10
    assert most == 4
