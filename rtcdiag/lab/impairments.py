"""What a line does to packets: loses, delays, reorders and doubles them."""

from random import Random

from rtcdiag.lab.spec import Link

_APART_S = 1e-6
"""Between packets that a queue lets out as fast as it can: rounding must not change their order."""


class Line:
    """One direction of a line."""

    def __init__(self, link: Link, random: Random) -> None:
        self._link = link
        self._random = random
        self._in_burst = False
        self._last_s = float("-inf")
        self._loss = self._stay = link.loss
        if link.burst is not None and link.loss < 1:
            # Gilbert's model: all is lost in the bad state, nothing in the good one, so the share of time in the bad
            # one is the loss, and the mean stay there is the burst.
            self._stay = 1 - 1 / link.burst
            self._loss = link.loss / (1 - link.loss) / link.burst

    def delays_s(self, now_s: float) -> list[float]:
        """Return when the copies of a packet that enters now come out, from now: none when it is lost."""
        if self._loss and self._loses():
            return []
        delays = [self._delay_s(now_s)]
        if self._link.duplicate and self._random.random() < self._link.duplicate:
            delays.append(self._delay_s(now_s))
        return delays

    def _loses(self) -> bool:
        self._in_burst = self._random.random() < (self._stay if self._in_burst else self._loss)
        return self._in_burst

    def _delay_s(self, now_s: float) -> float:
        link = self._link
        delay = link.delay_s
        if link.jitter_s:
            delay = max(0.0, delay + self._random.uniform(-link.jitter_s, link.jitter_s))
        if link.reorder and self._random.random() < link.reorder:
            return delay + link.hold_s
        if link.jitter_s:
            self._last_s = max(now_s + delay, self._last_s + _APART_S)
            return self._last_s - now_s
        return delay
