"""Evidence for rules: builders with one obvious healthy value for everything, and strategies for arbitrary evidence."""

from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from rtcdiag.address import Family, Scope, TransportAddress
from rtcdiag.evidence import (
    Allocation,
    AllocationTrial,
    Answer,
    AuditAllocation,
    AuditNonce,
    AuditPermission,
    AuditScope,
    AuditSize,
    AuditTls,
    Binding,
    Candidate,
    Certificate,
    Challenge,
    CheckedPair,
    ClockReading,
    ConfigLine,
    Connect,
    Crash,
    CredentialShape,
    DataStop,
    Environment,
    Evidence,
    Exchange,
    Failure,
    Gathering,
    Hairpin,
    HairpinEnd,
    IceMeeting,
    IceService,
    IdleMapping,
    Interface,
    Inward,
    Jitter,
    KnockArrival,
    LearnedCandidate,
    Observation,
    PacketStream,
    PeerConnection,
    PeerSession,
    PeerStream,
    Permission,
    ProxyTunnel,
    RateStep,
    Redirect,
    Refresh,
    RelayedData,
    RelayedStream,
    RelayQuality,
    RelaySoak,
    RelayThroughput,
    Resolution,
    SecretShape,
    SizedBinding,
    SizeTest,
    Skipped,
    Spread,
    Stray,
    Target,
    TlsHandshake,
    TlsTrial,
    Trial,
    TurnConfig,
    Upkeep,
    VantageBinding,
    VantageKnock,
    VantageOpening,
    VantagePoint,
    WebCheck,
)
from rtcdiag.evidence.audit import AllocationQuestion, TlsVersion
from rtcdiag.evidence.quality import Way
from rtcdiag.evidence.service import ServiceOutcome
from rtcdiag.evidence.session import PolicyOutcome
from rtcdiag.evidence.soak import Kept
from rtcdiag.evidence.tcp_relay import ConnectionStep
from rtcdiag.evidence.turn import WhyNot, Wish
from rtcdiag.evidence.vantage import VantageOutcome
from rtcdiag.targets import VIA, Transport, parse_server

NOW = 1_790_000_000.0
DAY = 86400.0
PROXY = "http://proxy.example:3128"
HERE = "192.168.1.4:40000"
HERE6 = "[2001:db8:7::7]:40000"
PUBLIC = "203.0.113.7:50123"
SHAPE = CredentialShape(form="time-limited", expires_at=NOW + 3600)


def at(text: str) -> TransportAddress:
    return TransportAddress.parse(text)


def run(*observations: Observation, now: float = NOW, **environment: Any) -> Evidence:
    """Return the evidence of a run, numbered, on a computer with IPv4 and no IPv6 unless told otherwise."""
    numbered = tuple(msgspec.structs.replace(item, id=f"obs-{number}") for number, item in enumerate(observations, 1))
    defaults: dict[str, Any] = {"ipv4": True, "default_route": "eth0"}
    return Evidence(started_at_s=now, environment=Environment(**defaults | environment), observations=numbered)


def answer(source: str, **more: Any) -> Answer:
    fields: dict[str, Any] = {"t_ms": 20.0, "source": at(source), "size_bytes": 96, "success": True}
    return Answer(**fields | more)


def answered(source: str, **more: Any) -> Exchange:
    return Exchange(sent_ms=(0.0,), answers=(answer(source, **more),), rtt_ms=20.0)


def refused(source: str, code: int, **more: Any) -> Exchange:
    return answered(source, success=False, error_code=code, **more)


def failed(failure: Failure = Failure.TIMEOUT, **more: Any) -> Exchange:
    return Exchange(sent_ms=(0.0, 500.0, 1500.0), failure=failure, **more)


def target(uri: str, **more: Any) -> Target:
    server = parse_server(uri.partition(VIA)[0])
    fields: dict[str, Any] = {
        "t_ms": 0.0,
        "server": uri,
        "protocol": server.protocol,
        "host": server.host,
        "port": server.port,
        "transport": server.transport,
        "ip_literal": server.ip_literal,
        "ignored_query": server.ignored_query,
        "credential": SHAPE if server.protocol == "turn" else None,
        "via": uri.partition(VIA)[2] or None,
    }
    return Target(**fields | more)


def resolution(host: str, *addresses: str, **more: Any) -> Resolution:
    failure = None if addresses else Failure.DNS_NO_ADDRESS
    fields: dict[str, Any] = {"t_ms": 0.0, "duration_ms": 3.0, "host": host, "family": Family.IPV4}
    return Resolution(**fields | {"addresses": addresses, "failure": failure} | more)


