"""How a NAT chooses external ports (RFC 4787 section 4.2, RFC 7422): kept, counted, from one block, or at random.

All from the order and the distances of the ports that new mappings got; other hosts behind the same NAT take ports in
between, a network may reorder packets, and what looks like a rule may be chance, so each claim has its probability.
"""

from functools import cache, reduce
from itertools import pairwise
from math import factorial, gcd

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.nat.behavior import PortAssignment
from rtcdiag.nat.judgement import NO_NAT, Judgement
from rtcdiag.nat.mapping import P_SAME_PORT
from rtcdiag.nat.samples import Sample, Socket
from rtcdiag.nat.view import View

P_TAKEN = 0.5
"""How often a port that a NAT would keep is taken by another host; assumed, not measured, and more than likely."""
PORTS = 64512
"""All ports that NATs give: 1024 to 65535."""
FEWEST_PORTS = 16384
"""Among so many at least a NAT chooses that has no blocks: the dynamic ports (RFC 6335 section 6)."""
MOST_BLOCK = 4096
"""The largest block of ports that a carrier gives one customer. Ports that lie farther apart are no block's, and a NAT
that counts does not get so far between two tests."""
LEAST = 4
"""Fewer new mappings show no rule."""
LIMIT = 1e-3
"""What is chance with this probability or more is no parity."""
_BY_CHANCE = 1e-4
_NO_TREND = 0.01
"""Between these two, ports are in order neither clearly enough nor too little."""


class Mapped(msgspec.Struct, frozen=True):
    """One mapping of the NAT, by the first sample that showed it."""

    sample: Sample
    first: bool
    """Whether it is the first of its socket."""

    @property
    def kept(self) -> bool:
        """Whether the NAT kept the local port."""
        local = self.sample.local
        return local is not None and self.sample.mapped.port == local.port


def mappings_of(view: View) -> tuple[Mapped, ...]:
    """Return every mapping whose local port is known, in the order in which they were made."""
    found: dict[TransportAddress, Mapped] = {}
    sockets: set[Socket] = set()
    for sample in sorted(view.samples, key=lambda item: item.sent_ms):
        if sample.local is not None and sample.mapped not in found:
            found[sample.mapped] = Mapped(sample, sample.socket not in sockets)
            sockets.add(sample.socket)
    return tuple(found.values())


def _unasked(view: View, behind_nat: bool | None) -> str:
    if behind_nat is True:
        return ""
    return NO_NAT if behind_nat is False else view.silent or "whether there is a NAT is not known"


def port_preservation_of(view: View, behind_nat: bool | None) -> Judgement[bool]:
    """Tell whether the NAT keeps local ports where it can (RFC 4787 section 4.2.1), from each socket's first mapping.

    Two that are kept are no chance. That none is kept may be, where other hosts have taken them.
    """
    why = _unasked(view, behind_nat)
    first = [item for item in mappings_of(view) if item.first]
    kept = [item for item in first if item.kept]
    if why or len(first) < 2:
        return Judgement(why=why or "fewer than two sockets had an answer")
    if len(kept) == 1:
        return Judgement(why=f"one of {len(first)} ports was kept, which may be chance")
    p_wrong = P_SAME_PORT ** len(kept) if kept else P_TAKEN ** len(first)
    return Judgement(value=bool(kept), p_wrong=p_wrong, evidence=_ids(kept or first))


def port_parity_of(view: View, behind_nat: bool | None) -> Judgement[bool]:
    """Tell whether even ports stay even and odd ones odd (RFC 4787 section 4.2.2), where the ports are not kept."""
    why = _unasked(view, behind_nat)
    moved = [item for item in mappings_of(view) if not item.kept]
    if why or not moved:
        return Judgement(why=why or view.silent or "ports are kept, and so is whether they are even")
    broken = [item for item in moved if _parity_changed(item.sample)]
    if broken:
        return Judgement(value=False, evidence=_ids(broken))
    count = len({item.sample.socket for item in moved})
    if 0.5**count >= LIMIT:
        return Judgement(why=f"{_counted(count)} stayed even or odd, which may be chance")
    return Judgement(value=True, p_wrong=0.5**count, evidence=_ids(moved))


def _counted(count: int) -> str:
    return "the only new port" if count == 1 else f"all {count} new ports"


def _parity_changed(sample: Sample) -> bool:
    return sample.local is not None and (sample.mapped.port ^ sample.local.port) & 1 == 1


def port_assignment_of(view: View, behind_nat: bool | None, preserved: bool | None) -> Judgement[PortAssignment]:
    """Say by which rule the next new mapping gets its port: that is what a prediction would need."""
    why = _unasked(view, behind_nat)
    if why:
        return Judgement(why=why)
    mappings = mappings_of(view)
    again = [item for item in mappings if not (item.kept or item.first)]
    if preserved and not again:
        p_wrong = P_SAME_PORT ** sum(item.kept for item in mappings)
        return Judgement(value="preserved", p_wrong=p_wrong, evidence=_ids(mappings))
    chosen = _on_one_address(mappings)
    judged = _rule(chosen)
    evidence = _ids(chosen)
    return Judgement(value=judged.value, why=judged.why, p_wrong=judged.p_wrong, evidence=evidence)


