"""From evidence to ``Nat``: every field a value with its certainty, or a reason."""

from typing import Any

from rtcdiag.address import Family, Scope
from rtcdiag.evidence import Evidence
from rtcdiag.nat.addresses import (
    behind_nat_of,
    mapped_of,
    pooling_of,
)
from rtcdiag.nat.advice import step_for
from rtcdiag.nat.answers import asked, rewritten
from rtcdiag.nat.behavior import Nat
from rtcdiag.nat.filtering import filtering_of
from rtcdiag.nat.gateway import gateway_of
from rtcdiag.nat.inferred import Outside
from rtcdiag.nat.ipv6 import nat64_here, nat64_prefix_of, prefix_translation_of
from rtcdiag.nat.judgement import OPT_IN, Class, Judgement
from rtcdiag.nat.layers import layers_of
from rtcdiag.nat.loss import transmissions
from rtcdiag.nat.mapping import mapping_of
from rtcdiag.nat.nat64 import Nat64, nat64_of
from rtcdiag.nat.opt_in import About, opt_in_fields
from rtcdiag.nat.ports import port_assignment_of, port_delta_of, port_parity_of, port_preservation_of
from rtcdiag.nat.relays import relays_of
from rtcdiag.nat.silence import Setting
from rtcdiag.nat.tracking import tracking_of
from rtcdiag.nat.view import View, view_of


def classify(evidence: Evidence, family: Family) -> Nat | None:
    """Return what the NAT of a family does; None where no server was asked over UDP in it.

    Only servers of the widest scope count: a server in the local network tells nothing of the NAT towards the internet.
    Never raises, whatever the evidence.
    """
    # The report and several rules ask, one of them for each server.
    return evidence.once((classify, family), lambda: _classified(evidence, family))


def _classified(evidence: Evidence, family: Family) -> Nat | None:
    nat64 = nat64_of(evidence)
    bindings = asked(evidence, family, nat64)
    if not bindings:
        return None
    view = view_of(bindings, evidence.environment, family, relays_of(evidence, family))
    behind_nat = behind_nat_of(view)
    mapping = mapping_of(view, behind_nat)
    filtering = filtering_of(view, mapping.possible)
    setting = Setting(view=view, mapping=mapping.possible, sent=transmissions(view.bindings))
    judged = _details(view, behind_nat, filtering)
    judged["tracks_unsolicited"] = tracking_of(setting, behind_nat.value, mapping, filtering)
    judged |= _translations(view, behind_nat, nat64, family)
    outside = Outside(judged["port_assignment"], judged["pooling"])
    gateway = gateway_of(evidence, family, view.way.interface)
    judged["layers"], judged["cgnat"] = layers_of(view, gateway, behind_nat, outside)
    judged |= opt_in_fields(About(evidence, family, nat64), setting, behind_nat.value, filtering.possible)
    return _nat(view, {"mapping": mapping, "filtering": filtering}, judged)


def _details(view: View, behind_nat: Judgement[bool], filtering: Class) -> dict[str, Judgement[Any]]:
    preserved = port_preservation_of(view, behind_nat.value)
    assignment = port_assignment_of(view, behind_nat.value, preserved.value)
    return {
        "behind_nat": behind_nat,
        "pooling": pooling_of(view, behind_nat.value),
        "port_preservation": preserved,
        "port_parity": port_parity_of(view, behind_nat.value),
        "port_assignment": assignment,
        "port_delta": port_delta_of(view, behind_nat.value, assignment.value),
        "alg": rewritten(view.bindings, view.operators),
        "firewall": _firewall(behind_nat.value, filtering, view.silent),
    }


def _translations(view: View, behind_nat: Judgement[bool], nat64: Nat64, family: Family) -> dict[str, Judgement[Any]]:
    """Judge what has to do with IPv6."""
    if family is Family.IPV6:
        none: Judgement[Any] = Judgement(why="it is told of IPv4 only")
        prefix = prefix_translation_of(view.samples, behind_nat.value)
        return {"nat64": none, "nat64_prefix": none, "prefix_translation": prefix}
    public = behind_nat.value is False and view.scope is Scope.GLOBAL and view.samples[0].mapped.scope is Scope.GLOBAL
    here = nat64_here(view.samples, nat64, public=public)
    return {
        "nat64": here,
        "nat64_prefix": nat64_prefix_of(nat64, here),
        "prefix_translation": Judgement(why="it is told of IPv6 only"),
    }


def _firewall(behind_nat: bool | None, filtering: Class, silent: str) -> Judgement[bool]:
    """Tell whether a computer without NAT is filtered; behind a NAT the two filters cannot be told apart."""
    if behind_nat is not False:
        what = "behind a NAT, its filter hides any other" if behind_nat else "whether there is a NAT is not known"
        return Judgement(why=silent or what)
    is_open = filtering.possible == ("endpoint-independent",)
    if "endpoint-independent" in filtering.possible and not is_open:
        return Judgement(why=filtering.why)
    return Judgement(value=not is_open, p_wrong=filtering.p_wrong, evidence=filtering.evidence)


def _nat(view: View, classes: dict[str, Class], judged: dict[str, Judgement[Any]]) -> Nat:
    mute = view.silent
    unknown = {name: item.why for name, item in classes.items() if item.behavior == "undetermined"}
    unknown |= {name: item.why for name, item in judged.items() if item.value is None}
    sure = {name: item.certainty for name, item in classes.items() if item.behavior != "undetermined"}
    sure |= {name: item.certainty for name, item in judged.items() if item.value is not None}
    return Nat(
        interface=view.way.interface,
        address=str(view.way.address) if view.way.address is not None else None,
        other_ways=view.others,
        mapping=classes["mapping"].behavior,
        filtering=classes["filtering"].behavior,
        mapping_possible=classes["mapping"].possible,
        filtering_possible=classes["filtering"].possible,
        mapped=mapped_of(view),
        local_only=view.scope is not Scope.GLOBAL,
        confidence=sure,
        undetermined={name: why if not mute or why.startswith(OPT_IN) else mute for name, why in unknown.items()},
        inferred={name: item.inferred for name, item in judged.items() if item.inferred},
        find_out={} if mute else {name: step_for(unknown[name]) for name in classes if name in unknown},
        distrusted=view.distrusted,
        **{name: item.value for name, item in judged.items()},
    )
