"""The embedded server, asked by other people's clients."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeVar

import aioice
import msgspec
import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.server.config import Limits, ServerConfig, SharedSecret
from rtcdiag.server.serving import ServingInfo
from rtcdiag.server.serving import running as serving
from rtcdiag.targets import Credential
from support.ports import free_port
from support.process import run, running

pytestmark = pytest.mark.lab

LIMITS = Limits(allocations_per_user=50)
CONFIG = ServerConfig(port=0, users=(Credential("alice", "wonderland"),), allow_loopback_peers=True, limits=LIMITS)
Result = TypeVar("Result")
NO_LOSS = "Total lost packets 0 (0.000000%)"


def with_server(use: Callable[[ServingInfo], Awaitable[Result]], config: ServerConfig = CONFIG) -> Result:
    """Serve while `use` runs, and return what it returns."""

    async def scenario() -> Result:
        async with serving(config) as info:
            return await use(info)

    return asyncio.run(scenario())


def asked(*commands: Sequence[str], config: ServerConfig = CONFIG) -> list[CompletedProcess[str]]:
    """Run clients side by side against the server; HOST, PORT and HOST:PORT in their arguments are where it is."""

    async def use(info: ServingInfo) -> list[CompletedProcess[str]]:
        primary = info.addresses[0]
        names = {"HOST": primary.host, "PORT": str(primary.port), "HOST:PORT": str(primary)}
        done = (asyncio.to_thread(run, [names.get(part, part) for part in command], timeout=60) for command in commands)
        return await asyncio.gather(*done)

    return with_server(use, config)


def relaying(*options: str, identity: Sequence[str] = ("-u", "alice", "-w", "wonderland")) -> tuple[str, ...]:
    """Return the command with which coturn's client relays between two allocations."""
    return ("turnutils_uclient", "-n", "3", "-m", "1", *options, *identity, "-p", "PORT", "HOST")


def test_coturns_client_relays_without_loss_over_every_transport_and_framing() -> None:
    choices = [("-y",), ("-y", "-c"), ("-y", "-s"), ("-y", "-t"), ("-y", "-t", "-s")]
    for done in asked(*(relaying(*options) for options in choices)):
        assert done.returncode == 0, (done.args, done.stdout)
        assert NO_LOSS in done.stdout, done.args


def test_coturns_client_relays_over_ipv6() -> None:
    config = msgspec.structs.replace(CONFIG, listen=(ip_address("::1"),))
    (done,) = asked(relaying("-y", "-x"), config=config)
    assert done.returncode == 0, done.stdout
    assert NO_LOSS in done.stdout


def test_coturns_client_relays_with_a_time_limited_credential() -> None:
    config = msgspec.structs.replace(CONFIG, users=(), secret=SharedSecret("north"))
    (done,) = asked(relaying("-y", "-c", identity=("-u", "alice", "-W", "north")), config=config)
    assert done.returncode == 0, done.stdout
    assert NO_LOSS in done.stdout


def test_coturns_client_is_refused_with_a_wrong_password() -> None:
    (done,) = asked(relaying("-y", "-c", identity=("-u", "alice", "-w", "wrong")))
    assert done.returncode != 0


def test_loopback_peers_are_refused_by_default() -> None:
    config = msgspec.structs.replace(CONFIG, allow_loopback_peers=False)
    (done,) = asked(relaying("-y", "-c"), config=config)
    assert done.returncode != 0
    assert "403" in done.stdout


def test_an_echoing_peer_is_reached_through_the_relay(tmp_path: Path) -> None:
    port = str(free_port())
    echo = ("-c", "-e", "127.0.0.1", "-r", port)
    with running(["turnutils_peer", "-L", "127.0.0.1", "-p", port], log=tmp_path / "peer.log"):
        for done in asked(relaying(*echo), relaying(*echo, "-t")):
            assert done.returncode == 0, (done.args, done.stdout)
            assert NO_LOSS in done.stdout, done.args


def test_coturns_stun_client_gets_all_three_answers() -> None:
    (done,) = asked(("turnutils_stunclient", "-p", "PORT", "HOST"))
    assert done.returncode == 0
    assert done.stdout.count("UDP reflexive addr: 127.0.0.1:") == 3
    assert "Response origin: : 127.0.0.2" in done.stdout
    assert "error" not in done.stdout


def test_coturns_discovery_finds_neither_mapping_nor_filtering_on_loopback() -> None:
    (done,) = asked(("turnutils_natdiscovery", "-m", "-f", "-p", "PORT", "HOST"))
    assert "NAT with Endpoint Independent Mapping" in done.stdout
    assert "NAT with Endpoint Independent Filtering" in done.stdout


def test_a_client_of_rfc_3489_finds_an_open_network() -> None:
    (done,) = asked(("stun", "HOST:PORT"))
    assert "Primary: Open" in done.stdout


def relayed_agent(info: ServingInfo, *, controlling: bool, transport: str) -> aioice.Connection:
    return aioice.Connection(
        ice_controlling=controlling,
        turn_server=(info.addresses[0].host, info.addresses[0].port),
        turn_username="alice",
        turn_password="wonderland",
        turn_transport=transport,
        transport_policy=aioice.TransportPolicy.RELAY,
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_aioice_agents_talk_through_the_relay(transport: str) -> None:
    async def use(info: ServingInfo) -> tuple[set[str], bytes, bytes]:
        one = relayed_agent(info, controlling=True, transport=transport)
        two = relayed_agent(info, controlling=False, transport=transport)
        async with contextlib.AsyncExitStack() as stack:
            for agent in (one, two):
                stack.push_async_callback(agent.close)
                await agent.gather_candidates()
            kinds = {candidate.type for agent in (one, two) for candidate in agent.local_candidates}
            for agent, other in ((one, two), (two, one)):
                agent.remote_username, agent.remote_password = other.local_username, other.local_password
                for candidate in other.local_candidates:
                    await agent.add_remote_candidate(candidate)
                await agent.add_remote_candidate(None)
            await asyncio.gather(one.connect(), two.connect())
            await one.send(b"ping")
            there = await asyncio.wait_for(two.recv(), 10)
            await two.send(b"pong")
            return kinds, there, await asyncio.wait_for(one.recv(), 10)

    assert with_server(use) == ({"relay"}, b"ping", b"pong")


def test_an_aioice_agent_gets_a_relay_candidate_on_the_server() -> None:
    async def use(info: ServingInfo) -> list[TransportAddress]:
        agent = relayed_agent(info, controlling=True, transport="udp")
        await agent.gather_candidates()
        found = [TransportAddress(candidate.host, candidate.port) for candidate in agent.local_candidates]
        await agent.close()
        return found

    (relayed,) = with_server(use)
    assert relayed.host == "127.0.0.1"
