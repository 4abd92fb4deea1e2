"""External addresses drawn by lot: where local ports are kept, equal mapped addresses may be mere chance.

A router that spreads connections over several lines or over a pool of addresses, one by one, keeps the port and draws
the address anew for each destination. Of two addresses it draws the same one every second time.
"""

from rtcdiag.address import IPAddress, TransportAddress
from rtcdiag.nat.behavior import Behavior
from rtcdiag.nat.samples import Sample, Socket

LIMIT = 0.01
"""Mapped addresses that agree prove nothing where lots make them agree more often than this."""


def chance_of_lots(samples: tuple[Sample, ...], behavior: Behavior) -> float:
    """Return the chance that lots alone make mapped addresses agree as ``behavior`` does; 0 where none are drawn."""
    kept = tuple(item for item in samples if item.local is not None and item.mapped.port == item.local.port)
    drawn = _addresses_drawn(kept)
    if drawn < 2:
        return 0.0
    groups = _groups(kept, behavior)
    if any(len(set(mapped)) > 1 for mapped in groups):
        return 1.0
    return float(drawn) ** -sum(len(mapped) - 1 for mapped in groups)


def _addresses_drawn(kept: tuple[Sample, ...]) -> int:
    """Return how many external addresses there are, where one destination saw several; 0 where each saw one."""
    seen: dict[TransportAddress, set[IPAddress]] = {}
    for sample in kept:
        seen.setdefault(sample.destination, set()).add(sample.mapped.ip)
    is_drawn = any(len(addresses) > 1 for addresses in seen.values())
    return len(set().union(*seen.values())) if is_drawn else 0


def _groups(kept: tuple[Sample, ...], behavior: Behavior) -> list[list[TransportAddress]]:
    """Return the mapped addresses that agree if the NAT is of that behavior: of a socket, or of an IP address too."""
    found: dict[tuple[Socket, IPAddress | None], dict[TransportAddress, TransportAddress]] = {}
    for sample in kept:
        if sample.change == "none":
            ip = None if behavior == "endpoint-independent" else sample.destination.ip
            found.setdefault((sample.socket, ip), {}).setdefault(sample.destination, sample.mapped)
    return [list(mapped.values()) for mapped in found.values()]
