"""A TURN session, broken at each of its steps."""

from typing import Any

from rtcdiag.address import Family
from rtcdiag.evidence import CredentialShape, Evidence, Exchange, Failure, Observation
from rtcdiag.evidence.turn import WhyNot
from rtcdiag.targets import Transport
from support.cases import Case, case
from support.evidence import NOW, Turn, answered, at, connect, failed, handshake, refused, run, target

T = Turn()
TCP = Turn(uri="turn:turn.example.org:3478?transport=tcp", transport=Transport.TCP)
INNER = Turn(uri="turn:10.0.0.5:3478", address="10.0.0.5:3478", relayed="10.0.0.5:49160", peer="10.0.0.5:49161")
HOME = "203.0.113.7:50999"
OTHER = "198.51.100.31:3478"
WORKER = Turn(address=OTHER, relayed="198.51.100.31:49160", peer="198.51.100.31:49199")
REFUSALS = (400, 401, 403, 420, 437, 438, 440, 442, 486, 500, 508)
SIX = "[2001:db8::30]:49160"


def then(step: str, *more: Observation, turn: Turn = T) -> Evidence:
    """Return a session that is healthy up to a step, and what came then."""
    return run(*turn.up_to(step), *more)


def challenged(exchange: Exchange) -> Evidence:
    return run(T.target(), T.binding(), T.challenge(exchange))


def refuses(code: int, **more: Any) -> Evidence:
    return then("allocate", T.allocation(refused(T.address, code, **more)))


def expiring(at_s: float | None, *more: Observation, form: Any = "time-limited") -> Evidence:
    return run(T.target(credential=CredentialShape(form=form, expires_at=at_s)), *T.up_to("allocate")[1:], *more)


def redirected(again: WhyNot) -> Evidence:
    """Return what is seen where the server that is followed sends on as well."""
    return run(T.target(), T.binding(), *T.redirect(OTHER), *WORKER.redirect("198.51.100.32:3478", again))


def relays(address: str, **more: Any) -> Evidence:
    exchange = answered(T.address, relayed=at(address), lifetime_s=600, integrity="valid")
    return then("allocate", T.allocation(exchange, **more))


def denied(code: int, peer: str, **more: Any) -> Evidence:
    return then("permission", T.permission(refused(T.address, code), peer=at(peer), **more))


_ERRORS = {
    "turn-allocate-forbidden": 403,
    "turn-attribute-refused": 420,
    "turn-allocation-mismatch": 437,
    "turn-not-offered": 405,
    "turn-no-ipv4-relay": 440,
    "turn-wrong-credentials-for-session": 441,
    "turn-udp-relay-disabled": 442,
    "turn-quota-reached": 486,
    "turn-server-error": 500,
    "turn-capacity-exhausted": 508,
    "turn-allocate-rejected": 699,
}

