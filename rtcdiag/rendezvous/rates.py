"""How often one address may do something: token buckets, pure, with the time passed in."""

from ipaddress import IPv6Address, ip_address

from rtcdiag.rendezvous.limits import Rate


class Buckets:
    """One bucket for each key; a full one is not kept."""

    def __init__(self, rate: Rate, most: int) -> None:
        self._rate, self._most = rate, most
        self._levels: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: str, now_s: float) -> float:
        """Take one; return 0, or how many seconds it is until there is one again."""
        level = self._level(key, now_s)
        if level < 1:
            return (1 - level) / self._rate.per_s
        if key not in self._levels and len(self._levels) >= self._most:
            self._make_room(now_s)
        self._levels[key] = (level - 1, now_s)
        return 0.0

    def wait(self, key: str, now_s: float) -> float:
        """Return what `take` would, and take nothing."""
        return max(0.0, 1 - self._level(key, now_s)) / self._rate.per_s

    def forget_full(self, now_s: float) -> None:
        """Drop the buckets that are full again."""
        full = [key for key in self._levels if self._level(key, now_s) >= self._rate.burst]
        for key in full:
            del self._levels[key]

    def _level(self, key: str, now_s: float) -> float:
        level, at_s = self._levels.get(key, (self._rate.burst, now_s))
        return min(self._rate.burst, level + (now_s - at_s) * self._rate.per_s)

    def _make_room(self, now_s: float) -> None:
        """Drop full buckets, and then the fullest tenth: who has used up what he may stays refused."""
        self.forget_full(now_s)
        if len(self._levels) >= self._most:
            fullest = sorted(self._levels, key=lambda key: self._level(key, now_s), reverse=True)
            for key in fullest[: self._most // 10 + 1]:
                del self._levels[key]


def rate_key(host: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped) if ip.ipv4_mapped else str(IPv6Address(int(ip) >> 64 << 64))
    return str(ip)
