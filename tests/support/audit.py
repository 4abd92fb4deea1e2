"""Evidence of an audit: builders with one healthy value for everything."""

from typing import Any

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.audit.conf import parse
from rtcdiag.audit.peers import CHANNEL_PEERS, PEERS, PORT, own_peers
from rtcdiag.evidence import (
    AuditAllocation,
    AuditNonce,
    AuditPermission,
    AuditScope,
    AuditSize,
    AuditTls,
    Exchange,
    Failure,
    Observation,
    TurnConfig,
)
from rtcdiag.evidence.audit import AllocationQuestion
from rtcdiag.targets import Transport
from support.evidence import Turn, answered, failed, refused

TURN = Turn()


def denied() -> Exchange:
    return refused(TURN.address, 403)


def granted(**more: Any) -> Exchange:
    return answered(TURN.address, integrity="valid", **more)


def permission(ip: IPAddress, exchange: Exchange | None = None, channel: int | None = None) -> AuditPermission:
    return AuditPermission(
        t_ms=9.0,
        server=TURN.uri,
        transport=Transport.UDP,
        destination=TransportAddress.parse(TURN.address),
        relay=family_of(ip),
        peer=TransportAddress(ip, PORT),
        channel=channel,
        exchange=exchange or denied(),
    )


def permissions(
    answers: dict[str, Exchange] | None = None,
    channels: dict[str, Exchange] | None = None,
    *,
    without: Family | None = None,
    own: Exchange | None = None,
) -> tuple[AuditPermission, ...]:
    """Return what was asked of all peers: denied, but for the server's own address, unless told otherwise."""
    here = own_peers((TransportAddress.parse(TURN.address).ip,), Family.IPV4)
    asked = [permission(peer.ip, (answers or {}).get(str(peer.ip))) for peer in PEERS]
    asked += [permission(peer.ip, own or granted()) for peer in here]
    for number, ip in enumerate(CHANNEL_PEERS, 0x4000):
        asked.append(permission(ip, (channels or {}).get(str(ip)), number))
    return tuple(item for item in asked if item.relay is not without)


def allocation(question: AllocationQuestion, exchange: Exchange) -> AuditAllocation:
    return AuditAllocation(
        t_ms=9.0,
        server=TURN.uri,
        transport=Transport.UDP,
        destination=TransportAddress.parse(TURN.address),
        question=question,
        exchange=exchange,
    )


def size(request: Any, asked: int, told: int) -> AuditSize:
    where: dict[str, Any] = {"server": TURN.uri, "destination": TransportAddress.parse(TURN.address)}
    return AuditSize(t_ms=6.0, request=request, request_bytes=asked, answer_bytes=told, **where)


def nonces(*, repeated: bool = False) -> AuditNonce:
    where: dict[str, Any] = {"server": TURN.uri, "destination": TransportAddress.parse(TURN.address)}
    return AuditNonce(t_ms=8.0, sizes_bytes=(16, 16), repeated=repeated, **where)


def offers(**outcomes: Any) -> tuple[AuditTls, ...]:
    """Return an offer a version; ``TLSv1_2`` stands for TLSv1.2."""
    where: dict[str, Any] = {"server": TURN.uri, "destination": TransportAddress.parse(TURN.address)}
    return tuple(
        AuditTls(t_ms=9.0, version=name.replace("_", "."), outcome=outcome, **where)  # type: ignore[arg-type]  # of a mixed dict
        for name, outcome in outcomes.items()
    )


MODERN = offers(TLSv1_2="accepted", TLSv1_3="accepted", TLSv1_1="refused", TLSv1="refused")
NO_TCP = failed(Failure.CONNECTION_REFUSED)


def audited(*instead: Observation, leave_out: tuple[type[Observation], ...] = (), **scope: Any) -> tuple[Any, ...]:
    """Return the audit of a well-kept server, but for the kinds of what is given instead or left out."""
    fields = {"has_credentials": True, "has_secret": True}
    whole: tuple[Observation, ...] = (
        TURN.target(),
        AuditScope(t_ms=0.0, server=TURN.uri, **fields | scope),
        TURN.binding(),
        size("Binding", 20, 32),
        TURN.challenge(),
        size("Allocate", 28, 76),
        TURN.allocation(),
        *permissions(),
        allocation("ipv6-relay", granted()),
        allocation("expired-credentials", refused(TURN.address, 401)),
        allocation("tcp-relay", refused(TURN.address, 442)),
        nonces(),
        *MODERN,
    )
    replaced = {_key(item) for item in instead}
    kept = (item for item in whole if _key(item) not in replaced and not isinstance(item, leave_out))
    return (*kept, *instead)


def _key(item: Observation) -> tuple[str, str]:
    return type(item).__name__, str(getattr(item, "question", getattr(item, "request", "")))


def config(*lines: str, version: str | None = None, name: str = "turnserver.conf") -> TurnConfig:
    return TurnConfig(t_ms=0.0, name=name, version=version, lines=parse("\n".join(lines).encode()))
