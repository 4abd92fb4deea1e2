"""One of two real ICE agents (aioice), which exchange their descriptions through a directory.

``python ice_agent.py DIRECTORY TRIES SECONDS direct|relay``: on side ``RTCDIAG_LAB_SIDE`` of a lab's pair. Prints a
JSON object: whether they connected, in which try, and between which candidates.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aioice

SIDE = os.environ["RTCDIAG_LAB_SIDE"]
FIRST = os.environ.get("PAIR_FIRST", "")
"""The side that checks a second before the other; `together` for both at one moment; else each as soon as it can."""
OTHER = {"a": "b", "b": "a"}[SIDE]


def server(uri: str) -> tuple[str, int]:
    host, _, port = uri.partition(":")[2].partition("?")[0].rpartition(":")
    return host.strip("[]"), int(port)


def connection(means: str) -> aioice.Connection:
    stun = os.environ.get("PAIR_STUN", os.environ["RTCDIAG_LAB_STUN"])
    settings: dict[str, Any] = {"stun_server": server(stun) if stun else None}
    if means == "relay":
        settings |= {
            "turn_server": server(os.environ["RTCDIAG_LAB_TURN"]),
            "turn_username": os.environ["RTCDIAG_USERNAME"],
            "turn_password": os.environ["RTCDIAG_PASSWORD"],
            "turn_transport": os.environ.get(f"PAIR_TRANSPORT_{SIDE.upper()}", "udp"),
        }
    return aioice.Connection(ice_controlling=SIDE == "a", use_ipv6="PAIR_IPV6" in os.environ, **settings)


def put(path: Path, value: object) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(value))
    fresh.rename(path)


def look(path: Path) -> dict[str, object] | None:
    found: dict[str, object] | None = json.loads(path.read_text()) if path.exists() else None
    return found


async def get(path: Path, seconds: float) -> dict[str, object]:
    end = time.monotonic() + seconds
    while (found := look(path)) is None:
        if time.monotonic() > end:
            raise SystemExit(f"{SIDE}: the other side wrote no {path.name}")
        await asyncio.sleep(0.02)
    return found


async def attempt(directory: Path, number: int, seconds: float, means: str) -> list[str] | None:
    """Return the types of the two candidates that connect, None where none do."""
    agent = connection(means)
    try:
        await agent.gather_candidates()
        own = [candidate.to_sdp() for candidate in agent.local_candidates]
        told = {"ufrag": agent.local_username, "pwd": agent.local_password, "candidates": own}
        put(directory / f"{SIDE}-{means}-{number}", told)
        remote = await get(directory / f"{OTHER}-{means}-{number}", 30)
        agent.remote_username, agent.remote_password = str(remote["ufrag"]), str(remote["pwd"])
        for text in remote["candidates"]:  # type: ignore[attr-defined] # it is a list
            await agent.add_remote_candidate(aioice.Candidate.from_sdp(text))
        await agent.add_remote_candidate(None)
        if FIRST:
            told_s = max((directory / f"{side}-{means}-{number}").stat().st_mtime for side in OTHER)
            await asyncio.sleep(told_s + (0.3 if FIRST in (SIDE, "together") else 1.3) - time.time())
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(seconds):
                await agent.connect()
            pair = agent._nominated[1]
            await asyncio.sleep(0.3)  # the other end hears the last answer
            return [pair.local_candidate.type, pair.remote_candidate.type]
        return None
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await agent.close()


def say(*, connected: bool, number: int, pair: list[str] | None) -> None:
    sys.stdout.write(json.dumps({"connected": connected, "try": number, "pair": pair}))


async def main() -> None:
    directory, tries, seconds, means = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    for number in range(tries):
        pair = await attempt(directory, number, seconds, means)
        put(directory / f"{SIDE}-{means}-{number}-done", {"connected": pair is not None})
        other = await get(directory / f"{OTHER}-{means}-{number}-done", seconds + 30)
        if pair is not None or other["connected"]:
            return say(connected=True, number=number + 1, pair=pair)
    return say(connected=False, number=tries, pair=None)


asyncio.run(main())
