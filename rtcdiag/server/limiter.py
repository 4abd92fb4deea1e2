"""How often one source address is answered: a token bucket each, in bounded memory."""

from collections import OrderedDict
from ipaddress import IPv6Address

from rtcdiag.address import IPAddress


class RateLimiter:
    """Lets `per_s` responses a second through to each source, and twice that in a burst."""

    def __init__(self, per_s: float, sources: int) -> None:
        self._per_ms = per_s / 1000
        self._burst = max(1.0, per_s * 2)
        self._sources = sources
        self._buckets: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def allow(self, now_ms: float, ip: IPAddress) -> bool:
        """True where a response may go to this source now."""
        # A customer has a /64 at least; its addresses are one source.
        name = int(ip) >> 64 if isinstance(ip, IPv6Address) else -int(ip)
        tokens, then_ms = self._buckets.pop(name, (self._burst, now_ms))
        tokens = min(self._burst, tokens + (now_ms - then_ms) * self._per_ms)
        allowed = tokens >= 1
        self._buckets[name] = (tokens - allowed, now_ms)
        if len(self._buckets) > self._sources:
            self._buckets.popitem(last=False)
        return allowed