def connect(uri: str, address: str, failure: Failure | None = None, **more: Any) -> Connect:
    return Connect(t_ms=1.0, server=uri, destination=at(address), failure=failure, **more)


def certificate(*, days_left: float = 200.0, days_old: float = 165.0) -> Certificate:
    return Certificate(
        subject="turn.example.org",
        issuer="Example CA",
        names=("turn.example.org",),
        not_before=NOW - days_old * DAY,
        not_after=NOW + days_left * DAY,
    )


def handshake(uri: str, address: str, failure: Failure | None = None, **more: Any) -> TlsHandshake:
    fields: dict[str, Any] = {
        "t_ms": 2.0,
        "server": uri,
        "destination": at(address),
        "server_name": parse_server(uri.partition(VIA)[0]).host,
        "version": None if failure else "TLSv1.3",
        "certificate": certificate(),
        "failure": failure,
    }
    return TlsHandshake(**fields | more)


def tls_trial(uri: str, address: str, trial: Trial, failure: Failure | None = None, **more: Any) -> TlsTrial:
    fields: dict[str, Any] = {
        "t_ms": 4.0,
        "server": uri,
        "destination": at(address),
        "trial": trial,
        "version": None if failure else "TLSv1.2",
        "certificate": None if failure else certificate(),
        "named": None if failure else True,
        "failure": failure,
    }
    return TlsTrial(**fields | more)


def binding(uri: str, address: str, exchange: Exchange | None = None, **more: Any) -> Binding:
    here = HERE6 if at(address).family is Family.IPV6 else HERE
    seen = at(here if at(address).scope is Scope.LOOPBACK or here == HERE6 else PUBLIC)
    good = answered(address, xor_mapped=seen, mapped=seen)
    fields: dict[str, Any] = {
        "t_ms": 0.0,
        "server": uri,
        "purpose": "reach",
        "socket": "reach",
        "local": at(here),
        "destination": at(address),
        "exchange": exchange or good,
    }
    return Binding(**fields | more)


def spread_around(value: float) -> Spread:
    return Spread(min=value, mean=value, p50=value, p95=value, max=value)


def stream(way: Way = "round-trip", lost: int = 0, *, size: int = 172, sent: int = 500, **more: Any) -> PacketStream:
    """Return a stream of a good relay, 41 ms away, with so many packets lost."""
    trip, jitter = more.pop("trip", 41.0), more.pop("jitter", 1.0)
    told = way == "round-trip"
    return PacketStream(
        way=way,
        payload_bytes=size,
        interval_ms=20.0,
        sent=sent,
        received=sent - lost,
        lost_in_a_row=min(lost, 2),
        trip_ms=spread_around(trip) if told else None,
        jitter_ms=Jitter(final=jitter, mean=jitter, max=jitter) if told else None,
        **more,
    )


