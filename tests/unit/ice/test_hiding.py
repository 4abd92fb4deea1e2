"""What a candidate tells of the local address that it hides."""

import asyncio
from ipaddress import ip_network
from typing import Any

import aioice
import pytest
from aioice.candidate import candidate_foundation

from rtcdiag.ice.mdns import Names
from rtcdiag.ice.reflexive import Reflexive
from rtcdiag.ice.remote import MAX_CANDIDATES
from rtcdiag.ice.session import SessionAgent
from rtcdiag.ice.session_socket import SessionSocket
from rtcdiag.ice.settings import Settings
from support.evidence import at

SERVER, MAPPED = at("203.0.113.10:3478"), at("203.0.113.7:50100")
NAME = "4b2d9c1e-7a55-4c43-a7a7-a8b3b4d5f60f.local"
HOST = "1 1 udp 2130706431 192.168.1.4 50100 typ host"


async def told(owner: Any = None, *, hide_local: bool) -> aioice.Candidate:
    """Return the server-reflexive candidate of a socket at 192.168.1.4."""
    sock = SessionSocket(aioice.Connection(ice_controlling=True), owner)
    sock.local_candidate = aioice.Candidate.from_sdp(HOST)
    sock.mapped[SERVER] = MAPPED
    found: list[aioice.Candidate] = []
    settings = Settings(local=frozenset, hide_local=hide_local)
    asking = Reflexive(
        settings, lambda: 0.0, lambda _sock, candidate: found.append(candidate), lambda _sock, _server: None
    )
    asking.again(sock, SERVER)
    return found[0]


@pytest.mark.parametrize("hide_local", [False, True])
def test_nobody_finds_a_hidden_address_by_trying_all_private_ones_against_the_foundation(hide_local: bool) -> None:
    candidate = asyncio.run(told(hide_local=hide_local))
    tried = (str(ip) for ip in ip_network("192.168.0.0/16"))
    found = [ip for ip in tried if candidate_foundation("srflx", "udp", ip) == candidate.foundation]
    assert found == ([] if hide_local else ["192.168.1.4"])
    assert ("192.168.1.4" in candidate.to_sdp()) is not hide_local


@pytest.mark.parametrize("relay_only", [False, True])
def test_names_that_lead_nowhere_count_among_the_candidates_of_the_other_end(
    relay_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_names: Names, _name: str) -> None:
        pass

    async def taken() -> tuple[int, int]:
        settings = Settings(local=frozenset, relay_only=relay_only)
        agent = SessionAgent(settings, controlling=True, now_ms=lambda: 0.0)
        took = sum(agent.add_remote(f"candidate:{at} 1 udp 1 {NAME} 5000 typ host") for at in range(1000))
        return took, agent.refused

    monkeypatch.setattr(Names, "resolve", resolve)
    assert asyncio.run(taken()) == (MAX_CANDIDATES, 1000 - MAX_CANDIDATES)


@pytest.mark.parametrize("relay_only", [False, True])
def test_who_uses_relays_only_asks_the_local_network_for_no_name(
    relay_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def resolve(_names: Names, name: str) -> None:
        asked.append(name)

    async def take() -> None:
        settings = Settings(local=frozenset, relay_only=relay_only)
        agent = SessionAgent(settings, controlling=True, now_ms=lambda: 0.0)
        assert agent.add_remote(f"candidate:1 1 udp 1 {NAME} 5000 typ host")
        await asyncio.sleep(0)

    monkeypatch.setattr(Names, "resolve", resolve)
    asyncio.run(take())
    assert asked == ([] if relay_only else [NAME])
