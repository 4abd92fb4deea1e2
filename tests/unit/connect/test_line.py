"""Two ends of a line in one process: the end of a conversation."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from rtcdiag.connect.line import Done, Line

SESSION = "00112233aabbccdd"


def ends() -> tuple[Line, Line]:
    """Return two lines; what one sends, the other has at once."""
    one: Any = SimpleNamespace(pwd="a" * 22, remote_password="b" * 22)
    two: Any = SimpleNamespace(pwd="b" * 22, remote_password="a" * 22)
    for agent, other in ((one, two), (two, one)):
        agent.witness = lambda: None
        agent.last_sign_ms = None
        agent.now_ms = lambda: time.monotonic() * 1000
        agent.selected = lambda _policy: None
        agent.send_over = lambda _policy, data, other=other: other.on_data(None, data, 0.0)
    lines = (
        Line(one, SESSION, offers=True, left=asyncio.Event()),
        Line(two, SESSION, offers=False, left=asyncio.Event()),
    )
    for line in lines:
        line.listen()
    return lines


async def goodbye(line: Line, before: Any = None) -> tuple[bool, bool]:
    """Part as a measurement does, and end at once: whether the other one's word came, and the own one arrived."""
    pumping = asyncio.create_task(line.pump())
    try:
        if before is not None:
            await line.wait_for(before, 1.0)
        line.tell(Done())
        return await line.wait_for(Done, 1.0), await line.all_acknowledged(1.0)
    finally:
        pumping.cancel()


async def parted() -> list[tuple[bool, bool]]:
    one, two = ends()
    # The second speaks when it has heard the first, so that it has all it wants before its own word is on its way.
    return list(await asyncio.gather(goodbye(one), goodbye(two, before=Done)))


def test_who_has_all_it_wants_does_not_leave_the_other_waiting() -> None:
    assert asyncio.run(parted()) == [(True, True), (True, True)]


def test_a_farewell_is_believed_of_nobody_but_the_other_end() -> None:
    one, two = ends()
    over: list[bool] = []
    sent: list[bytes] = []
    two._agent.on_data = lambda _pair, data, _at_ms: sent.append(data)
    one.leave()
    for data in (sent[0][:-1] + b"x", sent[0]):
        two._receive(None, data, 0.0)  # type: ignore[arg-type]  # nothing asks the transport
        over.append(two.over)
    one._receive(None, sent[0], 0.0)  # type: ignore[arg-type]  # nothing asks the transport

    assert over == [False, True]
    assert not one.over
