"""Which addresses here are a VPN's: what is seen through it tells of its own routers, not of the provider's."""

from rtcdiag.evidence import Environment
from rtcdiag.nat.samples import Sample

_TAILSCALE6 = "fd7a:115c:a1e0:"


def own_of_vpn(environment: Environment) -> set[str]:
    """Return the names and addresses of interfaces that are a VPN's, by their name or by Tailscale's IPv6 range."""
    vpns = (
        item
        for item in environment.interfaces
        if item.role == "vpn" or any(address.startswith(_TAILSCALE6) for address in item.addresses)
    )
    return {name for item in vpns for name in (item.name, *item.addresses)}


def uses(sample: Sample, names: set[str]) -> bool:
    """Tell whether a sample was taken through one of these interfaces, or from one of these addresses."""
    return sample.interface in names or (sample.local is not None and sample.local.host in names)
