"""The changes that would flip a verdict."""

from collections.abc import Iterator

from msgspec.structs import replace

from rtcdiag.nat import Nat
from rtcdiag.report import Change, Direct, Nats
from rtcdiag.verdict.direct import direct_of
from rtcdiag.verdict.known import Known


def changes(direct: Direct, known: Known) -> Iterator[Change]:
    """Name the changes that flip the verdict, each tried on the model before it is promised."""
    if known.udp_blocked:
        yield Change(side="here", change="let UDP out of this network, and its answers in", then="depends-on-peer")
    elif direct not in ("likely", "confirmed", "inconclusive"):
        for change, nats in _improvements(known.nats):
            then = direct_of(replace(known, nats=nats))
            if then != direct and then in ("likely", "depends-on-peer"):
                yield Change(side="here", change=change, then=then)
    if direct == "blocked":
        yield Change(side="server", change="a TURN server that works from here", then="relay-needed")


def _improvements(nats: Nats) -> Iterator[tuple[str, Nats]]:
    for name, nat in (("ipv4", nats.ipv4), ("ipv6", nats.ipv6)):
        if nat is None:
            continue
        if nat.mapping in ("address-dependent", "address-and-port-dependent") and not nat.cgnat:
            better = replace(nat, mapping="endpoint-independent")
            yield (
                "make the NAT keep one public port per local port (endpoint-independent mapping)",
                replace(nats, **{name: better}),
            )
        if nat.filtering in ("address-dependent", "address-and-port-dependent"):
            better = replace(nat, mapping="endpoint-independent", filtering="endpoint-independent", firewall=False)
            yield opened_port(nat), replace(nats, **{name: better})


def opened_port(nat: Nat) -> str:
    """Say how packets from anywhere get to this computer: in a NAT of the provider nobody opens a port."""
    if nat.cgnat:
        return "get a public address from the provider in place of its NAT, and open a port to this computer"
    if nat.layers is not None and nat.layers > 1:
        return "open a port to this computer in each of the NATs in a row"
    return "open a port to this computer (port mapping by UPnP, PCP or hand)"
