"""The network as a whole, this computer, and the way to one server."""

from typing import Any

from rtcdiag.address import Family
from rtcdiag.evidence import Binding, Candidate, Crash, Failure, Gathering, Interface, Observation, Skipped, Stray
from rtcdiag.targets import Transport
from support.cases import case
from support.evidence import (
    PUBLIC,
    Turn,
    answer,
    answered,
    at,
    binding,
    connect,
    failed,
    handshake,
    resolution,
    run,
    target,
)

A, A4, A6 = "stun:stun.example.org:3478", "198.51.100.10:3478", "[2001:db8::10]:3478"
B, B4 = "stun:stun.example.net:3478", "198.51.100.20:3478"
BX, BX4 = "stun:stun.example.net:5349", "198.51.100.20:5349"
"""The same server at another port."""
C, C4 = "stun:stun.example.com:3478", "198.51.100.40:3478"
T, T4 = "turn:turn.example.org:3478?transport=tcp", "198.51.100.30:3478"
CONTROL = connect("control.example", "198.51.100.99:443", purpose="control")
CONTROL_SILENT = connect("control.example", "198.51.100.99:443", Failure.TIMEOUT, purpose="control")
TURN = Turn()
TLS = Turn(uri="turns:turn.example.org:443?transport=tcp", address="198.51.100.30:443", transport=Transport.TLS)


def silent(uri: str, address: str, failure: Failure = Failure.TIMEOUT, **more: Any) -> Binding:
    return binding(uri, address, failed(failure), **more)


def tcp(uri: str, address: str, failure: Failure | None = None, **more: Any) -> tuple[Observation, ...]:
    """Return the TCP control beside a UDP server."""
    reached = () if failure else (binding(uri, address, transport=Transport.TCP, purpose="control", **more),)
    return (connect(uri, address, failure, purpose="control"), *reached)


SILENT_TWICE = (silent(A, A4), silent("stun:stun.example.org:3479", "198.51.100.10:3479"))


def candidate(address: str, interface: str, **more: Any) -> Candidate:
    fields: dict[str, Any] = {"t_ms": 1.0, "type": "host", "priority": 1, "foundation": "1", "sdp": ""}
    return Candidate(address=at(address), interface=interface, **fields | more)


