"""What a default gateway may say, a line an answer."""

from typing import Any

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure, GatewayQuery, Hop

GATEWAY = "192.168.1.1"
_AT = TransportAddress(GATEWAY, 5351)
_ASKED: dict[str, Any] = {"t_ms": 1.0, "destination": _AT, "local": "192.168.1.4", "interface": "eth0"}


def nat_pmp(external: str | None = None, *, name: str = "SUCCESS", **more: Any) -> GatewayQuery:
    """Return the answer to the question for the external address."""
    told = {"result": {"SUCCESS": 0, "NOT_AUTHORIZED": 2, "NETWORK_FAILURE": 3}[name], "result_name": name}
    fields = {"id": "pmp", "version": 0, "external_address": external, **told, **_ASKED}
    return GatewayQuery(protocol="nat-pmp", question="external-address", **{**fields, **more})


def pcp(name: str = "SUCCESS", **more: Any) -> GatewayQuery:
    """Return the answer to an announcement."""
    told = {"result": {"SUCCESS": 0, "NOT_AUTHORIZED": 2, "ADDRESS_MISMATCH": 12}[name], "result_name": name}
    fields = {"id": "pcp", "version": 2, **told, **_ASKED}
    return GatewayQuery(protocol="pcp", question="announce", **{**fields, **more})


def upnp(external: str | None = None, **more: Any) -> GatewayQuery:
    """Return the answer to GetExternalIPAddress."""
    fields = {
        "id": "upnp",
        "question": "external-address",
        "result": 0,
        "result_name": "SUCCESS",
        "external_address": external,
        **_ASKED,
    }
    return GatewayQuery(protocol="upnp-igd", **{**fields, **more})


def silence(**more: Any) -> GatewayQuery:
    """Return a question that nobody answered."""
    fields = {"id": "dead", "failure": Failure.TIMEOUT, **_ASKED}
    return GatewayQuery(protocol="nat-pmp", question="external-address", **{**fields, **more})


def hop(router: str, ttl: int | None = 2, **more: Any) -> Hop:
    """Return a router on the way."""
    server = TransportAddress("198.51.100.10", 3478)
    fields = {"id": f"hop-{ttl}", "t_ms": 1.0, "server": "stun:198.51.100.10", "destination": server}
    return Hop(router=router, ttl=ttl, **{**fields, **more})
