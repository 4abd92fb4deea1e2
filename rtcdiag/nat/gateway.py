"""What the gateway and the routers behind it tell of further NATs, sorted; nothing is concluded here."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, family_of, scope_of
from rtcdiag.evidence import Environment, Evidence, GatewayQuery, Hop

_USABLE = (Scope.GLOBAL, Scope.SHARED, Scope.PRIVATE)
PROTOCOLS = {"nat-pmp": "NAT-PMP", "pcp": "PCP", "upnp-igd": "UPnP"}
"""As people write them."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway says over one protocol that its external address is."""

    protocol: str
    """As people write it."""
    address: IPAddress
    id: str


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """All about one family's gateway."""

    queries: tuple[GatewayQuery, ...] = ()
    claims: tuple[Claim, ...] = ()
    """Those that can be true."""
    broken: dict[str, str] = {}
    """By observation: why what it says cannot be true."""
    mute: tuple[str, ...] = ()
    """Observations in which it says that it has no external address."""
    mismatch: tuple[str, ...] = ()
    """Observations in which a PCP server saw another address than this computer has (ADDRESS_MISMATCH)."""
    beyond: tuple[Hop, ...] = ()
    """Routers behind it whose addresses are private or of a carrier."""
    vpn: bool = False
    """It is the gateway of a VPN, not of the network here."""

    @property
    def answered(self) -> bool:
        """Whether it said anything."""
        return any(query.result is not None for query in self.queries)


def gateway_of(evidence: Evidence, family: Family, interface: str | None = None) -> Gateway:
    """Sort what was seen of a family's gateway, where given only of that which is on the way by an interface."""
    queries = evidence.of(
        GatewayQuery,
        lambda item: item.destination.family is family and (interface is None or item.interface in (None, interface)),
    )
    broken = {query.id: why for query in queries if (why := _nonsense(query))}
    return Gateway(
        queries=queries,
        claims=tuple(claim for query in queries if query.id not in broken for claim in _claims(query)),
        broken=broken,
        mute=tuple(query.id for query in queries if query.id not in broken and _has_no_address(query)),
        mismatch=tuple(query.id for query in queries if query.result_name == "ADDRESS_MISMATCH"),
        beyond=_beyond(evidence, family, {query.destination.ip for query in queries}),
        vpn=any(query.interface in _vpns(evidence.environment) for query in queries),
    )


def _claims(query: GatewayQuery) -> tuple[Claim, ...]:
    address = _address(query.external_address)
    if address is None or not query.succeeded:
        return ()
    return (Claim(protocol=PROTOCOLS[query.protocol], address=address, id=query.id),)


def _has_no_address(query: GatewayQuery) -> bool:
    if query.question != "external-address":
        return False
    return query.result_name == "NETWORK_FAILURE" or (query.succeeded and query.external_address is None)


def _nonsense(query: GatewayQuery) -> str:
    """Return why the external address cannot be one, empty where it can or there is none."""
    text = query.external_address
    address = _address(text)
    if text is None:
        return ""
    if address is None or family_of(address) is not query.destination.family or scope_of(address) not in _USABLE:
        return f"{PROTOCOLS[query.protocol]} names {text} as its external address"
    # Whose network is longer or shorter is not known here; in one /24 with itself, inside and outside are one.
    if address in _neighborhood(query.destination.ip):
        return f"{PROTOCOLS[query.protocol]} names {text}, an address of the inside, as its external one"
    return ""


def _address(text: str | None) -> IPAddress | None:
    try:
        return ip_address(text or "")
    except ValueError:
        return None


def _neighborhood(ip: IPAddress) -> IPv4Network | IPv6Network:
    return ip_network((int(ip), 24) if ip.version == 4 else (int(ip), 64), strict=False)


def _beyond(evidence: Evidence, family: Family, gateways: set[IPAddress]) -> tuple[Hop, ...]:
    own = {address for item in evidence.environment.interfaces for address in item.addresses}
    return evidence.of(
        Hop,
        lambda hop: (
            hop.destination.family is family
            and hop.ttl != 1
            and hop.router not in own
            and (router := _address(hop.router)) is not None
            and router not in gateways
            and scope_of(router) in (Scope.PRIVATE, Scope.SHARED)
        ),
    )


def _vpns(environment: Environment) -> set[str]:
    return {item.name for item in environment.interfaces if item.role == "vpn"}
