"""Reports as healthy and broken networks give them."""

import msgspec

from rtcdiag.evidence import Environment, Failure
from rtcdiag.nat import Nat
from rtcdiag.report import Change, Nats, NotTested, Options, Report, Verdict
from rtcdiag.targets import Transport
from support import findings as known
from support.observations import (
    PUBLIC,
    at,
    binding,
    candidate,
    connect,
    gathering,
    handshake,
    mapped,
    refused,
    resolution,
    silent,
    target,
    turn_steps,
)
from support.report_parts import (
    AT,
    STUN,
    TURN,
    TURN_AT,
    TURNS,
    TURNS_AT,
    chain,
    nat,
    reach,
    report,
    stages,
    stun_row,
    turn_row,
)

ROLES = ("primary", "alternate-address", "alternate-address-and-port")


def healthy() -> Report:
    """A home router with endpoint-independent mapping, three STUN servers that answer, a TURN server that works."""
    asked = tuple(target(uri) for uri in STUN)
    bindings = tuple(mapped(uri, AT[n], 50123, 5.0 + n, 19.0 + 6 * n) for n, uri in enumerate(STUN))
    other_port = at("198.51.100.10:3479")
    silent_change = binding(
        STUN[0], AT[0], silent(50.0), 50.0, change="port", answer_from=other_port, purpose="filtering", socket="f4"
    )
    gathered = (
        candidate("host", "192.168.1.4:50200", 2130706431, browser_without_permission="mdns", t_ms=1.2),
        candidate("host", "172.17.0.1:50201", 2130706175, browser_without_permission="hidden", t_ms=1.3),
        candidate("srflx", f"{PUBLIC}:50200", 1694498815, related=at("192.168.1.4:50200"), server=STUN[0]),
        candidate(
            "relay", "198.51.100.20:49152", 16777215, related=at(f"{PUBLIC}:50300"), server=TURN, relay_protocol="udp"
        ),
    )
    return report(
        "report",
        Verdict(
            status="healthy",
            direct_p2p="depends-on-peer",
            by_family={"ipv4": "depends-on-peer", "ipv6": "not-tested"},
            confidence="high",
            summary="One public port for all destinations (3 of 3 servers agree); the rest is filtered.",
            would_change_if=(
                Change(
                    side="here", change="the router lets in what comes from any port of a known address", then="likely"
                ),
            ),
        ),
        (
            *asked,
            resolution("stun.example.org", "198.51.100.10"),
            *bindings,
            silent_change,
            *turn_steps(TURN, TURN_AT, Transport.UDP, "198.51.100.20:49152"),
            gathering(STUN[0], 1),
            gathering(TURN, 1),
            *gathered,
        ),
        nat=nat("endpoint-independent", "address-and-port-dependent", 50123, port_preservation=True),
        reach=reach("yyyynyn"),
        servers=(*(stun_row(n, 19 + 6 * n) for n in range(3)), turn_row("ok")),
        not_tested=(
            NotTested(what="hairpinning", why="opt-in: --hairpin"),
            NotTested(what="IPv6", why="this computer has no route to the IPv6 internet"),
        ),
    )


def symmetric() -> Report:
    ports = (61001, 61002, 61003)
    return report(
        "nat-type",
        Verdict(
            status="healthy",
            direct_p2p="depends-on-peer",
            by_family={"ipv4": "depends-on-peer", "ipv6": "inconclusive"},
            confidence="high",
            summary="Every destination sees another port of this network (3 of 3 servers).",
            because=("nat-address-and-port-dependent-mapping",),
        ),
        (
            target(STUN[0]),
            resolution("stun.example.org", "198.51.100.10"),
            *(
                mapped(STUN[0], AT[0], port, 5.0 + 30 * n, role=role)
                for n, (port, role) in enumerate(zip(ports, ROLES, strict=True))
            ),
        ),
        nat=nat(
            "address-and-port-dependent", "address-and-port-dependent", *ports, port_preservation=False, port_delta=1
        ),
        reach=reach("yyynnnn"),
        servers=(stun_row(0),),
        findings=(known.SYMMETRIC,),
        not_tested=(NotTested(what="IPv6 mapping", why="no server answered over IPv6"),),
    )