def _on_one_address(mappings: tuple[Mapped, ...]) -> list[Mapped]:
    """Return the new ports of the external address that has most: each address may be counted by itself."""
    by_address: dict[object, list[Mapped]] = {}
    for item in mappings:
        if not item.kept:
            by_address.setdefault(item.sample.mapped.ip, []).append(item)
    return max(by_address.values(), key=len, default=[])


def _rule(mappings: list[Mapped]) -> Judgement[PortAssignment]:
    ports = [item.sample.mapped.port for item in mappings]
    ordered = _ordered(mappings)
    if len(ports) < LEAST:
        return Judgement(why="fewer than four new mappings were seen on one external address")
    p_trend = _p_trend(ordered)
    spread = _spread(ports)
    if _same_step(ordered) or (p_trend < _BY_CHANCE and spread <= MOST_BLOCK):
        return Judgement(value="sequential", p_wrong=min(p_trend, _BY_CHANCE))
    p_near = min(1.0, len(ports) * (spread / FEWEST_PORTS) ** (len(ports) - 1))
    if spread > MOST_BLOCK:
        return Judgement(value="random", p_wrong=P_TAKEN ** len(ports))
    if p_trend < _NO_TREND:
        return Judgement(why="the ports are nearly, but not clearly, in order")
    if p_near < _BY_CHANCE and spread >= 4 * len(ports):
        return Judgement(value="block", p_wrong=p_near)
    return Judgement(why=f"the ports are close together, {min(ports)} to {max(ports)}, but in no clear order")


def _spread(ports: list[int]) -> int:
    """Return how many ports lie between the outermost, on the shortest way: after the last port comes the first."""
    row = sorted(ports)
    gaps = (after - before for before, after in pairwise([*row, row[0] + PORTS]))
    return max(PORTS - max(gaps), 0) + 1


def _ordered(mappings: list[Mapped]) -> list[int]:
    """Return the ports in the order of their mappings, without those that a lost packet may have made later."""
    return [item.sample.mapped.port for item in mappings if item.sample.prompt]


def _same_step(ports: list[int]) -> bool:
    return len(ports) >= LEAST and len({after - before for before, after in pairwise(ports)}) == 1


def _p_trend(ports: list[int]) -> float:
    """Return the probability that ports in random order are so well sorted, up or down, from whatever port on.

    A NAT that counts comes back to its first port at some time, so the row may begin anywhere.
    """
    best = min(
        (_p_sorted(_from(ports, start)) * (len(ports) if start else 1) for start in range(len(ports))), default=1
    )
    return min(1.0, best)


def _from(ports: list[int], start: int) -> list[int]:
    return ports[start:] + ports[:start]


def _p_sorted(ports: list[int]) -> float:
    count = len(ports)
    inversions = sum(ports[one] > ports[two] for two in range(count) for one in range(two))
    fewest = min(inversions, count * (count - 1) // 2 - inversions)
    return min(1.0, 2 * sum(_permutations(count)[: fewest + 1]) / factorial(count))


@cache
def _permutations(count: int) -> tuple[int, ...]:
    """Return how many orders of so many things have 0, 1, 2, … pairs in the wrong order (Mahonian numbers)."""
    numbers = [1]
    for size in range(2, count + 1):
        longer = [0] * (len(numbers) + size - 1)
        for shift in range(size):
            for at, number in enumerate(numbers):
                longer[at + shift] += number
        numbers = longer
    return tuple(numbers)


def port_delta_of(view: View, behind_nat: bool | None, assignment: PortAssignment | None) -> Judgement[int]:
    """Return the step from one new mapping's port to the next of a NAT that counts; others' mappings are skipped."""
    why = _unasked(view, behind_nat)
    if why or assignment != "sequential":
        kept = "ports are kept" if assignment == "preserved" else "the ports follow no fixed step"
        return Judgement(why=why or (kept if assignment else "not known how ports are chosen"))
    chosen = _on_one_address(mappings_of(view))
    ports = _ordered(chosen)
    start = min(range(len(ports)), key=lambda at: (_p_sorted(_from(ports, at)), at))
    row = _from(ports, start)
    steps = sorted(after - before for before, after in pairwise(sorted(row)))
    steps = steps[:-1] if start else steps  # the widest is the way back to the first port
    step = reduce(gcd, steps)
    if steps.count(step) < 2:
        return Judgement(why="the ports are counted, but others' mappings between hide the step")
    falls = sum(after < before for before, after in pairwise(row)) * 2 > len(steps)
    return Judgement(value=-step if falls else step, evidence=_ids(chosen))


def _ids(mappings: tuple[Mapped, ...] | list[Mapped]) -> tuple[str, ...]:
    return tuple(item.sample.id for item in mappings)
