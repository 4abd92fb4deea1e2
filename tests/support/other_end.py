"""The other end of a session of two, which is not rtcdiag: ``python other_end.py DIRECTORY HOW SECONDS``.

Exchanges descriptions as session_end.py does, on side ``RTCDIAG_LAB_SIDE``; a offers. HOW it behaves:

* ``aioice``: as it is; it nominates once, and each end of a session may be it.
* ``controlling``: aioice in the role that the session has, so that there is a conflict.
* ``wrong``: it signs with a wrong password.
* ``many``: checks come from a thousand sockets.
* ``lite``: it answers checks and sends none, whatever the roles (ICE-lite), and prints what the checks had.
* ``garbage``: it sends all kinds of datagrams besides.
"""

import asyncio
import os
import random
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import cast

import aioice
from aioice import ice, stun

from rtcdiag.signaling import Description, Message, NewCandidate, decode, encode

DIRECTORY, HOW, SECONDS = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
SIDE = os.environ["RTCDIAG_LAB_SIDE"]
OTHER = {"a": "b", "b": "a"}[SIDE]


def put(message: Message) -> None:
    fresh = DIRECTORY / f"{SIDE}.new"
    fresh.write_bytes(encode(message))
    fresh.rename(DIRECTORY / f"{SIDE}-0")


async def get(number: int) -> Message:
    path = DIRECTORY / f"{OTHER}-{number}"
    while not path.exists():  # noqa: ASYNC110 - a file tells nobody that it comes
        await asyncio.sleep(0.01)
    return decode(path.read_bytes())


def server() -> tuple[str, int]:
    host, _, port = os.environ["RTCDIAG_LAB_STUN"].partition(":")[2].rpartition(":")
    return host, int(port)


def described(agent: aioice.Connection, session: str) -> Description:
    return Description(
        session=session,
        role="offerer" if SIDE == "a" else "answerer",
        ufrag=agent.local_username,
        pwd=agent.local_password,
        candidates=tuple(f"candidate:{candidate.to_sdp()}" for candidate in agent.local_candidates),
    )


async def hear(agent: aioice.Connection) -> Description:
    """Take the other end's description and all its candidates; return the description."""
    told = await get(0)
    assert isinstance(told, Description)
    agent.remote_username, agent.remote_password = told.ufrag, told.pwd
    texts, complete, number = list(told.candidates), told.complete, 1
    while not complete:
        more = await get(number)
        number += 1
        if isinstance(more, NewCandidate):
            complete = more.candidate is None
            texts += [more.candidate] if more.candidate else []
    for text in texts:
        await agent.add_remote_candidate(aioice.Candidate.from_sdp(text.removeprefix("candidate:")))
    await agent.add_remote_candidate(None)
    return told


def check(agent: aioice.Connection, password: str, *, sign: bool = True) -> bytes:
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{agent.remote_username}:{agent.local_username}"
    request.attributes["PRIORITY"] = 1845501695
    request.attributes["ICE-CONTROLLING"] = 1
    request.attributes["USE-CANDIDATE"] = None
    if sign:
        request.add_message_integrity(password.encode())
    return bytes(request)


def garbage(agent: aioice.Connection, password: str) -> list[bytes]:
    chance = random.Random(7)  # noqa: S311 - a test that can be repeated
    good = check(agent, password)
    broken = [good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :] for at in range(len(good))]
    cut = [good[:at] for at in range(len(good))]
    noise = [chance.randbytes(chance.randrange(1, 1400)) for _ in range(300)]
    like_ours = [magic + chance.randbytes(60) for magic in (b"\xf4rtp", b"\xf4rtq", b"\xf4rte") for _ in range(50)]
    # A check without PRIORITY, signed.
    bare = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    bare.attributes["USERNAME"] = f"{agent.remote_username}:{agent.local_username}"
    bare.add_message_integrity(password.encode())
    return [*broken, *cut, *noise, *like_ours, bytes(bare), check(agent, "wrong"), check(agent, password, sign=False)]


def targets(told: Description) -> list[tuple[str, int]]:
    found = [aioice.Candidate.from_sdp(text.removeprefix("candidate:")) for text in told.candidates]
    return [(candidate.host, candidate.port) for candidate in found if ":" not in candidate.host]


def flood(agent: aioice.Connection, told: Description) -> None:
    """Send to every address that the other end told, from sockets of its own."""
    password = agent.remote_password or ""
    deadline = time.monotonic() + SECONDS
    count = 1000 if HOW == "many" else 1
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    while time.monotonic() < deadline:
        for sock in socks:
            for datagram in [check(agent, password)] if HOW == "many" else garbage(agent, password):
                for target in targets(told):
                    with suppress(OSError):
                        sock.sendto(datagram, target)
        time.sleep(0.3)


class Lite(asyncio.DatagramProtocol):
    """An ICE-lite agent at one host address."""

    def __init__(self) -> None:
        self.ufrag, self.pwd = "lite", "p" * 22
        self.seen: set[str] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class != stun.Class.REQUEST or not message.check_message_integrity(self.pwd.encode()):
            return
        self.seen |= {str(name) for name in message.attributes}
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, message.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = addr
        response.add_message_integrity(self.pwd.encode())
        self.transport.sendto(bytes(response), addr)


async def answer_only() -> None:
    (host, *_) = ice.get_host_addresses(use_ipv4=True, use_ipv6=False)
    transport, agent = await asyncio.get_running_loop().create_datagram_endpoint(Lite, local_addr=(host, 0))
    port = transport.get_extra_info("sockname")[1]
    put(
        Description(
            session="",
            role="offerer" if SIDE == "a" else "answerer",
            ufrag=agent.ufrag,
            pwd=agent.pwd,
            candidates=(f"candidate:1 1 udp 2130706431 {host} {port} typ host",),
            lite=True,
        )
    )
    await asyncio.sleep(SECONDS)
    transport.close()
    sys.stderr.write(f"lite saw {' '.join(sorted(agent.seen))}\n")


async def main() -> None:
    if HOW == "lite":
        await answer_only()
        return
    controlling = True if HOW == "controlling" else SIDE == "a"
    agent = aioice.Connection(ice_controlling=controlling, stun_server=server(), use_ipv6=False)
    await agent.gather_candidates()
    if HOW == "wrong":
        agent._local_password = "x" * 22
    if SIDE == "a":
        put(described(agent, ""))
    told = await hear(agent)
    if SIDE == "b":
        put(described(agent, ""))
    if HOW == "wrong":
        agent._local_password = "y" * 22
    flooding = asyncio.to_thread(flood, agent, told) if HOW in ("many", "garbage") else asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        group.create_task(flooding)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                await agent.connect()
                sys.stderr.write(f"{SIDE}: connected\n")
        await asyncio.sleep(SECONDS / 2)
    await agent.close()


asyncio.run(main())