class Turn(msgspec.Struct, frozen=True):
    """The steps of a TURN session at one server; each is healthy unless its exchange is given."""

    uri: str = "turn:turn.example.org:3478"
    address: str = "198.51.100.30:3478"
    relayed: str = "198.51.100.30:49160"
    peer: str = "198.51.100.30:49199"
    transport: Transport = Transport.UDP

    def _common(self, **more: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {"t_ms": 5.0, "server": self.uri, "transport": self.transport}
        return fields | {"destination": at(self.address)} | more

    def target(self, **more: Any) -> Target:
        return target(self.uri, **more)

    def binding(self, exchange: Exchange | None = None) -> Binding:
        return binding(self.uri, self.address, exchange, transport=self.transport)

    def challenge(self, exchange: Exchange | None = None) -> Challenge:
        good = refused(self.address, 401, realm="example.org", nonce=True)
        return Challenge(exchange=exchange or good, **self._common())

    def allocation(self, exchange: Exchange | None = None, **more: Any) -> Allocation:
        good = answered(self.address, relayed=at(self.relayed), lifetime_s=600, integrity="valid")
        return Allocation(exchange=exchange or good, **self._common(**more))

    def trial(self, *wishes: Wish, exchange: Exchange | None = None, **granted: Any) -> AllocationTrial:
        """Return a question about capabilities, granted unless its exchange is given."""
        good = answered(self.address, **{"relayed": at(self.relayed), "lifetime_s": 600} | granted)
        return AllocationTrial(wishes=wishes, exchange=exchange or good, **self._common(allocation="c"))

    def peer_connection(self, step: ConnectionStep, exchange: Exchange | None = None) -> PeerConnection:
        """Return a step towards a relayed TCP connection."""
        done = exchange or answered(self.address)
        return PeerConnection(step=step, peer=at(self.peer), exchange=done, **self._common(allocation="c"))

    def stream(self, out: int = 1000, back: int = 1000) -> RelayedStream:
        """Return what came through a relayed TCP connection."""
        sent: dict[str, Any] = {"sent_bytes": 1000, "out_bytes": out, "back_bytes": back}
        return RelayedStream(peer=at(self.peer), attempt=True, **sent, **self._common(allocation="c"))

    def redirect(self, to: str, not_followed: WhyNot | None = None) -> tuple[Challenge, Redirect]:
        """Return a challenge that sends on, and what became of it."""
        asked = self.challenge(refused(self.address, 300, alternate_server=at(to)))
        return asked, Redirect(alternate=at(to), not_followed=not_followed, **self._common())

    def permission(self, exchange: Exchange | None = None, **more: Any) -> Permission:
        good = answered(self.address, integrity="valid")
        return Permission(exchange=exchange or good, **self._common(peer=at(self.peer)) | more)

    def data(self, path: str = "relay-to-relay", received: int = 5, **more: Any) -> RelayedData:
        fields: dict[str, Any] = {"method": "send", "receiver": "b", "peer": at(self.peer), "sent": 5}
        return RelayedData(**self._common(path=path, received=received, **fields | more))

    def flows(self, received: int = 5) -> tuple[RelayedData, ...]:
        """Return both directions, in both framings, between the two allocations."""
        return tuple(
            self.data(received=received, receiver=side, method=method)
            for side in ("a", "b")
            for method in ("send", "channel-data")
        )

    def quality(self, *streams: PacketStream, **more: Any) -> RelayQuality:
        fields: dict[str, Any] = {"planned_s": 10.0, "reference": Transport.TCP, "direct_sent": 40}
        fields |= {"direct_ms": (40.0,) * 40, "pacing_ms": spread_around(0.5)}
        return RelayQuality(**self._common(streams=streams, **fields | more))

    def throughput(self, *steps: RateStep, up_to_kbps: int = 1000) -> RelayThroughput:
        return RelayThroughput(**self._common(up_to_kbps=up_to_kbps, payload_bytes=1200, steps=steps))

    def soak(self, stop: DataStop | None = None, *upkeep: Upkeep, **more: Any) -> RelaySoak:
        fields: dict[str, Any] = {"planned_s": 660.0, "lasted_s": 660.0, "interval_ms": 500.0, "lifetime_s": 600}
        fields |= {"sent": 2640, "received": 2640, "upkeep": upkeep, "stop": stop}
        return RelaySoak(**self._common(**fields | more))

    def refresh(self, exchange: Exchange | None = None, lifetime_s: int = 600) -> Refresh:
        good = answered(self.address, lifetime_s=lifetime_s, integrity="valid")
        return Refresh(exchange=exchange or good, lifetime_s=lifetime_s, **self._common())

    def up_to(self, step: str) -> tuple[Observation, ...]:
        """Return the healthy session up to a step: challenge, allocate, permission, data, or its end."""
        way: tuple[Observation, ...] = ()
        if self.transport is not Transport.UDP:
            way += (connect(self.uri, self.address),)
        if self.transport is Transport.TLS:
            way += (handshake(self.uri, self.address),)
        stages: tuple[tuple[str, tuple[Observation, ...]], ...] = (
            ("challenge", (self.target(), *way, self.binding())),
            ("allocate", (self.challenge(),)),
            ("permission", (self.allocation(), self.allocation(allocation="b"))),
            ("data", (self.permission(), self.permission(allocation="b"))),
            ("end", (*self.flows(), self.refresh(), self.refresh(lifetime_s=0))),
        )
        names = [name for name, _ in stages]
        return tuple(item for _, items in stages[: names.index(step) + 1] for item in items)


_ADDRESSES = st.sampled_from(
    [
        "198.51.100.10:3478",
        "198.51.100.10:5349",
        "198.51.100.20:3478",
        "203.0.113.7:50123",
        "203.0.113.7:0",
        "10.0.0.5:49160",
        "100.64.3.4:49160",
        "169.254.1.1:9",
        "127.0.0.1:3478",
        "0.0.0.0:49160",
        "224.0.0.1:5000",
        "240.0.0.1:5000",
        "[2001:db8::10]:3478",
        "[fe80::1]:3478",
        "[::1]:3478",
    ]
).map(at)
_URIS = st.sampled_from(
    [
        "stun:stun.example.org:3478",
        "stun:198.51.100.20:3478",
        "stun:stun.example.org?transport=udp",
        "turn:turn.example.org:3478",
        "turn:turn.example.org:3478?transport=tcp",
        "turns:turn.example.org:5349?transport=tcp",
        "turns:198.51.100.10:5349",
        "turns:turn.example.org:5349?transport=udp",
        "stun:127.0.0.1:3478",
    ]
)
_HOSTS = st.sampled_from(["stun.example.org", "turn.example.org", "nas.local", "control.example"])
_FAILURES = st.none() | st.sampled_from(Failure)
_TIMES = st.floats(allow_nan=False, allow_infinity=False)
_WORDS = st.sampled_from(["", "x" * 300, "<script>\x1b[31m[red]\n\x00", "{subject} {0} %s"])
_TEXTS = st.none() | st.sampled_from(["", "x" * 300, "<script>\x1b[31m[red]\n\x00", "{subject} {0} %s"])
_TRANSPORTS = st.sampled_from(Transport)
_FAMILIES = st.sampled_from(Family)
_CHECKS = st.sampled_from(["valid", "invalid", "absent", "unchecked"])
_CODES = st.none() | st.sampled_from([300, 400, 401, 403, 420, 437, 438, 440, 441, 442, 443, 486, 500, 508, 0, 699])
_CANDIDATES = st.builds(
    lambda kind, at, base: f"candidate:1 1 udp 1 {at.host} {at.port} typ {kind} raddr {base.host} rport {base.port}",
    st.sampled_from(["host", "srflx", "relay"]),
    _ADDRESSES,
    _ADDRESSES,
)

answers = st.builds(
    Answer,
    t_ms=_TIMES,
    source=st.none() | _ADDRESSES,
    expected_source=st.booleans(),
    late=st.booleans(),
    size_bytes=st.integers(0, 70000),
    success=st.booleans(),
    mapped=st.none() | _ADDRESSES,
    xor_mapped=st.none() | _ADDRESSES,
    other_address=st.none() | _ADDRESSES,
    relayed=st.none() | _ADDRESSES,
    alternate_server=st.none() | _ADDRESSES,
    lifetime_s=st.none() | st.integers(0, 2**32),
    software=_TEXTS,
    realm=_TEXTS,
    nonce=st.booleans(),
    error_code=_CODES,
    reason=_TEXTS,
    unknown_attributes=st.lists(st.integers(0, 65535), max_size=8).map(tuple),
    fingerprint=_CHECKS,
    integrity=_CHECKS,
    problems=st.lists(_TEXTS.filter(bool), max_size=2).map(tuple),
    more_attributes=st.lists(_TEXTS.filter(bool), max_size=2).map(tuple),
)
strays = st.builds(
    Stray,
    t_ms=_TIMES,
    source=st.none() | _ADDRESSES,
    size_bytes=st.integers(0, 70000),
    why=st.sampled_from(["not-stun", "wrong-transaction-id", "wrong-class", "wrong-method", "duplicate"]),
)
exchanges = st.builds(
    Exchange,
    sent_ms=st.lists(_TIMES, max_size=3).map(tuple),
    answers=st.lists(answers, max_size=2).map(tuple),
    strays=st.lists(strays, max_size=2).map(tuple),
    stray_count=st.sampled_from([0, 1, 500]),
    failure=_FAILURES,
    rtt_ms=st.none() | _TIMES,
    refused_by=st.none() | st.sampled_from(["192.168.1.1", "198.51.100.10", "2001:db8::1", "no address"]),
)
_SENT = st.lists(_TIMES, max_size=7).map(tuple)
hairpin_ends = st.builds(
    HairpinEnd,
    local=st.none() | _ADDRESSES,
    before=exchanges,
    after=st.none() | exchanges,
    sent_ms=_SENT,
    received=st.integers(0, 3),
    sources=st.lists(_ADDRESSES, max_size=2).map(tuple),
)
inwards = st.builds(
    Inward,
    port=st.integers(0, 65535),
    exchange=st.builds(Exchange, sent_ms=_SENT, failure=_FAILURES),
    arrived_ms=_SENT,
)
upkeeps = st.builds(
    Upkeep,
    what=st.sampled_from(get_args(Kept)),
    done=st.integers(-1, 5),
    fresh_nonces=st.integers(0, 2),
    failed=st.integers(-1, 2),
    error_code=_CODES,
    failure=_FAILURES,
    failed_after_s=st.none() | _TIMES,
)
stops = st.builds(
    DataStop,
    after_s=_TIMES,
    receiver=st.sampled_from(["a", "b"]),
    mapping_changed=st.none() | st.booleans(),
    refresh_code=_CODES,
    refresh_failure=_FAILURES,
    resumed_after=st.sampled_from(["permission", "channel", "nothing"]),
)
spreads = st.builds(Spread, min=_TIMES, mean=_TIMES, p50=_TIMES, p95=_TIMES, max=_TIMES)
streams = st.builds(
    PacketStream,
    way=st.sampled_from(get_args(Way)),
    payload_bytes=st.sampled_from([172, 1200]),
    interval_ms=_TIMES,
    sent=st.integers(-1, 200),
    received=st.integers(-1, 300),
    lost_in_a_row=st.integers(0, 5),
    late=st.integers(0, 5),
    trip_ms=st.none() | spreads,
    jitter_ms=st.none() | st.builds(Jitter, final=_TIMES, mean=_TIMES, max=_TIMES),
)
_BASE: dict[str, Any] = {"t_ms": _TIMES, "duration_ms": st.none() | _TIMES}
_TYPES = st.sampled_from(["host", "srflx", "prflx", "relay"])
_PAIR: dict[str, Any] = {"local": _ADDRESSES, "local_type": _TYPES, "remote": _ADDRESSES, "remote_type": _TYPES}
_STEP: dict[str, Any] = {
    **_BASE,
    "server": _URIS,
    "transport": _TRANSPORTS,
    "destination": _ADDRESSES,
    "local": st.none() | _ADDRESSES,
    "allocation": st.sampled_from(["a", "b"]),
}
certificates = st.builds(
    Certificate,
    subject=st.just("x"),
    issuer=st.just("y"),
    names=st.just(("z",)),
    not_before=_TIMES,
    not_after=_TIMES,
)
targets = st.builds(
    msgspec.structs.replace,
    (_URIS | _URIS.map(lambda uri: f"{uri} via {PROXY}")).map(target),
    credential=st.none()
    | st.builds(CredentialShape, form=st.sampled_from(["static", "time-limited"]), expires_at=st.none() | _TIMES),
    origin=st.sampled_from(["user", "default"]),
)
config_lines = st.builds(
    ConfigLine,
    number=st.integers(1, 9),
    option=st.sampled_from(["user", "external-ip", "denied-peer-ip", "no-auth", "max-port", "(unknown)", "realmm"]),
    value=st.none() | st.sampled_from(["10.0.0.0-10.255.255.255", "10.0.0.0/8", "0", "<b>", "x" * 200]),
    secret=st.none() | st.builds(SecretShape, length=st.integers(0, 99), weak=st.none() | st.just("well-known")),
)
observations: st.SearchStrategy[Observation] = st.one_of(
    targets,
    st.builds(
        Resolution,
        **_BASE,
        host=_HOSTS,
        family=_FAMILIES,
        addresses=st.lists(st.sampled_from(["198.51.100.10", "10.1.2.3", "0.0.0.0", "no address"]), max_size=2).map(
            tuple
        ),
        failure=_FAILURES,
    ),
    st.builds(
        WebCheck,
        **_BASE,
        url=st.sampled_from(["http://check.example/204", "http://control.example/", "no url://["]),
        expected_status=st.sampled_from([200, 204]),
        destination=_ADDRESSES,
        local=st.none() | _ADDRESSES,
        status=st.none() | st.sampled_from([100, 200, 204, 302, 407, 511, 999]),
        redirect_host=st.none() | st.sampled_from(["", "wifi.example.net", "check.example"]),
        content=st.sampled_from(["none", "expected", "other"]),
        failure=_FAILURES,
    ),
    st.builds(
        Connect,
        **_BASE,
        server=_URIS | _HOSTS,
        purpose=st.sampled_from(["server", "control"]),
        destination=_ADDRESSES,
        failure=_FAILURES,
    ),
    st.builds(
        IceService,
        **_BASE,
        url=st.just("https://ice.example"),
        token=st.booleans(),
        proxy=st.none() | st.just(PROXY),
        outcome=st.sampled_from(get_args(ServiceOutcome)),
        status=st.none() | st.sampled_from([200, 401, 500]),
        problem=_TEXTS,
        failure=_FAILURES,
        detail=_TEXTS,
    ),
    st.builds(
        ClockReading,
        **_BASE,
        host=_HOSTS,
        role=st.sampled_from(["service", "server", "control"]),
        offset_s=st.none() | st.sampled_from([0.4, -29.0, 31.0, -7200.0, 7200.0]) | _TIMES,
        failure=_FAILURES,
    ),
    st.builds(
        ProxyTunnel,
        **_BASE,
        server=_URIS.map(lambda uri: f"{uri} via {PROXY}"),
        proxy=st.just(PROXY),
        target=st.just("turn.example.org:443"),
        destination=st.none() | _ADDRESSES,
        step=st.sampled_from(["name", "connect", "tls", "request"]),
        login=st.booleans(),
        status=st.none() | st.sampled_from([200, 302, 403, 407, 502]),
        schemes=st.sampled_from([(), ("Basic",), ("NTLM", "Negotiate")]),
        failure=_FAILURES,
    ),
    st.builds(
        TlsHandshake,
        **_BASE,
        server=_URIS,
        transport=st.sampled_from([Transport.TLS, Transport.DTLS]),
        destination=_ADDRESSES,
        server_name=st.none() | _HOSTS,
        version=st.none() | st.sampled_from(["TLSv1.3", "TLSv1"]),
        certificate=st.none() | certificates,
        failure=_FAILURES,
        detail=_TEXTS,
    ),
    st.builds(
        TlsTrial,
        **_BASE,
        server=_URIS,
        destination=_ADDRESSES,
        trial=st.sampled_from(get_args(Trial)),
        version=st.none() | st.sampled_from(["TLSv1.3", "TLSv1"]),
        alpn=st.none() | st.just("stun.turn"),
        certificate=st.none() | certificates,
        named=st.none() | st.booleans(),
        failure=_FAILURES,
        detail=_TEXTS,
    ),
    st.builds(
        Binding,
        **_BASE,
        server=_URIS,
        purpose=st.sampled_from(["reach", "mapping", "filtering", "control"]),
        socket=st.sampled_from(["reach", "m1", "fa"]),
        transport=_TRANSPORTS,
        local=st.none() | _ADDRESSES,
        destination=_ADDRESSES,
        role=st.sampled_from(["primary", "alternate-address", "alternate-port", "alternate-address-and-port"]),
        change=st.sampled_from(["none", "address-and-port", "port"]),
        exchange=exchanges,
    ),
    st.builds(Challenge, **_STEP, exchange=exchanges),
    st.builds(Allocation, **_STEP, family=_FAMILIES, attempts=st.integers(1, 2), exchange=exchanges),
    st.builds(
        AllocationTrial,
        **_STEP,
        wishes=st.lists(st.sampled_from(get_args(Wish)), min_size=1, max_size=3, unique=True).map(tuple),
        exchange=exchanges,
    ),
    st.builds(
        PeerConnection,
        **_STEP,
        step=st.sampled_from(get_args(ConnectionStep)),
        peer=_ADDRESSES,
        exchange=exchanges,
    ),
    st.builds(
        RelayedStream,
        **_STEP,
        peer=_ADDRESSES,
        attempt=st.booleans(),
        sent_bytes=st.just(1000),
        out_bytes=st.integers(0, 1000),
        back_bytes=st.integers(0, 1000),
    ),
    st.builds(
        Redirect,
        **_STEP,
        alternate=st.none() | _ADDRESSES,
        not_followed=st.none() | st.sampled_from(get_args(WhyNot)),
    ),
    st.builds(Permission, **_STEP, peer=_ADDRESSES, channel=st.none() | st.just(0x4000), exchange=exchanges),
    st.builds(
        RelayedData,
        **_STEP,
        path=st.sampled_from(["relay-to-relay", "relay-to-mapped", "mapped-to-relay"]),
        method=st.sampled_from(["send", "channel-data", "plain"]),
        receiver=st.sampled_from(["a", "b", "peer"]),
        peer=_ADDRESSES,
        sent=st.integers(0, 5),
        received=st.integers(0, 6),
        expected_source=st.none() | _ADDRESSES,
        sources=st.lists(_ADDRESSES, max_size=2).map(tuple),
    ),
    st.builds(Refresh, **_STEP, lifetime_s=st.sampled_from([0, 600]), exchange=exchanges),
    st.builds(
        IceMeeting,
        **_BASE,
        server=_URIS,
        transport=_TRANSPORTS,
        destination=_ADDRESSES,
        outcome=st.sampled_from(["no-relay", "not-connected", "no-data", "connected"]),
        relayed=st.lists(_ADDRESSES, max_size=3).map(tuple),
        connecting_ms=st.none() | _TIMES,
        failure=_FAILURES,
        detail=_TEXTS,
        released=st.booleans(),
    ),
    st.builds(
        PeerSession,
        **_BASE,
        session=_WORDS,
        role=st.sampled_from(["offerer", "answerer"]),
        signaling=st.sampled_from(["copied-text", "sse", "websocket", "browser"]),
        trickle=st.booleans(),
        stop=st.sampled_from(["done", "no-path", "no-peer", "expired", "interrupted"]),
        detail=_WORDS,
        policies=st.lists(
            st.builds(
                PolicyOutcome,
                policy=st.sampled_from(["all", "direct", "relay"]),
                outcome=st.sampled_from(["connected", "no-pair-answered", "no-pairs", "ended-early"]),
                nominated_ms=st.none() | _TIMES,
            ),
            max_size=3,
        ).map(tuple),
        remote_candidates=st.lists(_WORDS | _CANDIDATES, max_size=3).map(tuple),
        refused_candidates=st.integers(0, 2),
        address_changed=st.booleans(),
        released=st.booleans(),
    ),
    st.builds(
        CheckedPair,
        **_BASE,
        **_PAIR,
        state=st.sampled_from(["waiting", "in-progress", "succeeded", "failed"]),
        checks=st.integers(0, 9),
        requests=st.integers(0, 9),
        answered=st.integers(0, 2),
        rtt_ms=st.none() | _TIMES,
        heard=st.integers(0, 9),
        mapped=st.none() | _ADDRESSES,
        remote_base_relayed=st.booleans(),
    ),
    st.builds(
        LearnedCandidate,
        **_BASE,
        whose=st.sampled_from(["own", "remote"]),
        address=_ADDRESSES,
        told=st.none() | _ADDRESSES,
        local=_ADDRESSES,
    ),
    st.builds(
        PeerStream,
        **_BASE,
        local=_ADDRESSES,
        remote=_ADDRESSES,
        policy=st.sampled_from(["all", "direct", "relay"]),
        inward=streams,
        round_trips=st.integers(0, 9),
    ),
    st.builds(
        RelayQuality,
        **_STEP,
        planned_s=_TIMES,
        streams=st.lists(streams, max_size=4).map(tuple),
        reference=st.none() | _TRANSPORTS,
        round_trip_only=st.sampled_from(["", "over TCP nothing gets lost on the way"]),
        direct_ms=_SENT,
        direct_sent=st.integers(-1, 200),
        pacing_ms=st.none() | spreads,
    ),
    st.builds(
        RelaySoak,
        **_STEP,
        planned_s=_TIMES,
        lasted_s=_TIMES,
        interval_ms=_TIMES,
        lifetime_s=st.none() | st.integers(-1, 3600),
        sent=st.integers(-1, 99),
        received=st.integers(-1, 99),
        longest_gap_s=_TIMES,
        upkeep=st.lists(upkeeps, max_size=3).map(tuple),
        stop=st.none() | stops,
    ),
    st.builds(
        RelayThroughput,
        **_STEP,
        up_to_kbps=st.integers(-1, 10_000),
        payload_bytes=st.just(1200),
        steps=st.lists(
            st.builds(
                RateStep,
                offered_kbps=_TIMES,
                carried_kbps=_TIMES,
                sent=st.integers(-1, 200),
                received=st.integers(-1, 300),
                trip_ms=st.none() | spreads,
            ),
            max_size=4,
        ).map(tuple),
    ),
    st.builds(
        Candidate,
        **_BASE,
        type=st.sampled_from(["host", "srflx", "relay"]),
        address=_ADDRESSES,
        priority=st.integers(0, 2**31),
        foundation=st.just("1"),
        interface=st.none() | st.sampled_from(["eth0", "wg0"]),
        sdp=st.just(""),
    ),
    st.builds(
        VantagePoint,
        **_BASE,
        server=_URIS,
        transport=_TRANSPORTS,
        destination=_ADDRESSES,
        relayed=st.none() | _ADDRESSES,
        outcome=st.sampled_from(get_args(VantageOutcome)),
        error_code=st.none() | st.just(486),
        failure=_FAILURES,
    ),
    st.builds(
        VantageOpening,
        **_BASE,
        server=_URIS,
        relayed=_ADDRESSES,
        socket=st.sampled_from(["ta3", "ta4"]),
        local=st.none() | _ADDRESSES,
        sent_ms=st.lists(_TIMES, max_size=3).map(tuple),
        seen_ms=st.none() | _TIMES,
        mapped=st.none() | _ADDRESSES,
    ),
    st.builds(
        VantageKnock,
        **_BASE,
        server=_URIS,
        transport=_TRANSPORTS,
        relayed=_ADDRESSES,
        socket=st.sampled_from(["ta1", "ta3", "ta4"]),
        local=st.none() | _ADDRESSES,
        peer=_ADDRESSES,
        sent_ms=st.lists(_TIMES, max_size=3).map(tuple),
        arrivals=st.lists(
            st.builds(KnockArrival, number=st.integers(-1, 4), t_ms=_TIMES, source=_ADDRESSES), max_size=4
        ).map(tuple),
    ),
    st.builds(
        VantageBinding,
        **_BASE,
        server=_URIS,
        destination=_ADDRESSES,
        via=_URIS,
        relayed=_ADDRESSES,
        sent_ms=st.lists(_TIMES, max_size=3).map(tuple),
        told=st.none() | _ADDRESSES,
    ),
    st.builds(Gathering, **_BASE, server=st.none() | _URIS, candidates=st.integers(0, 2), failure=_FAILURES),
    st.builds(Hairpin, **_BASE, server=_URIS, destination=_ADDRESSES, ends=st.tuples(hairpin_ends, hairpin_ends)),
    st.builds(
        IdleMapping,
        **_BASE,
        server=_URIS,
        destination=_ADDRESSES,
        local=st.none() | _ADDRESSES,
        idle_s=st.sampled_from([0.0, 16.0, 178.0]),
        before=st.lists(exchanges, max_size=2).map(tuple),
        aged=st.none() | inwards,
        fresh=st.none() | inwards,
        fresh_before=st.none() | exchanges,
        after=st.none() | exchanges,
    ),
    st.builds(
        SizedBinding,
        **_BASE,
        server=_URIS,
        destination=_ADDRESSES,
        local=st.none() | _ADDRESSES,
        test=st.sampled_from(get_args(SizeTest)),
        packet_bytes=st.sampled_from([84, 1200, 1500, 1700]),
        exchange=exchanges,
    ),
    st.builds(AuditScope, **_BASE, server=_URIS, has_credentials=st.booleans(), has_secret=st.booleans()),
    st.builds(
        AuditPermission,
        **_STEP,
        relay=_FAMILIES,
        peer=_ADDRESSES,
        channel=st.none() | st.just(0x4000),
        exchange=exchanges,
    ),
    st.builds(AuditAllocation, **_STEP, question=st.sampled_from(get_args(AllocationQuestion)), exchange=exchanges),
    st.builds(
        AuditSize,
        **_BASE,
        server=_URIS,
        destination=_ADDRESSES,
        request=st.sampled_from(["Binding", "Allocate"]),
        request_bytes=st.integers(1, 100),
        answer_bytes=st.integers(0, 70000),
    ),
    st.builds(
        AuditNonce,
        **_BASE,
        server=_URIS,
        destination=_ADDRESSES,
        sizes_bytes=st.just((16, 16)),
        repeated=st.booleans(),
    ),
    st.builds(
        AuditTls,
        **_BASE,
        server=_URIS,
        destination=_ADDRESSES,
        version=st.sampled_from(get_args(TlsVersion)),
        outcome=st.sampled_from(["accepted", "refused", "not-spoken", "failed", "not-offered"]),
        failure=_FAILURES,
    ),
    st.builds(
        TurnConfig,
        **_BASE,
        name=st.just("turnserver.conf"),
        version=st.sampled_from([None, "4.6.1", "4.17.0", "next"]),
        lines=st.lists(config_lines, max_size=4).map(tuple),
    ),
    st.builds(Skipped, **_BASE, what=st.just("hairpinning"), why=st.just("opt-in")),
    st.builds(Crash, **_BASE, probe=st.just("turn-server"), error=st.just("KeyError"), where=st.just("a.py:1")),
)
environments = st.builds(
    Environment,
    interfaces=st.just(
        (
            Interface(name="eth0", role="ethernet", addresses=("203.0.113.7",)),
            Interface(name="wg0", role="vpn", addresses=("10.0.0.5",)),
        )
    ),
    default_route=st.none() | st.just("eth0"),
    vpn=st.booleans(),
    container=st.booleans(),
    ipv4=st.booleans(),
    ipv6=st.booleans(),
    proxies=st.sampled_from([(), ("HTTPS_PROXY",)]),
    clock_offset_s=st.none() | _TIMES,
)


def _numbered(items: list[Observation]) -> tuple[Observation, ...]:
    return tuple(msgspec.structs.replace(item, id=f"obs-{number}") for number, item in enumerate(items, 1))


evidences = st.builds(
    Evidence,
    started_at_s=_TIMES,
    environment=environments,
    observations=st.lists(observations, max_size=12).map(_numbered),
)
"""Arbitrary evidence out of few servers and addresses, so that observations are about the same thing."""