def udp_blocked() -> Report:
    """Silence over UDP with a control over TCP, and TURN over TLS that works."""
    return report(
        "report",
        Verdict(
            status="degraded",
            direct_p2p="relay-needed",
            by_family={"ipv4": "relay-needed"},
            confidence="high",
            summary="UDP does not leave this network; the relay works over TLS on port 443.",
            because=("udp-blocked",),
            would_change_if=(Change(side="here", change="the firewall lets UDP out", then="depends-on-peer"),),
        ),
        (
            target(STUN[0]),
            target(TURNS),
            binding(STUN[0], AT[0], silent(5.0), 5.0, purpose="reach"),
            binding(TURN, TURN_AT, silent(5.0), 5.0, purpose="reach", socket="r4"),
            connect(TURNS, TURNS_AT),
            handshake(TURNS, TURNS_AT),
            *turn_steps(TURNS, TURNS_AT, Transport.TLS, "198.51.100.20:49160"),
        ),
        nat=Nats(ipv4=Nat(undetermined={"mapping": "no answer over UDP", "filtering": "no answer over UDP"})),
        reach=reach("nnnnnnn"),
        servers=(
            chain(
                STUN[0],
                AT[0],
                "udp",
                stages(("dns", "binding"), "binding", "udp-blocked"),
                rtt_ms=[],
                sent=5,
                answered=0,
            ),
            turn_row("blocked"),
            turn_row("tls"),
        ),
        findings=(known.UDP_BLOCKED,),
        options=Options(targets=(STUN[0], TURN, TURNS)),
    )


def wrong_password() -> Report:
    refusal = refused(92.0, TURN_AT, 401, "Unauthorized", realm="example.org", nonce=True)
    steps = turn_steps(TURN, TURN_AT, Transport.UDP, "198.51.100.20:49152")
    return report(
        "check-turn",
        Verdict(
            status="broken",
            direct_p2p="not-tested",
            confidence="high",
            summary="turn.example.com asks for credentials and refuses these.",
            because=("turn-credentials-rejected",),
        ),
        (
            target(TURN),
            resolution("turn.example.com", "198.51.100.20"),
            steps[0],
            msgspec.structs.replace(steps[1], exchange=refusal),
        ),
        servers=(turn_row("credentials"),),
        findings=(known.WRONG_CREDENTIALS,),
        options=Options(targets=(TURN,)),
    )


def expired_certificate() -> Report:
    failure = Failure.TLS_CERTIFICATE_EXPIRED
    return report(
        "check-turn",
        Verdict(
            status="broken",
            direct_p2p="not-tested",
            confidence="high",
            summary="turns:turn.example.com:443 shows a certificate that expired 432 days ago.",
            because=("tls-certificate-expired",),
        ),
        (
            target(TURNS),
            resolution("turn.example.com", "198.51.100.20"),
            connect(TURNS, TURNS_AT),
            handshake(TURNS, TURNS_AT, failure=failure, detail="certificate has expired"),
        ),
        servers=(turn_row("expired"),),
        findings=(known.CERTIFICATE_EXPIRED,),
        options=Options(targets=(TURNS,)),
    )


def check_stun() -> Report:
    """Three servers over UDP and TCP, one of which is silent."""
    tcp = chain(
        STUN[0],
        AT[0],
        "tcp",
        stages(("dns", "connect", "binding")),
        rtt_ms=[20.1],
        rtt_median_ms=20.1,
        sent=1,
        answered=1,
    )
    down = chain(STUN[2], AT[2], "udp", stages(("dns", "binding"), "binding", "stun-no-answer"))
    return report(
        "check-stun",
        Verdict(status="degraded", direct_p2p="not-tested", confidence="medium", summary="2 of 3 servers answer."),
        tuple(mapped(uri, AT[n], 50123, purpose="reach") for n, uri in enumerate(STUN[:2])),
        servers=(stun_row(0), tcp, stun_row(1, 27.0), down),
    )


def candidates() -> Report:
    return msgspec.structs.replace(
        healthy(),
        command="candidates",
        verdict=Verdict(
            status="healthy",
            direct_p2p="not-tested",
            confidence="high",
            summary="Host, server-reflexive and relayed candidates.",
        ),
        nat=Nats(),
        reach=(),
        servers=(),
    )


def inconclusive() -> Report:
    """Nothing but a computer without a network."""
    return report(
        "report",
        Verdict(
            status="inconclusive",
            direct_p2p="inconclusive",
            confidence="low",
            summary="No network: this computer has no route to the internet.",
            because=("no-network",),
        ),
        environment=Environment(os="Linux 6.1", python="3.11.2"),
        findings=(known.NO_NETWORK,),
        options=Options(),
    )
