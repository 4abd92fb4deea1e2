"""What the mapped addresses themselves tell: whether there is a NAT, and how it chooses addresses and ports."""

from rtcdiag.address import IPAddress, Scope, TransportAddress
from rtcdiag.nat.behavior import Pooling
from rtcdiag.nat.judgement import CONTRADICTION, NO_NAT, Judgement
from rtcdiag.nat.samples import Sample, is_translated
from rtcdiag.nat.view import View

LIMIT = 0.01
"""That all mappings have one external address is no pairing where it is chance with this probability or more."""


def behind_nat_of(view: View) -> Judgement[bool]:
    """Tell whether servers see other addresses than this computer uses."""
    told = [(sample, is_translated(sample)) for sample in view.samples]
    known = [(sample, translated) for sample, translated in told if translated is not None]
    if not known:
        return Judgement(why=view.silent or "the address on this computer is not known")
    answers = {translated for _, translated in known}
    if len(answers) > 1:
        odd = next(sample for sample, translated in known if translated != known[0][1])
        first = known[0][0]
        why = f"{first.server} saw {first.mapped} of {first.local}, {odd.server} saw {odd.mapped} of {odd.local}"
        return Judgement(why=CONTRADICTION + why if odd.local == first.local else why)
    if answers == {False} and view.scope is Scope.GLOBAL and not _is_carried(known[0][0]):
        seen = known[0][0]
        why = f"{seen.server} claims to see this computer's own {seen.mapped.scope} address, which the internet"
        return Judgement(why=f"{why} does not carry: it is in the same network, or something rewrites its answers")
    return Judgement(value=answers.pop(), evidence=tuple(sample.id for sample, _ in known))


def _is_carried(sample: Sample) -> bool:
    return sample.mapped.scope is Scope.GLOBAL


def mapped_of(view: View) -> tuple[TransportAddress, ...]:
    """Return the mapped addresses in the order seen."""
    return tuple(dict.fromkeys(sample.mapped for sample in view.samples))


def pooling_of(view: View, behind_nat: bool | None) -> Judgement[Pooling]:
    """Tell whether all mappings of one local address have one IP address outside (RFC 4787 section 4.1).

    ``arbitrary`` needs one destination that saw two; ``paired`` so many mappings on one address that a NAT with two
    would hardly have taken the same one each time: that is its ``p_wrong``.
    """
    if behind_nat is False:
        return Judgement(why=NO_NAT)
    by_local: dict[IPAddress, list[Sample]] = {}
    for sample in view.samples:
        if sample.local is not None:
            by_local.setdefault(sample.local.ip, []).append(sample)
    if not by_local:
        return Judgement(why=view.silent or "the address on this computer is not known")
    return _pooled(max(by_local.values(), key=len))


def _pooled(samples: list[Sample]) -> Judgement[Pooling]:
    ids = tuple(sample.id for sample in samples)
    seen: dict[TransportAddress, set[IPAddress]] = {}
    for sample in samples:
        seen.setdefault(sample.destination, set()).add(sample.mapped.ip)
    if any(len(addresses) > 1 for addresses in seen.values()):
        return Judgement(value="arbitrary", evidence=ids)
    if len({sample.mapped.ip for sample in samples}) > 1:
        return Judgement(why="servers saw different IP addresses, each always the same")
    mappings = len({sample.mapped for sample in samples})
    p_wrong = 0.5 ** (mappings - 1)
    if p_wrong >= LIMIT:
        return Judgement(why=f"only {mappings} mapping{'s were' if mappings > 1 else ' was'} seen, all on one address")
    return Judgement(value="paired", p_wrong=p_wrong, evidence=ids)
