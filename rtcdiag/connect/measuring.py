"""How good the selected pair is, each way: both ends send numbered packets at once, and count what they receive."""

import asyncio

from rtcdiag.connect.line import Done, Line, Sent, Settled
from rtcdiag.connect.streams import INTERVAL_MS, Inward, Outward
from rtcdiag.evidence.session import PeerStream
from rtcdiag.ice.pair import SessionPair
from rtcdiag.ice.session import SessionAgent

READY_S = 12.0
"""How long the other end may take to know its own outcome."""
_WORD_S = 3.0
"""How long the other end may take to say how many packets it has sent, after this one did."""
_LAST_S = 1.0
"""How long it may take the other end to acknowledge the last word."""
_TAIL_S = 1.0
"""How long what is missing is waited for."""
_LOOK_S = 0.02


async def measure(agent: SessionAgent, line: Line, *, offers: bool, seconds: float) -> PeerStream | None:
    """Measure when both ends are ready; None where the other end does not answer over the pair."""
    out, into = Outward(line.session, 0 if offers else 1), Inward(line.session, 1 if offers else 0)
    # The other end may send as soon as it has heard: what comes before this end has, counts too.
    _listen(agent, line, out, into)
    line.tell(Settled())
    pair = agent.selected("all")
    if not await line.wait_for(Settled, READY_S) or pair is None:
        return None
    began_ms = agent.now_ms()
    await _send(agent, line, out, seconds)
    line.tell(Sent(out.sent))
    if await line.wait_for(Sent, _WORD_S):
        word = line.heard[Sent]
        into.sent = word.packets if isinstance(word, Sent) else None
    await _rest(line, into, out)
    line.tell(Done())
    await line.wait_for(Done, _TAIL_S + _WORD_S)
    ended_ms = agent.now_ms()
    # Who closes with its own last word unsaid lets the other end wait for it in vain.
    await line.all_acknowledged(_LAST_S)
    return _measured(agent.selected("all") or pair, out, into, began_ms, ended_ms)


def _listen(agent: SessionAgent, line: Line, out: Outward, into: Inward) -> None:
    agent.stamp_arrivals()

    def take(data: bytes, arrived_ms: float) -> None:
        echo = into.receive(data, arrived_ms)
        if echo is not None:
            agent.send_over("all", echo)
        else:
            out.receive_echo(data, arrived_ms)

    line.on_packet = take


async def _send(agent: SessionAgent, line: Line, out: Outward, seconds: float) -> None:
    """Send each packet at its own time after the beginning, so that no delay adds up."""
    began_ms = agent.now_ms()
    for turn in range(round(1000 * seconds / INTERVAL_MS)):
        if line.over:
            return
        left_ms = began_ms + turn * INTERVAL_MS - agent.now_ms()
        if left_ms > 0:
            await asyncio.sleep(left_ms / 1000)
        agent.send_over("all", out.next(agent.now_ms()))


async def _rest(line: Line, into: Inward, out: Outward) -> None:
    """Wait for what is under way, both ways."""
    for _ in range(round(_TAIL_S / _LOOK_S)):
        if line.over or (into.complete and out.round_trips == out.sent):
            return
        await asyncio.sleep(_LOOK_S)


def _measured(pair: SessionPair, out: Outward, into: Inward, began_ms: float, ended_ms: float) -> PeerStream:
    return PeerStream(
        t_ms=began_ms,
        duration_ms=ended_ms - began_ms,
        local=pair.protocol.base,
        remote=pair.remote,
        policy="all",
        inward=into.measured(),
        round_trip_ms=out.round_trip_ms(),
        round_trips=out.round_trips,
    )
