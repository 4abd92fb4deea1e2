"""What a description tells whoever reads it, in words, before a person gives it away."""

from collections.abc import Collection, Iterable, Sequence
from ipaddress import ip_address

from rtcdiag.address import IPAddress, Scope, scope_of
from rtcdiag.signaling.candidate import SdpCandidate, parse_candidate

_PLAINLY_LISTED = 3


def revealed(candidates: Sequence[str], vpn: Collection[str] = (), *, counted: bool = False) -> str:
    """Return what candidates tell, as ``public address 203.0.113.7, 2 local addresses``; ``vpn`` are the VPN's own.

    ``counted``: without the addresses themselves, as ``1 public address, 2 local addresses``.
    """
    plainly = 0 if counted else _PLAINLY_LISTED
    told = [parse_candidate(value) for value in candidates]
    own = dict.fromkeys(ip for item in told for ip in _own(item))
    tunnel = [ip for ip in own if str(ip) in vpn]
    public = [ip for ip in own if ip not in tunnel and scope_of(ip) is Scope.GLOBAL]
    local = [ip for ip in own if ip not in tunnel and ip not in public]
    names = {item.host for item in told if item.ip is None}
    relays = dict.fromkeys(item.ip for item in told if item.type == "relay" and item.ip is not None)
    parts = (
        _listed("public address", public, plainly),
        _counted("local address", len(local)),
        _listed("VPN address", tunnel, plainly),
        _counted("random name of a local address", len(names), plural="random names of local addresses"),
        _listed("TURN relay", relays, plainly),
    )
    return ", ".join(part for part in parts if part) or "no address"


def _own(item: SdpCandidate) -> list[IPAddress]:
    """Return the addresses of this computer and its NAT that a candidate tells."""
    related = ip_address(item.related[0]) if item.related is not None else None
    each = (item.ip if item.type != "relay" else None, related)
    return [ip for ip in each if ip is not None and scope_of(ip) is not Scope.UNSPECIFIED]


def _listed(what: str, ips: Iterable[IPAddress], plainly: int) -> str:
    shown = [str(ip) for ip in ips]
    if len(shown) > plainly:
        return _counted(what, len(shown))
    plural = "es" if what.endswith("s") else "s"
    return f"{what}{plural if len(shown) > 1 else ''} {' and '.join(shown)}" if shown else ""


def _counted(what: str, count: int, *, plural: str | None = None) -> str:
    if count == 0:
        return ""
    return f"1 {what}" if count == 1 else f"{count} {plural or what + ('es' if what.endswith('s') else 's')}"