CASES: dict[str, Case] = {
    "a session over UDP that works": case(then("end")),
    "a session over TCP that works": case(then("end", turn=TCP)),
    "a session that also reaches this computer": case(
        then("end", T.data("relay-to-mapped"), T.data("mapped-to-relay", method="plain", receiver="a"))
    ),
    # --- configuration
    "a STUN URI with a query": case(
        run(Turn(uri="stun:stun.example.org?transport=udp").target()), "uri-query-not-allowed"
    ),
    "turns over UDP": case(run(Turn(uri="turns:turn.example.org?transport=udp").target()), "turns-over-udp"),
    "turns to an address": case(run(Turn(uri="turns:198.51.100.30").target()), "tls-to-ip-address"),
    "turns to an address whose certificate is of a name": case(
        run(
            Turn(uri="turns:198.51.100.30").target(),
            connect("turns:198.51.100.30", "198.51.100.30:5349"),
            handshake("turns:198.51.100.30", "198.51.100.30:5349", Failure.TLS_HOSTNAME_MISMATCH),
        ),
        "tls-to-ip-address",
    ),
    "turns to an address that the certificate holds": case(
        run(
            Turn(uri="turns:198.51.100.30").target(),
            connect("turns:198.51.100.30", "198.51.100.30:5349"),
            handshake("turns:198.51.100.30", "198.51.100.30:5349"),
        ),
        "tls-to-certified-ip-address",
    ),
    "no credentials": case(run(T.target(credential=None), T.binding(), T.challenge()), "turn-credentials-missing"),
    "a server of the default list needs no credentials to be asked": case(
        run(T.target(credential=None, origin="default"), T.binding(), T.challenge())
    ),
    "static credentials": case(expiring(None, T.allocation(), form="static"), "turn-credentials-static"),
    "a time-limited username whose time cannot be read": case(expiring(None, T.allocation())),
    "credentials for a month": case(expiring(NOW + 30 * 86400, T.allocation()), "turn-credentials-long-lived"),
    "credentials for five minutes": case(expiring(NOW + 300, T.allocation()), "turn-credentials-expire-soon"),
    "credentials for five minutes that are refused": case(
        expiring(NOW + 300, T.allocation(refused(T.address, 401, nonce=True))), "turn-credentials-rejected"
    ),
    "another server takes the credentials that expire in five minutes": case(
        run(
            T.target(credential=CredentialShape(form="time-limited", expires_at=NOW + 300)),
            *TCP.up_to("permission"),
        )
    ),
    "another server's certificate does not vouch for an address": case(
        run(
            Turn(uri="turns:198.51.100.30").target(),
            target("turns:turn.example.org"),
            handshake("turns:turn.example.org", "198.51.100.30:5349"),
        ),
        "tls-to-ip-address",
    ),
    # --- the challenge
    "STUN answers and Allocate does not": case(challenged(failed()), "turn-allocate-silent"),
    "a server that grants relays to anybody": case(
        challenged(answered(T.address, relayed=at(T.relayed), lifetime_s=600)), "turn-no-authentication"
    ),
    "a challenge without NONCE": case(
        challenged(refused(T.address, 401, realm="example.org")), "turn-challenge-incomplete"
    ),
    "a challenge without REALM": case(challenged(refused(T.address, 401, nonce=True)), "turn-challenge-incomplete"),
    "an empty realm": case(challenged(refused(T.address, 401, realm="", nonce=True)), "turn-realm-empty"),
    "a second relay is refused by a quota": case(
        then(
            "data",
            T.data("relay-to-mapped", receiver="peer"),
            T.allocation(refused(T.address, 486, integrity="valid"), allocation="b"),
        ),
        "turn-quota-reached",
    ),
    "a quota before the login": case(challenged(refused(T.address, 486)), "turn-quota-reached"),
    "a redirection": case(
        challenged(refused(T.address, 300, alternate_server=at("198.51.100.31:3478"))), "server-redirects"
    ),
    "a redirection within the operator's inside": case(
        run(
            INNER.target(),
            INNER.binding(),
            INNER.challenge(refused(INNER.address, 300, alternate_server=at("10.0.0.31:3478"))),
        ),
        "server-redirects",
    ),
    "a redirection to a server that works": case(
        run(T.target(), T.binding(), *T.redirect(OTHER), *WORKER.up_to("end")[1:]),
        "server-redirects-followed",
    ),
    "a redirection to a server that sends on": case(
        redirected("second"), "server-redirects-followed", "server-redirects-again"
    ),
    "a redirection to a server that sends back": case(
        redirected("circle"), "server-redirects-followed", "server-redirects-in-circle"
    ),
    "a redirection to another family": case(
        run(T.target(), T.binding(), *T.redirect(SIX, "other-family")), "server-redirects-to-other-family"
    ),
    "a redirection that was not followed": case(
        run(T.target(), T.binding(), *T.redirect(OTHER, "own-network")), "server-redirects"
    ),
    "a redirection that names nobody": case(challenged(refused(T.address, 300)), "server-redirects-nowhere"),
    "a redirection to the operator's inside": case(
        challenged(refused(T.address, 300, alternate_server=at("10.0.0.31:3478"))), "server-redirects-to-private"
    ),
    "the deadline cut the challenge off": case(challenged(failed(Failure.DEADLINE)), "deadline-reached"),
    # --- the login
    "401 again": case(refuses(401, realm="example.org", nonce=True), "turn-credentials-rejected"),
    "401 again, without a challenge that was kept": case(
        run(T.target(), T.binding(), T.allocation(refused(T.address, 401))), "turn-credentials-rejected"
    ),
    "an unsigned 400 without a nonce after a 401": case(refuses(400), "turn-credentials-rejected-as-400"),
    "a signed 400 is a bad request": case(refuses(400, integrity="valid"), "turn-allocate-rejected"),
    "400 with a nonce is a bad request": case(refuses(400, nonce=True), "turn-allocate-rejected"),
    "400 without a challenge before it is a bad request": case(
        run(T.target(), T.binding(), T.allocation(refused(T.address, 400))), "turn-allocate-rejected"
    ),
    "401 to a username that has expired": case(
        expiring(NOW - 60, T.allocation(refused(T.address, 401, nonce=True))), "turn-credentials-expired"
    ),
    "400 to a username that has expired": case(
        expiring(NOW - 60, T.allocation(refused(T.address, 400))), "turn-credentials-expired"
    ),
    "438 twice": case(
        then("allocate", T.allocation(refused(T.address, 438, nonce=True), attempts=2)), "turn-stale-nonce-loop"
    ),
    "silence after the username": case(then("allocate", T.allocation(failed())), "turn-authenticated-allocate-silent"),
    "the deadline cut the login off": case(
        then("allocate", T.allocation(failed(Failure.DEADLINE))), "deadline-reached"
    ),
    **{f"error {number} to an authenticated Allocate": case(refuses(number), code) for code, number in _ERRORS.items()},
    "a redirection after the login": case(refuses(300, alternate_server=at("198.51.100.31:3478")), "server-redirects"),
    "440 to IPv6, then IPv4 is granted": case(
        then("allocate", T.allocation(refused(T.address, 440), family=Family.IPV6), T.allocation()),
        "turn-no-ipv6-relay",
    ),
    "420 to IPv6": case(
        then("allocate", T.allocation(refused(T.address, 420), family=Family.IPV6), T.allocation()),
        "turn-no-ipv6-relay",
    ),
    "437 before the password, and another port is challenged: a fact, no fault": case(
        run(
            T.target(),
            T.binding(),
            T.challenge(refused(T.address, 437)),
            T.challenge(),
            *T.up_to("end")[T.up_to("end").index(T.challenge()) + 1 :],
        ),
        "turn-allocation-mismatch",
    ),
    "437 before the password, and again from another port": case(
        run(T.target(), T.binding(), *[T.challenge(refused(T.address, 437))] * 2), "turn-allocation-mismatch"
    ),
    "437 before the password, and another port gets no answer": case(
        run(T.target(), T.binding(), T.challenge(refused(T.address, 437)), T.challenge(failed())),
        "turn-allocation-mismatch",
        "turn-allocate-silent",
    ),
    "a second connection that is not answered": case(
        then("allocate", T.allocation(), T.challenge(failed())), "turn-connections-differ"
    ),
    "a second connection whose user is not known": case(
        then("allocate", T.allocation(), T.allocation(refused(T.address, 401), allocation="b")),
        "turn-connections-differ",
    ),
    "437, and another port is granted: a fact, no fault": case(
        then("allocate", T.allocation(refused(T.address, 437)), T.allocation()), "turn-allocation-mismatch"
    ),
    # --- what is asked out of curiosity
    "no refusal of what no call needs is a fault": case(
        then("end", *(T.trial("dont-fragment", "ipv6", exchange=refused(T.address, code)) for code in REFUSALS))
    ),
    "silence about what no call needs is no fault": case(then("end", T.trial("even-port", exchange=failed()))),
    "an IPv4 address for those that ask for IPv6": case(
        then("end", T.trial("ipv6", relayed=at("198.51.100.30:49170"))), "turn-ipv6-relay-is-ipv4"
    ),
    "an IPv4 address for those that ask for IPv6 hides no fault": case(
        then("data", *T.flows(0), T.data("relay-to-mapped"), T.trial("ipv6", relayed=at("198.51.100.30:49170"))),
        "turn-ipv6-relay-is-ipv4",
        "turn-cannot-reach-itself",
    ),
    "IPv4 where a call asked for IPv6, and data passes": case(
        then("allocate", T.allocation(family=Family.IPV6), T.permission(), *T.flows()), "turn-relay-wrong-family"
    ),
    # --- TCP relays, where they are asked for
    "TCP relays that are refused": case(
        then("end", TCP.trial("tcp", exchange=refused(TCP.address, 442)), turn=TCP), "turn-tcp-relay-off"
    ),
    "TCP relays that work": case(
        then("end", TCP.trial("tcp"), TCP.trial("tcp"), TCP.stream(), turn=TCP), "turn-tcp-relay-works"
    ),
    "a TCP relay that cannot be connected to": case(
        then("end", TCP.trial("tcp"), TCP.peer_connection("connect", refused(TCP.address, 447)), turn=TCP),
        "turn-tcp-relay-broken",
    ),
    "a TCP relay that carries nothing back": case(
        then("end", TCP.trial("tcp"), TCP.stream(back=0), turn=TCP), "turn-tcp-relay-broken"
    ),
    "TCP relays that were not tried to the end": case(
        then("end", TCP.trial("tcp"), TCP.peer_connection("connect", failed(Failure.DEADLINE)), turn=TCP),
        "deadline-reached",
    ),
    # --- what is granted
    "a signature that does not verify": case(
        then(
            "allocate",
            T.allocation(answered(T.address, relayed=at(T.relayed), lifetime_s=600, integrity="invalid")),
        ),
        "message-integrity-invalid",
    ),
    "no signature": case(
        then("allocate", T.allocation(answered(T.address, relayed=at(T.relayed), lifetime_s=600, integrity="absent"))),
        "message-integrity-missing",
    ),
    "no relayed address": case(
        then("allocate", T.allocation(answered(T.address, lifetime_s=600))), "turn-no-relayed-address"
    ),
    "a lifetime of five minutes": case(
        then("allocate", T.allocation(answered(T.address, relayed=at(T.relayed), lifetime_s=300))),
        "turn-short-lifetime",
    ),
    "a lifetime of zero": case(
        then("allocate", T.allocation(answered(T.address, relayed=at(T.relayed), lifetime_s=0, integrity="valid"))),
        "turn-zero-lifetime",
    ),
    "an answer that does not verify owns what fails behind it": case(
        then(
            "allocate",
            T.allocation(answered(T.address, relayed=at(T.relayed), lifetime_s=600, integrity="invalid")),
            T.permission(failed()),
        ),
        "message-integrity-invalid",
    ),
    "no lifetime": case(
        then("allocate", T.allocation(answered(T.address, relayed=at(T.relayed)))), "turn-short-lifetime"
    ),
    "a slow Allocate": case(
        then(
            "allocate",
            T.allocation(
                answered(T.address, t_ms=2500.0, relayed=at(T.relayed), lifetime_s=600, integrity="valid"),
            ),
        ),
        "turn-allocate-slow",
    ),
    # --- the relayed address
    "a private relayed address": case(relays("10.0.3.17:49160"), "turn-relay-private-address"),
    "a loopback relayed address on a private server": case(
        run(
            *(home := Turn(uri="turn:10.0.0.5:3478", address="10.0.0.5:3478", relayed="127.0.0.1:49160")).up_to(
                "allocate"
            ),
            home.allocation(),
        ),
        "turn-relay-private-address",
    ),
    "a private relayed address on a private server": case(
        run(
            *(home := Turn(uri="turn:10.0.0.5:3478", address="10.0.0.5:3478", relayed="10.0.0.5:49160")).up_to(
                "allocate"
            ),
            home.allocation(),
        ),
    ),
    "the relayed address 0.0.0.0": case(relays("0.0.0.0:49160"), "turn-relay-impossible-address"),
    "the relayed port 0": case(relays("198.51.100.30:0"), "turn-relay-impossible-address"),
    "IPv4 where IPv6 was asked for": case(relays("198.51.100.30:49160", family=Family.IPV6), "turn-relay-wrong-family"),
    "another public address": case(relays("198.51.100.77:49160"), "turn-relay-other-address"),
    "a public relayed address on a private server": case(
        run(*(lan := Turn(uri=INNER.uri, address=INNER.address)).up_to("allocate"), lan.allocation())
    ),
    "an IPv6 relay on an IPv4 server": case(relays(SIX, family=Family.IPV6)),
    # --- permission
    "a public peer is denied": case(denied(403, HOME), "turn-peer-denied"),
    "a public peer is denied by an error without a code, as pion's version 2 does": case(
        then("permission", T.permission(answered(T.address, success=False), peer=at(HOME))), "turn-peer-denied"
    ),
    "a channel is refused by an error without a code: nobody is known to mean a denial by that": case(
        then("permission", T.permission(answered(T.address, success=False), peer=at(HOME), channel=0x4000)),
        "turn-permission-rejected",
    ),
    "the relay's own address is denied and others are allowed": case(
        then("permission", T.permission(refused(T.address, 403)), T.permission(peer=at(HOME))),
        "turn-own-address-denied",
    ),
    "the relay's own address is denied, and nothing else was tried": case(denied(403, T.peer), "turn-peer-denied"),
    "a private peer is denied beside a public one that is allowed": case(
        then("data", T.permission(refused(T.address, 403), peer=at("192.168.1.4:5000"))), "turn-local-peer-denied"
    ),
    "only local peers are at hand, and they are denied": case(denied(403, "127.0.0.1:49161"), "turn-data-not-tested"),
    "a channel is refused as if the password were wrong": case(
        denied(401, HOME, channel=0x4000), "turn-channel-denied"
    ),
    "a channel is refused with a new challenge": case(
        then("permission", T.permission(refused(T.address, 401, nonce=True), peer=at(HOME), channel=0x4000)),
        "turn-permission-rejected",
    ),
    "CreatePermission is refused as if the password were wrong": case(denied(401, HOME), "turn-permission-rejected"),
    "a channel is a bad request": case(denied(400, HOME, channel=0x4000), "turn-permission-rejected"),
    "a public peer is denied and the relay's own address is allowed": case(
        then("permission", T.permission(), T.permission(refused(T.address, 403), peer=at(HOME))), "turn-peer-denied"
    ),
    "a peer of the other family": case(denied(443, HOME), "turn-peer-family-mismatch"),
    "CreatePermission is a bad request": case(denied(400, HOME), "turn-permission-rejected"),
    "CreatePermission is unanswered": case(then("permission", T.permission(failed())), "turn-permission-silent"),
    "the deadline cut CreatePermission off": case(
        then("permission", T.permission(failed(Failure.DEADLINE))), "deadline-reached"
    ),
    # --- data
    "no data comes through at all": case(
        then("data", *T.flows(0), T.data("relay-to-mapped", 0), T.data("mapped-to-relay", 0)), "turn-relays-no-data"
    ),
    "no data between two relays, and nothing else was tried": case(
        then("data", *T.flows(0)), "turn-relay-to-relay-silent"
    ),
    "no data between relay and here, and nothing else was tried": case(
        then("data", T.data("relay-to-mapped", 0)), "turn-data-undetermined"
    ),
    "no data between two relays, but to this computer": case(
        then("data", *T.flows(0), T.data("relay-to-mapped")), "turn-cannot-reach-itself"
    ),
    "no data between two relays, but to this computer and back": case(
        then("data", *T.flows(0), T.data("relay-to-mapped"), T.data("mapped-to-relay")), "turn-cannot-reach-itself"
    ),
    "data gets out of the relay, and none gets in": case(
        then("data", *T.flows(0), T.data("relay-to-mapped"), T.data("mapped-to-relay", 0)), "turn-relay-half-open"
    ),
    "data gets into the relay, and none gets out": case(
        then("data", *T.flows(0), T.data("relay-to-mapped", 0), T.data("mapped-to-relay")), "turn-relay-half-open"
    ),
    "data between two relays, but not to this computer": case(
        then("data", *T.flows(), T.data("relay-to-mapped", 0)), "relay-cannot-reach-here"
    ),
    "data between two relays, and none to or from here": case(
        then(
            "data",
            *T.flows(),
            T.data("relay-to-mapped", 0, peer=at(HOME), expected_source=at(T.relayed)),
            T.data("mapped-to-relay", 0, peer=at(HOME)),
        ),
        "turn-relay-ports-unreachable",
    ),
    "data between two relays and from them to here, and none to them": case(
        then("data", *T.flows(), T.data("relay-to-mapped", peer=at(HOME)), T.data("mapped-to-relay", 0, peer=at(HOME))),
        "turn-relay-half-open",
    ),
    "data between two relays, and none to or from a computer that has several addresses": case(
        then(
            "data",
            *T.flows(),
            T.data("relay-to-mapped", 0, peer=at("203.0.113.8:50999")),
            T.data("mapped-to-relay", 0, peer=at(HOME)),
        ),
        "relay-cannot-reach-here",
    ),
    "data between two relays, and none to or from an address that is not the server's": case(
        then(
            "data",
            *T.flows(),
            T.data("relay-to-mapped", 0, peer=at(HOME), expected_source=at("198.51.100.77:49160")),
            T.data("mapped-to-relay", 0, peer=at(HOME)),
        ),
        "turn-relay-address-unreachable",
    ),
    "data in one direction only": case(
        then("data", T.data(receiver="a"), T.data(received=0, receiver="b")), "turn-relays-one-way"
    ),
    "data in the one direction that was tried": case(then("data", T.data(receiver="a"))),
    "Send works and ChannelData does not": case(
        then("data", T.data(), T.data(received=0, method="channel-data")), "turn-framing-lost"
    ),
    "ChannelData works and Send does not": case(
        then("data", T.data(received=0), T.data(method="channel-data")), "turn-framing-lost"
    ),
    "data comes from another address": case(
        then("data", T.data("relay-to-mapped", expected_source=at(T.relayed), sources=(at("198.51.100.99:1"),))),
        "turn-relays-from-other-address",
    ),
    "data between relays comes from an inner address, data outside does not": case(
        then(
            "data",
            T.data(expected_source=at(T.relayed), sources=(at("10.0.0.5:49160"),)),
            T.data("relay-to-mapped", expected_source=at(T.relayed), sources=(at(T.relayed),)),
        ),
        "turn-relays-from-other-address",
    ),
    "data from us arrives from another mapping: that is our NAT": case(
        then("data", *T.flows(), T.data("mapped-to-relay", expected_source=at(HOME), sources=(at("203.0.113.7:9"),)))
    ),
    "data comes from the relayed address, as it should": case(
        then("data", *T.flows(), T.data("relay-to-mapped", expected_source=at(T.relayed), sources=(at(T.relayed),)))
    ),
    "where data has to come from was not known": case(
        then("data", *T.flows(), T.data("relay-to-mapped", sources=(at(HOME),)))
    ),
    "no data over IPv4, but over IPv6": case(
        then("data", *T.flows(0), T.data(peer=at(SIX))), "turn-relay-to-relay-silent"
    ),
    "two of fifty datagrams are lost": case(then("data", T.data(received=48, sent=50))),
    "two of five datagrams are lost": case(then("data", T.data(received=3)), "turn-relay-loss"),
    "nothing was sent": case(then("data", T.data(received=0, sent=0))),
    "a private relayed address explains that no data comes": case(
        run(
            *(lost := Turn(relayed="10.0.3.17:49160", peer="10.0.3.17:49161")).up_to("data"),
            *lost.flows(0),
        ),
        "turn-relay-private-address",
    ),
    # --- afterwards
    "the allocation is gone at Refresh": case(
        then("data", *T.flows(), T.refresh(refused(T.address, 437))), "turn-allocation-lost"
    ),
    "Refresh is refused": case(then("data", *T.flows(), T.refresh(refused(T.address, 403))), "turn-refresh-rejected"),
    "Refresh is unanswered": case(then("data", *T.flows(), T.refresh(failed())), "turn-refresh-silent"),
    "the release is unanswered": case(
        then("data", *T.flows(), T.refresh(), T.refresh(failed(), lifetime_s=0)), "turn-release-failed"
    ),
    "the deadline cut Refresh off": case(
        then("data", *T.flows(), T.refresh(failed(Failure.DEADLINE))), "deadline-reached"
    ),
}
