"""The fields of ``Nat`` that only the opt-in experiments can fill, or why they are empty."""

from typing import Any, NamedTuple, TypeVar

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence, Hairpin, IdleMapping, SizedBinding
from rtcdiag.nat.behavior import Behavior
from rtcdiag.nat.fragments import inbound_of, mtu_of, outbound_of
from rtcdiag.nat.hairpinning import hairpinning_of, source_of
from rtcdiag.nat.judgement import Judgement
from rtcdiag.nat.lifetime import lifetime_of
from rtcdiag.nat.nat64 import Nat64
from rtcdiag.nat.silence import Setting
from rtcdiag.nat.view import View

_Test = TypeVar("_Test", Hairpin, IdleMapping, SizedBinding)


class About(NamedTuple):
    """What is judged: the NAT of a family. What went through a NAT64 is about IPv4."""

    evidence: Evidence
    family: Family
    nat64: Nat64


def opt_in_fields(
    about: About, setting: Setting, behind_nat: bool | None, filtering: tuple[Behavior, ...]
) -> dict[str, Judgement[Any]]:
    """Judge the experiments that asked believed servers of the family, scope and way out."""
    meetings = _tests(about, setting.view, Hairpin)
    sizes = _tests(about, setting.view, SizedBinding)
    unfiltered = behind_nat is False and filtering == ("endpoint-independent",)
    hairpinning = hairpinning_of(setting, behind_nat, filtering, meetings)
    lifetime = lifetime_of(setting.lost, unfiltered, _tests(about, setting.view, IdleMapping))
    return {
        "hairpinning": hairpinning,
        "hairpinning_source": source_of(hairpinning, meetings),
        "lifetime_s": lifetime.survived,
        "lifetime_below_s": lifetime.below,
        "fragments_outbound": outbound_of(setting.lost, sizes),
        "fragments_inbound": inbound_of(setting.lost, sizes),
        "mtu_bytes": mtu_of(sizes),
    }


def _tests(about: About, view: View, kind: type[_Test]) -> tuple[_Test, ...]:
    def counts(item: _Test) -> bool:
        there = about.nat64.ipv4_of(item.destination) or item.destination
        by_this_way = item.interface == view.way.interface and item.server not in view.distrusted
        return by_this_way and there.family is about.family and there.scope is view.scope

    return about.evidence.of(kind, counts)
