"""A NAT in words: where it stands, what it does on each axis, and how sure that is. The same in every format."""

from collections.abc import Callable
from math import floor, log10

from rtcdiag.evidence import Environment
from rtcdiag.formats.words import familiar, yes_no
from rtcdiag.nat import NO_NAT, OPT_IN, Nat, OtherWay, lifetime_words
from rtcdiag.report import Report

_SURE = 1e-4
"""Below this chance of being wrong, digits tell nothing any more."""
_MOST_ADDRESSES = 2


def standing(nat: Nat, here: Environment) -> str:
    """Say whether there is a NAT and of which kind, by which interface, and which address the servers saw."""
    return ", ".join(filter(None, (_kind(nat), _over(nat.interface, nat.address, here), _seen_as(nat))))


def _kind(nat: Nat) -> str:
    name = familiar(nat)
    if nat.behind_nat is False and not nat.local_only:
        firewall = "no NAT, but a stateful firewall" if nat.firewall else "no NAT"
        return "no NAT (open internet)" if nat.filtering == "endpoint-independent" else firewall
    if nat.behind_nat:
        return f"behind a NAT ({name})" if name else "behind a NAT"
    return name or "whether there is a NAT is not known"


def _over(interface: str | None, address: str | None, here: Environment) -> str:
    role = next((item.role for item in here.interfaces if item.name == interface), None)
    inside = ", ".join(filter(None, ("VPN" if role == "vpn" else "", address if interface else "")))
    name = interface or address
    return f"over {name}" + (f" ({inside})" if inside else "") if name else ""


def _seen_as(nat: Nat) -> str:
    hosts = tuple(dict.fromkeys(address.host for address in nat.mapped))
    shown = " and ".join(hosts) if len(hosts) <= _MOST_ADDRESSES else f"{len(hosts)} addresses"
    return f"seen as {shown}" if hosts and nat.behind_nat is not False else ""


def used_interface(report: Report) -> str | None:
    """Return the interface that a report is about: the one by which servers were asked, else the default route's."""
    asked = (nat.interface for nat in (report.nat.ipv4, report.nat.ipv6) if nat is not None)
    return next((name for name in asked if name is not None), report.environment.default_route)


def other_way(way: OtherWay, here: Environment) -> str:
    """Say what servers saw that were asked by another interface."""
    hosts = ", ".join(dict.fromkeys(address.host for address in way.mapped))
    over = _over(way.interface, way.address, here) or "another way"
    return f"some servers were asked {over}: {f'seen as {hosts}' if hosts else 'no answer'}"


def sure(p_wrong: float | None) -> str:
    """Return how sure a conclusion is: ``98 % sure``; nothing where nobody computed it."""
    if p_wrong is None:
        return ""
    if p_wrong < _SURE:
        return "99.99+ % sure"
    return f"{100 * (1 - p_wrong):.{max(0, -floor(log10(p_wrong)) - 2)}f} % sure"


def axis(nat: Nat, field: str, text: str | None) -> str:
    """Return a value with how sure it is, or why there is none; ``text`` is the value in words."""
    reason = nat.undetermined.get(field)
    if text is None or text == "undetermined":
        step = nat.find_out.get(field)
        told = (f"undetermined: {reason}" if reason else "undetermined", f"to find out, {step}" if step else "")
        return "; ".join(filter(None, told))
    certainty = nat.confidence.get(field)
    doubt = sure(certainty.p_wrong) if certainty is not None else ""
    return f"{text} ({doubt})" if doubt else text


def ports(nat: Nat) -> str | None:
    """Say how the NAT chooses ports (RFC 4787 section 4.2), None where that is not known."""
    rule = _RULES[nat.port_assignment](nat) if nat.port_assignment else None
    if rule and nat.port_preservation and nat.port_assignment != "preserved":
        rule = f"the local port for the first destination, then {rule}"
    return f"{rule}, even ports stay even" if rule and nat.port_parity else rule


def _counted(nat: Nat) -> str:
    if nat.port_delta is None:
        return "sequential, with other hosts' ports between"
    return f"sequential, step {nat.port_delta:+d}"


def _block(nat: Nat) -> str:
    numbers = [address.port for address in nat.mapped]
    return f"from one block, seen {min(numbers)} to {max(numbers)}" if numbers else "from one block"


_RULES: dict[str, Callable[[Nat], str]] = {
    "preserved": lambda _: "the local port is kept",
    "sequential": _counted,
    "block": _block,
    "random": lambda _: "random",
}


def _pool(nat: Nat) -> str | None:
    return "arbitrary: several public addresses" if nat.pooling == "arbitrary" else None


def hairpinning(nat: Nat) -> str | None:
    """Say whether the NAT turns packets back, and as who the sender is seen; None where that is not known."""
    source = f" ({nat.hairpinning_source} source)" if nat.hairpinning_source else ""
    return None if nat.hairpinning is None else yes_no(nat.hairpinning) + source


def _fragments(nat: Nat) -> str | None:
    if nat.fragments_outbound is None and nat.fragments_inbound is None:
        return None
    uncut = f"; up to {nat.mtu_bytes} bytes are not cut" if nat.mtu_bytes else ""
    return f"get out: {yes_no(nat.fragments_outbound)}, get in: {yes_no(nat.fragments_inbound)}{uncut}"


AXES: tuple[tuple[str, str, Callable[[Nat], str | None]], ...] = (
    ("mapping", "mapping", lambda nat: nat.mapping),
    ("filtering", "filtering", lambda nat: nat.filtering),
    ("ports", "port_assignment", ports),
    ("pooling", "pooling", _pool),
    ("hairpin", "hairpinning", hairpinning),
    ("lifetime", "lifetime_s", lifetime_words),
    ("fragments", "fragments_outbound", _fragments),
)
"""What is told of a NAT in short: the label, the field of ``Nat``, and the value in words."""
ALWAYS = ("mapping", "filtering")
"""The axes that are told also where they are not known, and without a NAT."""


_DETAILS = ("port_assignment", "pooling")
"""The axes that only the question for the NAT itself is answered with."""


def axes(nat: Nat, *, brief: bool = False) -> tuple[tuple[str, str], ...]:
    """Return the axes that matter here, each as label and text; ``brief`` without the details."""
    told = ((label, field, tell(nat)) for label, field, tell in AXES)
    return tuple(
        (label, axis(nat, field, text))
        for label, field, text in told
        if _matters(nat, field, text) and not (brief and field in _DETAILS)
    )


def _matters(nat: Nat, field: str, text: str | None) -> bool:
    if field in _DETAILS:
        return nat.behind_nat is True and (text is not None or field == "port_assignment")
    return field in ALWAYS or text is not None or _was_tried(nat, field)


def _was_tried(nat: Nat, field: str) -> bool:
    """Tell whether an opt-in experiment was asked for, and there was something to try it on."""
    why = nat.undetermined.get(field)
    return why is not None and why != NO_NAT and not why.startswith(OPT_IN)
