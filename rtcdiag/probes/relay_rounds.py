"""What relays send to the doors of this network, round after round."""

import asyncio
import contextlib
from collections.abc import Iterator
from statistics import median

from rtcdiag.address import TransportAddress
from rtcdiag.nat.loss import p_all_lost, tally, transmissions
from rtcdiag.nat.vantage import LIMIT, added, counted, knock_tally, wait_ms
from rtcdiag.net import Net
from rtcdiag.probes.doors import Doors, Other
from rtcdiag.probes.knocks import Knock, Knocks
from rtcdiag.probes.leg import Leg
from rtcdiag.targets import Server

MOST_ROUNDS = 16
"""How often a relay sends to a socket at most; without loss four or five times suffice."""
_GAPS_MS = (50.0, 150.0)
_LAST_LOOK = 8
"""Until which round it goes on for the mapping, where the filter is known to be open."""
_MARGIN = 0.3
"""The judgement knows more of the run's loss than this test sees."""
_PUNCH = 3
"""From which round on the relay sends first, to open a firewall in front of it, where nothing reached it."""


class Rounds:
    """Round after round, until what is silent is proven to be, or what was to be shown got in."""

    def __init__(self, test: Doors, knocks: Knocks, legs: list[Leg], net: Net) -> None:
        self._test, self._knocks, self._net = test, knocks, net
        self._first, self._second = legs[0], legs[1] if len(legs) > 1 else None
        self.askable: list[tuple[Leg, Server, TransportAddress]] = []
        for label in (test.near, test.own):
            knocks.listen(label)
        for label in test.closed:
            knocks.listen(label, closed=True)

    async def run(self) -> None:
        """Send and wait, again and again until nothing more is to be learned, or so often."""
        gap_s = self._gap_ms() / 1000
        for number in range(MOST_ROUNDS):
            self._send(number)
            await asyncio.sleep(gap_s)
            if self._settled(number):
                return
            if self._proven(0.0) or number == MOST_ROUNDS - 1:
                awaited_ms = wait_ms(self._knocks.knocked())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, awaited_ms / 1000 - gap_s)):
                        await self._knocks.let_in.wait()
                if self._knocks.let_in.is_set() or self._proven(awaited_ms):
                    return

    def _gap_ms(self) -> float:
        rtts = [item.exchange.rtt_ms for item in self._test.sockets.evidence() if item.exchange.rtt_ms is not None]
        low, high = _GAPS_MS
        return min(max(median(rtts) if rtts else high, low), high)

    def _send(self, number: int) -> None:
        """Send what is silent before what gets in: on a stream, what arrives shows that all before it was relayed."""
        test, knocks = self._test, self._knocks
        for label, mapped in test.doors.items():
            if self._is_credible(mapped, test.closed[label]):
                knocks.knock(self._first, label, mapped)
        if self._second is not None:
            seen = knocks.open(test.near, self._second).mapped
            if seen is not None:
                knocks.knock(self._first, test.near, seen)
                knocks.knock(self._second, test.near, seen)
            knocks.open(test.own, self._second)
        seen = knocks.open(test.own, self._first).mapped
        if seen is not None:
            knocks.knock(self._first, test.own, seen)
        elif number >= _PUNCH:
            for other, mapped in test.told_of(test.own).items():
                if self._is_credible(mapped, other):
                    knocks.knock(self._first, test.own, mapped)
        for leg, server, address in self.askable:
            knocks.ask(leg, server, address)

    def _is_credible(self, mapped: TransportAddress, other: Other) -> bool:
        """Tell whether to send to a mapped address: a lie may lead to somebody else, or to nowhere.

        A relay that sends to nowhere may break: coturn closes it when an ICMP error comes back.
        """
        legs = [leg for leg in (self._first, self._second) if leg is not None]
        seen = {leg.mapped.ip for leg in legs if leg.mapped is not None}
        asked = [item for item in self._knocks.questions if item.destination == other[1]]
        return mapped.ip in seen or any(item.told == item.leg.relayed for item in asked)

    def _settled(self, number: int) -> bool:
        """Whether the filter is open, and the mappings are seen by relays and servers that are shown to be honest."""
        knocks = self._knocks
        seen = all(opening.mapped for opening in knocks.openings) and any(k.got_in for k in self._of(self._test.own))
        return knocks.let_in.is_set() and ((seen and self._all_vouched()) or number >= _LAST_LOOK)

    def _all_vouched(self) -> bool:
        """Whether every other server has told a relay what it sees."""
        asked = self._knocks.questions
        return len(asked) == len(self._test.others) and all(item.answered for item in asked)

    def _proven(self, awaited_ms: float) -> bool:
        """Whether so much was sent, and waited for so long, that loss cannot have swallowed it all."""
        control = [self._knocks.knocked_by(knock) for knock in self._of(self._test.own) if knock.got_in]
        silent = [knock for knock in self._of(*self._test.closed, self._test.near) if not knock.got_in]
        silent = [knock for knock in silent if knock.leg is self._first]
        no_near = self._second is not None and not any(self._of(self._test.near))
        no_closed = not any(self._of(*self._test.closed)) and not self._all_vouched()
        if self._knocks.let_in.is_set() or not control or no_near or no_closed:
            return False
        bindings = self._test.sockets.evidence()
        knocked = self._knocks.knocked()
        lost = added(tally(transmissions(bindings, self._net.now_ms())), knock_tally(knocked))
        sent = (counted(self._knocks.knocked_by(knock), control, awaited_ms) for knock in silent)
        sends = min(sent, default=MOST_ROUNDS)
        return p_all_lost(lost, sends) < LIMIT * _MARGIN

    def _of(self, *labels: str) -> Iterator[Knock]:
        return (knock for knock in self._knocks.knocks if knock.socket in labels)