CASES = {
    "a server that answers over UDP and TCP leaves nothing to say": case(run(target(A), binding(A, A4), *tcp(A, A4))),
    # --- the network as a whole
    "without a route everything fails at once": case(
        run(
            target(A),
            target("stun:198.51.100.20:3478"),
            resolution("stun.example.org", failure=Failure.DNS_FAILURE),
            silent("stun:198.51.100.20:3478", B4, Failure.NETWORK_UNREACHABLE),
            ipv4=False,
        ),
        "no-network",
    ),
    "without a route and with names only, the names are not to blame": case(
        run(target(A), resolution("stun.example.org", failure=Failure.DNS_TIMEOUT), ipv4=False), "no-network"
    ),
    "a router says that the network is unreachable: there is a route as far as that": case(
        run(target(A), silent(A, A4, Failure.NETWORK_UNREACHABLE)), "server-unreachable"
    ),
    "names get no answer, and there is a route": case(
        run(target(A), target(B), *(resolution(h, failure=Failure.DNS_TIMEOUT) for h in (A[5:21], B[5:21]))),
        "dns-fails",
    ),
    "names get no answer, and controls by address are silent too: no server was asked": case(
        run(
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_TIMEOUT),
            CONTROL_SILENT,
            connect("control.example.net", "198.51.100.98:443", Failure.TIMEOUT, purpose="control"),
        ),
        "dns-fails",
    ),
    "names get no answer, and a router says of the control that its network is unreachable": case(
        run(
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_FAILURE),
            connect("control.example", "198.51.100.99:443", Failure.NETWORK_UNREACHABLE, purpose="control"),
        ),
        "dns-fails",
    ),
    "a name gets no answer, and of a documented one DNS says that it does not exist": case(
        run(
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_TIMEOUT),
            resolution("control.example", failure=Failure.DNS_NOT_FOUND),
        ),
        "dns-fails",
    ),
    "none of the documented names exists: it is not they that are wrong": case(
        run(
            *(target(uri, origin="default") for uri in (A, B)),
            *(resolution(uri[5:-5], failure=Failure.DNS_NOT_FOUND) for uri in (A, B)),
        ),
        "dns-fails",
    ),
    "a name server of a closed network, which lacks a name that everybody knows, still knows its own": case(
        run(
            target(A),
            *(resolution(host, failure=Failure.DNS_NOT_FOUND) for host in (A[5:-5], "ipv4only.arpa")),
        ),
        "dns-name-not-found",
    ),
    "a name that the user wrote does not exist, and one that everybody knows does": case(
        run(target(A), resolution(A[5:-5], failure=Failure.DNS_NOT_FOUND), resolution("ipv4only.arpa", "192.0.0.170")),
        "dns-name-not-found",
    ),
    "none of the names that the user wrote exists": case(
        run(target(A), target(B), *(resolution(uri[5:-5], failure=Failure.DNS_NOT_FOUND) for uri in (A, B))),
        "dns-name-not-found",
    ),
    "only a control's name does not exist: no server needs it": case(
        run(
            target("stun:198.51.100.20:3478"),
            binding("stun:198.51.100.20:3478", B4),
            resolution("control.example", failure=Failure.DNS_NOT_FOUND),
        )
    ),
    "only a control's name gets no answer, and the server by its address neither": case(
        run(
            target("stun:198.51.100.20:3478"),
            silent("stun:198.51.100.20:3478", B4),
            resolution("control.example", failure=Failure.DNS_TIMEOUT),
        ),
        "server-no-answer",
    ),
    "names get no answer, and a server by address answers": case(
        run(
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_FAILURE),
            target("stun:198.51.100.20:3478"),
            binding("stun:198.51.100.20:3478", B4),
        ),
        "dns-fails",
    ),
    "neither names nor addresses nor the control answer": case(
        run(
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_TIMEOUT),
            target("stun:198.51.100.20:3478"),
            silent("stun:198.51.100.20:3478", B4),
            CONTROL_SILENT,
        ),
        "no-answer-at-all",
    ),
    "two servers are silent over UDP while TCP to one of them works": case(
        run(target(A), target(BX), silent(A, A4), silent(BX, BX4), *tcp(A, A4), *tcp(BX, BX4, Failure.TIMEOUT)),
        "udp-blocked",
    ),
    "two servers are silent over UDP on two ports while the control answers": case(
        run(target(A), target(BX), silent(A, A4), silent(BX, BX4), CONTROL), "udp-blocked"
    ),
    "two servers are silent over UDP on one port: perhaps only that is closed": case(
        run(target(A), target(B), silent(A, A4), silent(B, B4), *tcp(A, A4), CONTROL), "udp-port-silent"
    ),
    "two addresses of one server are silent over UDP while TCP works": case(
        run(target(A), silent(A, A4), silent(A, A6), *tcp(A, A4), ipv6=True), "udp-port-silent"
    ),
    "one server is silent over UDP on its address, and on its alternate address and port": case(
        run(
            target(A),
            silent(A, A4),
            *tcp(A, A4),
            silent(A, "198.51.100.11:3479", role="alternate-address-and-port", purpose="control"),
        ),
        "udp-blocked",
    ),
    "two servers are silent over UDP on one port, and one of them answers on another": case(
        run(
            target(A),
            target(B),
            silent(A, A4),
            silent(B, B4),
            *tcp(A, A4),
            *tcp(B, B4),
            binding(B, "198.51.100.21:3479", role="alternate-address-and-port", purpose="control"),
        ),
        "udp-port-silent",
    ),
    "two servers are down, and a third answers over UDP on another port": case(
        run(target(A), target(B), target(BX), silent(A, A4), silent(C, C4), binding(BX, BX4)), "server-silent"
    ),
    "two ports of one address are silent over UDP while TCP works": case(
        run(target(A), target("stun:stun.example.org:3479"), *SILENT_TWICE, *tcp(A, A4)), "udp-blocked"
    ),
    "a firewall refuses UDP to every host, each of which answers over TCP": case(
        run(
            target(A),
            target(BX),
            silent(A, A4, Failure.CONNECTION_REFUSED),
            silent(BX, BX4, Failure.CONNECTION_REFUSED),
            *tcp(A, A4),
            *tcp(BX, BX4),
        ),
        "udp-blocked",
    ),
    "UDP is silent everywhere and a relay over TLS carries data": case(
        run(target(A), target(BX), silent(A, A4), silent(BX, BX4), *TLS.up_to("end")), "udp-blocked-relay-works"
    ),
    "UDP is silent on one port and a relay over TLS carries data": case(
        run(target(A), target(B), silent(A, A4), silent(B, B4), *TLS.up_to("end")), "udp-port-silent"
    ),
    "one server's UDP is silent and its relay over TLS works: that tells nothing of the network": case(
        run(
            target("turn:turn.example.org:3478"),
            silent("turn:turn.example.org:3478", T4),
            silent("turn:turn.example.org:3478", "[2001:db8::30]:3478"),
            *TLS.up_to("end"),
            ipv6=True,
        ),
        "udp-silent-tcp-answers",
        "server-no-answer",
    ),
    "only this computer was asked": case(
        run(target("stun:127.0.0.1:3478"), binding("stun:127.0.0.1:3478", "127.0.0.1:3478")),
        "only-this-computer-asked",
    ),
    "an own address that is not loopback is this computer, too": case(
        run(
            target("stun:203.0.113.7:3478"),
            binding("stun:203.0.113.7:3478", "203.0.113.7:3478"),
            interfaces=(Interface(name="eth0", role="ethernet", addresses=("203.0.113.7",)),),
        ),
        "only-this-computer-asked",
    ),
    "this computer answers and a server elsewhere was not found": case(
        run(
            target("stun:127.0.0.1:3478"),
            binding("stun:127.0.0.1:3478", "127.0.0.1:3478"),
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_NOT_FOUND),
        ),
        "dns-name-not-found",
    ),
    # --- one server among others
    "one server is down while another answers": case(
        run(target(A), target(B), silent(A, A4), *tcp(A, A4, Failure.TIMEOUT), binding(B, B4)), "server-silent"
    ),
    "one server's TCP port is silent while another host accepts TCP": case(
        run(target(T), connect(T, T4, Failure.TIMEOUT), CONTROL), "server-silent"
    ),
    "one server is silent and nothing else was asked": case(run(target(A), silent(A, A4)), "server-no-answer"),
    "one server's TCP is silent and nothing else was asked": case(
        run(target(T), connect(T, T4, Failure.TIMEOUT)), "server-no-answer"
    ),
    "a server of the default list that is down is not the user's problem": case(
        run(target(A, origin="default"), target(B), silent(A, A4), binding(B, B4)), "server-silent"
    ),
    "UDP of a server is silent, TCP to it works, other servers answer over UDP": case(
        run(target(A), target(B), silent(A, A4), *tcp(A, A4), binding(B, B4)), "server-udp-filtered"
    ),
    "UDP of two servers is silent, TCP to them works, and a third answers over UDP": case(
        run(target(A), target(B), target(C), silent(A, A4), *tcp(A, A4), silent(B, B4), *tcp(B, B4), binding(C, C4)),
        "server-udp-filtered",
    ),
    "one UDP port of a host is silent and another one answers": case(
        run(
            target("stun:198.51.100.10:3479"),
            silent("stun:198.51.100.10:3479", "198.51.100.10:3479"),
            target(A),
            binding(A, A4),
        ),
        "server-udp-filtered",
    ),
    "a server is silent, and the only one that answers is this computer": case(
        run(target(A), silent(A, A4), target("stun:127.0.0.1:3478"), binding("stun:127.0.0.1:3478", "127.0.0.1:3478")),
        "server-no-answer",
    ),
    "UDP is silent to two servers and TCP is refused by both: no TCP got through": case(
        run(
            target(A),
            target(B),
            silent(A, A4),
            silent(B, B4),
            *tcp(A, A4, Failure.CONNECTION_REFUSED),
            *tcp(B, B4, Failure.CONNECTION_REFUSED),
        ),
        "server-no-answer",
    ),
    "two servers refuse UDP and only the control accepts TCP": case(
        run(
            target(A),
            target(B),
            silent(A, A4, Failure.CONNECTION_REFUSED),
            silent(B, B4, Failure.CONNECTION_REFUSED),
            CONTROL,
        ),
        "server-udp-refused",
    ),
    "silent ports of this computer say nothing of the network": case(
        run(
            target("stun:127.0.0.1:1"),
            target("stun:127.0.0.1:2"),
            silent("stun:127.0.0.1:1", "127.0.0.1:1"),
            silent("stun:127.0.0.1:2", "127.0.0.1:2"),
            *tcp("stun:127.0.0.1:1", "127.0.0.1:1"),
        ),
        "udp-silent-tcp-answers",
        "only-this-computer-asked",
    ),
    "a computer with IPv6 only has a network, too": case(
        run(target(A), resolution("stun.example.org", failure=Failure.DNS_FAILURE), ipv4=False, ipv6=True), "dns-fails"
    ),
    "evidence without its target is judged all the same": case(
        run(connect(T, T4, Failure.CONNECTION_REFUSED)), "server-tcp-refused"
    ),
    "a TURN server is silent to everything": case(
        run(TURN.target(), TURN.binding(failed()), TURN.challenge(failed()), TURN.allocation(failed())),
        "server-no-answer",
    ),
    "UDP of the only server is silent and TCP to it works": case(
        run(target(A), silent(A, A4), *tcp(A, A4)), "udp-silent-tcp-answers"
    ),
    "UDP of a server is silent, TCP is accepted, and STUN over that is silent, too": case(
        run(
            target(A),
            target(B),
            silent(A, A4),
            connect(A, A4, purpose="control"),
            silent(A, A4, transport=Transport.TCP, purpose="control"),
            binding(B, B4),
        ),
        "server-stalled",
    ),
    "UDP of a server is silent, TCP is accepted, and there was no time for STUN over it": case(
        run(
            target(A),
            silent(A, A4),
            connect(A, A4, purpose="control"),
            silent(A, A4, Failure.DEADLINE, transport=Transport.TCP, purpose="control"),
        ),
        "udp-silent-tcp-answers",
        "deadline-reached",
    ),
    "TCP of a server is silent and UDP of the same host answers": case(
        run(target(A), binding(A, "198.51.100.30:3478"), target(T), connect(T, T4, Failure.TIMEOUT)),
        "server-tcp-filtered",
    ),
    "the IPv6 address of a server is silent and the IPv4 address answers": case(
        run(target(A), binding(A, A4), silent(A, A6), ipv6=True), "server-ipv6-silent"
    ),
    "TCP over IPv6 is silent and TCP over IPv4 works": case(
        run(
            target(T),
            connect(T, T4),
            binding(T, T4, transport=Transport.TCP),
            connect(T, "[2001:db8::30]:3478", Failure.TIMEOUT),
            ipv6=True,
        ),
        "server-ipv6-silent",
    ),
    "the IPv6 address cannot be asked by a computer without IPv6": case(
        run(target(A), binding(A, A4), silent(A, A6, Failure.NETWORK_UNREACHABLE)), "family-not-here"
    ),
    "the IPv4 address cannot be asked by a computer without IPv4": case(
        run(
            target(A),
            silent(A, A4, Failure.NETWORK_UNREACHABLE),
            binding(A, A6),
            ipv4=False,
            ipv6=True,
        ),
        "family-not-here",
    ),
    "the server has only IPv6 addresses and this computer none": case(
        run(target(A), silent(A, A6, Failure.NETWORK_UNREACHABLE), target(B), binding(B, B4)), "no-route-to-server"
    ),
    "this computer's firewall forbids IPv6, which it does not have": case(
        run(target(A), binding(A, A4), silent(A, A6, Failure.PERMISSION_DENIED)), "local-firewall"
    ),
    "IPv6 is refused although this computer seems to have none": case(
        run(target(A), binding(A, A4), silent(A, A6, Failure.CONNECTION_REFUSED)), "server-ipv6-silent"
    ),
    "the IPv4 address of a server is silent and the IPv6 address answers": case(
        run(target(A), silent(A, A4), binding(A, A6), ipv6=True),
        "server-silent",
    ),
    "TCP over IPv6 is silent and over IPv4 refused": case(
        run(
            target(T),
            connect(T, T4, Failure.CONNECTION_REFUSED),
            connect(T, "[2001:db8::30]:3478", Failure.TIMEOUT),
            ipv6=True,
        ),
        "server-tcp-refused",
        "server-no-answer",
    ),
    "UDP is refused by ICMP": case(run(target(A), silent(A, A4, Failure.CONNECTION_REFUSED)), "server-udp-refused"),
    "TCP is refused": case(run(target(T), connect(T, T4, Failure.CONNECTION_REFUSED)), "server-tcp-refused"),
    "TCP beside a working UDP server is refused": case(
        run(target(A), binding(A, A4), *tcp(A, A4, Failure.CONNECTION_REFUSED)), "no-tcp-beside-udp"
    ),
    "this computer's firewall forbids UDP": case(
        run(target(A), silent(A, A4, Failure.PERMISSION_DENIED)), "local-firewall"
    ),
    "the local port is taken": case(
        run(target(A), target(B), silent(A, A4, Failure.ADDRESS_UNAVAILABLE), binding(B, B4)),
        "local-address-unavailable",
    ),
    "a router says that the host is unreachable": case(
        run(target(T), target(B), connect(T, T4, Failure.HOST_UNREACHABLE), binding(B, B4)), "server-unreachable"
    ),
    "a far router has no route to one server": case(
        run(target(A), target(B), silent(A, A4, Failure.NETWORK_UNREACHABLE), binding(B, B4)), "server-unreachable"
    ),
    "this computer has no route to a server that has IPv6 only": case(
        run(target(A), target(B), silent(A, A6, Failure.NETWORK_UNREACHABLE), binding(B, B4)), "no-route-to-server"
    ),
    "far routers have no route to either of two servers": case(
        run(
            target(A),
            target(B),
            silent(A, A4, Failure.NETWORK_UNREACHABLE),
            silent(B, B4, Failure.NETWORK_UNREACHABLE),
        ),
        "no-answer-at-all",
    ),
    "Ctrl-C cut everything off": case(
        run(
            target(A),
            target(T),
            resolution("stun.example.org", failure=Failure.INTERRUPTED),
            silent(A, A4, Failure.INTERRUPTED),
            connect(T, T4, Failure.INTERRUPTED),
            Gathering(t_ms=1.0, server=A, candidates=0, failure=Failure.INTERRUPTED),
        )
    ),
    "an experiment that the deadline cut off before its first packet": case(
        run(target(A), Skipped(t_ms=1.0, what=f"stun-server {A}", why="the deadline of 1 s came first")),
        "deadline-reached",
    ),
    "a whole experiment is named once, however many requests it had": case(
        run(
            target(A),
            *(silent(A, A4, Failure.DEADLINE) for _ in range(5)),
            Skipped(t_ms=1.0, what=f"stun-server {A}", why="the deadline of 1 s came first"),
        ),
        "deadline-reached",
    ),
    "UDP fails in a way that has no name": case(
        run(target(A), silent(A, A4, Failure.OTHER_OS_ERROR)), "network-operation-failed"
    ),
    "TCP fails in a way that has no name": case(
        run(target(T), connect(T, T4, Failure.CONNECTION_RESET)), "network-operation-failed"
    ),
    "a stream fails in a way that has no name": case(
        run(target(T), connect(T, T4), silent(T, T4, Failure.OTHER_OS_ERROR, transport=Transport.TCP)),
        "network-operation-failed",
    ),
    "what the deadline cut off is not tested": case(
        run(target(A), silent(A, A4, Failure.DEADLINE), target(B), binding(B, B4)), "deadline-reached"
    ),
    # --- wrong answers
    "HTTP comes back on TCP": case(
        run(target(T), connect(T, T4), silent(T, T4, Failure.NOT_STUN_HTTP, transport=Transport.TCP)),
        "server-speaks-http",
    ),
    "HTTP on TCP beside silent UDP is a web front": case(
        run(
            target(A),
            silent(A, A4),
            connect(A, A4, purpose="control"),
            silent(A, A4, Failure.NOT_STUN_HTTP, transport=Transport.TCP, purpose="control"),
        ),
        "server-behind-http-proxy",
    ),
    "a TLS record comes back to plain STUN": case(
        run(target(T), connect(T, T4), silent(T, T4, Failure.NOT_STUN_TLS, transport=Transport.TCP)),
        "plain-on-tls-port",
    ),
    "plain STUN is silent where a TLS handshake succeeds": case(
        run(
            target(T),
            connect(T, T4),
            silent(T, T4, transport=Transport.TCP),
            connect(T, T4, purpose="control"),
            handshake(T, T4, Failure.TLS_SELF_SIGNED, certificate=None),
        ),
        "plain-on-tls-port",
    ),
    "plain STUN is silent, and so is TLS": case(
        run(
            target(T),
            connect(T, T4),
            silent(T, T4, transport=Transport.TCP),
            connect(T, T4, purpose="control"),
            handshake(T, T4, Failure.TIMEOUT, certificate=None),
        ),
        "stream-silent",
    ),
    "plain STUN is silent, and what comes back to TLS is not TLS": case(
        run(
            target(T),
            connect(T, T4),
            silent(T, T4, transport=Transport.TCP),
            connect(T, T4, purpose="control"),
            handshake(T, T4, Failure.TLS_NOT_SPOKEN, certificate=None),
        ),
        "stream-silent",
    ),
    "the stream is closed on the first STUN": case(
        run(target(T), connect(T, T4), silent(T, T4, Failure.CONNECTION_CLOSED, transport=Transport.TCP)),
        "stream-closed",
    ),
    "the stream stays silent": case(
        run(target(T), connect(T, T4), silent(T, T4, transport=Transport.TCP)), "stream-silent"
    ),
    "garbage comes back over UDP": case(
        run(
            target(A),
            binding(
                A,
                A4,
                failed(
                    strays=(Stray(t_ms=1.0, source=at(A4), size_bytes=9, why="not-stun"),),
                    stray_count=1,
                ),
            ),
        ),
        "answer-is-not-stun",
    ),
    "bytes without the magic cookie come back": case(
        run(
            target(A),
            binding(
                A,
                A4,
                failed(
                    strays=(Stray(t_ms=1.0, source=at(A4), size_bytes=1400, why="wrong-cookie"),),
                    stray_count=1,
                ),
            ),
        ),
        "answer-is-not-stun",
    ),
    "every answer comes too late": case(
        run(target(A), binding(A, A4, failed(answers=(answer(A4, xor_mapped=at(PUBLIC), late=True),)))),
        "answers-too-late",
    ),
    "STUN with another transaction id comes back": case(
        run(
            target(A),
            binding(
                A,
                A4,
                failed(
                    strays=(Stray(t_ms=1.0, source=at(A4), size_bytes=32, why="wrong-transaction-id"),),
                    stray_count=1,
                ),
            ),
        ),
        "answer-does-not-match",
    ),
    "the only answer comes from another address": case(
        run(target(A), binding(A, A4, failed(answers=(answer(B4, expected_source=False),)))),
        "answered-from-wrong-address",
    ),
    "a good answer and one from elsewhere": case(
        run(
            target(A),
            binding(A, A4, answered(A4, xor_mapped=at(PUBLIC))),
            binding(
                A,
                A4,
                failed(answers=(answer(B4, expected_source=False), answer(A4, xor_mapped=at(PUBLIC)))),
            ),
        ),
        "answer-from-elsewhere",
        "stun-loss",
    ),
    # --- names
    "the name does not exist": case(
        run(target(A), resolution("stun.example.org", failure=Failure.DNS_NOT_FOUND)), "dns-name-not-found"
    ),
    "the name has no address in either family": case(
        run(
            target(A),
            resolution("stun.example.org"),
            resolution("stun.example.org", family=Family.IPV6),
        ),
        "dns-no-address",
    ),
    "one name gets no answer while another one resolves": case(
        run(
            target(A),
            resolution("stun.example.org", failure=Failure.DNS_FAILURE),
            target(B),
            resolution("stun.example.net", "198.51.100.20"),
            binding(B, B4),
        ),
        "dns-lookup-failed",
    ),
    "the look-up of AAAA times out": case(
        run(
            target(A),
            resolution("stun.example.org", "198.51.100.10"),
            resolution("stun.example.org", family=Family.IPV6, failure=Failure.DNS_TIMEOUT),
            binding(A, A4),
        ),
        "dns-one-family-fails",
    ),
    "the look-up takes long": case(
        run(target(A), resolution("stun.example.org", "198.51.100.10", duration_ms=1500.0), binding(A, A4)), "dns-slow"
    ),
    "the look-up was cut off by the deadline": case(
        run(target(A), resolution("stun.example.org", failure=Failure.DEADLINE)), "deadline-reached"
    ),
    "a public name has a private address": case(
        run(target(A), resolution("stun.example.org", "10.0.0.5"), binding(A, "10.0.0.5:3478")), "dns-private-address"
    ),
    "a name of the local network has a private address": case(
        run(
            target("stun:nas.local:3478"),
            resolution("nas.local", "192.168.1.9"),
            binding("stun:nas.local:3478", "192.168.1.9:3478"),
        )
    ),
    "an address that nobody can read is passed over": case(
        run(target(A), resolution("stun.example.org", "not an address", "198.51.100.10"), binding(A, A4))
    ),
    "a name without a dot is of the local network": case(
        run(target("stun:nas:3478"), resolution("nas", "192.168.1.9"), binding("stun:nas:3478", "192.168.1.9:3478"))
    ),
    "a name leads to 0.0.0.0": case(
        run(target(A), resolution("stun.example.org", "0.0.0.0"), silent(A, "0.0.0.0:3478")), "dns-useless-address"
    ),
    # --- this computer and this run
    "a probe crashed": case(
        run(Crash(t_ms=1.0, probe="stun-server", error="KeyError", where="stun_server.py:12")), "probe-crashed"
    ),
    "the clock is an hour fast": case(run(clock_offset_s=3600.0), "clock-wrong"),
    "the clock is an hour slow": case(run(clock_offset_s=-3600.0), "clock-wrong"),
    "the clock is right": case(run(clock_offset_s=0.4)),
    "the default route is a VPN's": case(run(vpn=True, default_route="wg0"), "vpn-carries-traffic"),
    "the default route is a VPN's, and this run went another way": case(
        run(target(A), binding(A, A4, interface="eth0"), vpn=True, default_route="wg0")
    ),
    "this is a container": case(run(container=True), "inside-container"),
    "a server gave no candidate": case(
        run(
            Gathering(t_ms=1.0, server=A, candidates=0, failure=Failure.TIMEOUT),
            Gathering(t_ms=1.0, server=None, candidates=0),
            Gathering(t_ms=1.0, server=B, candidates=1),
        ),
        "gathering-failed",
    ),
    "a STUN server gave this computer's own address again: there is no NAT": case(
        run(target(A), Gathering(t_ms=1.0, server=A, candidates=0, redundant=1))
    ),
    "a STUN server answered one interface, and another leads nowhere": case(
        run(target(A), Gathering(t_ms=1.0, server=A, candidates=1, failure=Failure.TIMEOUT))
    ),
    "a STUN server gave one interface its own address again, and another leads nowhere": case(
        run(target(A), Gathering(t_ms=1.0, server=A, candidates=0, redundant=1, failure=Failure.TIMEOUT))
    ),
    "a TURN server gave one interface a server-reflexive candidate, and no relay": case(
        run(target(T), Gathering(t_ms=1.0, server=T, candidates=1, failure=Failure.TIMEOUT)), "gathering-failed"
    ),
    "a TURN server gave no relay": case(
        run(target(T), Gathering(t_ms=1.0, server=T, candidates=0, redundant=1)), "gathering-failed"
    ),
    "a TURN server gave a server-reflexive candidate, and no relay": case(
        run(
            target(T),
            candidate("203.0.113.7:5000", "eth0", type="srflx", server=T),
            Gathering(t_ms=1.0, server=T, candidates=1),
        ),
        "gathering-failed",
    ),
    "a TURN server gave a relay": case(
        run(
            target(T),
            candidate("198.51.100.9:5000", "eth0", type="relay", server=T),
            Gathering(t_ms=1.0, server=T, candidates=1),
        )
    ),
    "only a VPN and link-local addresses are there": case(
        run(
            candidate("10.9.0.2:5000", "wg0"),
            candidate("169.254.3.3:5000", "eth0"),
            interfaces=(Interface(name="wg0", role="vpn", addresses=("10.9.0.2",)),),
        ),
        "host-candidates-virtual-only",
    ),
    "one ordinary address suffices": case(run(candidate("10.9.0.2:5000", "wg0"), candidate("192.168.1.4:1", "eth0"))),
}
