"""Builders of plausible evidence, a line a fact, for reports that tests and formats are tried on."""

from typing import Any

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import (
    Allocation,
    Answer,
    Binding,
    Candidate,
    Certificate,
    Challenge,
    Connect,
    Exchange,
    Failure,
    Gathering,
    Permission,
    Refresh,
    RelayedData,
    Resolution,
    Target,
    TlsHandshake,
)
from rtcdiag.targets import Transport, parse_server

HERE = "192.168.1.4"
PUBLIC = "203.0.113.7"
SOFTWARE = "Coturn-4.6.1 'Gorst'"


def at(text: str) -> TransportAddress:
    return TransportAddress.parse(text)


def answer(t_ms: float, source: str, **more: Any) -> Answer:
    more.setdefault("success", True)
    more.setdefault("software", SOFTWARE)
    return Answer(t_ms=t_ms, source=at(source), size_bytes=96, fingerprint="valid", **more)


def answered(t_ms: float, source: str, rtt_ms: float = 21.0, **more: Any) -> Exchange:
    return Exchange(sent_ms=(t_ms,), answers=(answer(t_ms + rtt_ms, source, **more),), rtt_ms=rtt_ms)


def silent(t_ms: float, failure: Failure = Failure.TIMEOUT, sent: int = 4) -> Exchange:
    return Exchange(sent_ms=tuple(t_ms + 500 * (2**n - 1) for n in range(sent)), failure=failure)


def refused(t_ms: float, source: str, code: int, reason: str, **more: Any) -> Exchange:
    return answered(t_ms, source, success=False, error_code=code, reason=reason, **more)


def target(uri: str) -> Target:
    server = parse_server(uri)
    return Target(
        t_ms=0.0,
        server=uri,
        protocol=server.protocol,
        host=server.host,
        port=server.port,
        transport=server.transport,
        ip_literal=server.ip_literal,
    )


def resolution(host: str, *addresses: str, family: Family = Family.IPV4) -> Resolution:
    failure = None if addresses else Failure.DNS_NO_ADDRESS
    return Resolution(t_ms=0.4, duration_ms=3.1, host=host, family=family, addresses=addresses, failure=failure)


def connect(uri: str, destination: str, t_ms: float = 4.0, failure: Failure | None = None) -> Connect:
    return Connect(t_ms=t_ms, duration_ms=20.5, server=uri, destination=at(destination), failure=failure)


def handshake(uri: str, destination: str, *, failure: Failure | None = None, detail: str | None = None) -> TlsHandshake:
    host = parse_server(uri).host
    return TlsHandshake(
        t_ms=25.0,
        duration_ms=42.7,
        server=uri,
        destination=at(destination),
        server_name=host,
        version=None if failure else "TLSv1.3",
        cipher=None if failure else "TLS_AES_256_GCM_SHA384",
        certificate=Certificate(
            subject=host,
            issuer="Example CA",
            names=(host,),
            not_before=1.750e9,
            not_after=1.758e9 if failure else 1.80e9,
        ),
        failure=failure,
        detail=detail,
    )


def binding(uri: str, destination: str, exchange: Exchange, t_ms: float, **more: Any) -> Binding:
    more.setdefault("purpose", "mapping")
    more.setdefault("socket", "m4")
    more.setdefault("local", at(f"{HERE}:50123"))
    return Binding(
        t_ms=t_ms,
        server=uri,
        destination=at(destination),
        interface="wlan0",
        exchange=exchange,
        duration_ms=None,
        **more,
    )


def mapped(uri: str, destination: str, port: int, t_ms: float = 5.0, rtt_ms: float = 21.0, **more: Any) -> Binding:
    """Return a Binding that was answered with a mapped address at the public address and ``port``."""
    exchange = answered(t_ms, destination, rtt_ms, xor_mapped=at(f"{PUBLIC}:{port}"), mapped=at(f"{PUBLIC}:{port}"))
    return binding(uri, destination, exchange, t_ms, **more)


def turn_steps(uri: str, destination: str, transport: Transport, relayed: str) -> tuple[Any, ...]:
    """Return a whole TURN session that works."""
    common: dict[str, Any] = {"server": uri, "transport": transport, "destination": at(destination)}
    peer = at(relayed.rpartition(":")[0] + ":49199")
    realm = "example.org"
    return (
        Challenge(
            t_ms=70.0, exchange=refused(70.0, destination, 401, "Unauthorized", realm=realm, nonce=True), **common
        ),
        Allocation(
            t_ms=92.0,
            exchange=answered(92.0, destination, relayed=at(relayed), lifetime_s=600, integrity="valid"),
            **common,
        ),
        Permission(t_ms=114.0, peer=peer, exchange=answered(114.0, destination, integrity="valid"), **common),
        RelayedData(
            t_ms=136.0,
            duration_ms=44.0,
            path="relay-to-relay",
            method="send",
            receiver="b",
            peer=peer,
            sent=5,
            received=5,
            rtt_ms=22.4,
            **common,
        ),
        Refresh(t_ms=181.0, lifetime_s=600, exchange=answered(181.0, destination, lifetime_s=600), **common),
        Refresh(t_ms=203.0, lifetime_s=0, exchange=answered(203.0, destination, lifetime_s=0), **common),
    )


def candidate(kind: Any, address: str, priority: int, **more: Any) -> Candidate:
    place = at(address)
    sdp = f"5a8c 1 udp {priority} {place.host} {place.port} typ {kind}"
    return Candidate(
        t_ms=more.pop("t_ms", 24.1),
        type=kind,
        address=place,
        priority=priority,
        foundation="5a8c",
        interface="wlan0",
        sdp=sdp,
        **more,
    )


def gathering(server: str | None, candidates: int, failure: Failure | None = None) -> Gathering:
    return Gathering(t_ms=2.0, duration_ms=48.0, server=server, candidates=candidates, failure=failure)
