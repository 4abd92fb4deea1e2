"""An audit of one's own TURN server: what a well-kept one answers, and each way to fail a check."""

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import (
    Allocation,
    AuditNonce,
    AuditPermission,
    AuditSize,
    AuditTls,
    Binding,
    CredentialShape,
    Failure,
)
from support.audit import (
    TURN,
    allocation,
    audited,
    granted,
    nonces,
    offers,
    permission,
    permissions,
    size,
)
from support.cases import Case, case
from support.evidence import DAY, NOW, answered, at, failed, refused, run

_HERE = TURN.address
_OPEN = granted()
_CODELESS = answered(_HERE, success=False, integrity="valid")
_UNSIGNED_401 = refused(_HERE, 401)


def peers(*open_to: str) -> tuple[AuditPermission, ...]:
    """Return the answers of a server that lets these peers be reached, by a channel too."""
    answers = dict.fromkeys(open_to, _OPEN)
    return permissions(answers, answers)


def told(**more: object) -> Binding:
    return TURN.binding(answered(_HERE, xor_mapped=at("203.0.113.7:50123"), **more))


def inner(*answers: str) -> tuple[AuditPermission, ...]:
    return (*permissions(), *(permission(TransportAddress.parse(address).ip, _OPEN) for address in answers))


CASES: dict[str, Case] = {
    "a well-kept server passes its audit": case(run(*audited())),
    "a well-kept server without IPv6 passes its audit": case(
        run(*audited(*permissions(without=Family.IPV6), allocation("ipv6-relay", refused(_HERE, 440))))
    ),
    "a server that gives an IPv4 relay for an IPv6 one passes its audit": case(
        run(
            *audited(
                *permissions(without=Family.IPV6), allocation("ipv6-relay", granted(relayed=at("198.51.100.30:49170")))
            )
        )
    ),
    "strangers are served": case(run(*audited(TURN.challenge(granted()))), "turn-audit-open-relay"),
    "an expired credential is accepted": case(
        run(*audited(allocation("expired-credentials", granted()))), "turn-audit-expired-credentials-accepted"
    ),
    "an expired credential is refused by 400, as pion does": case(
        run(*audited(allocation("expired-credentials", refused(_HERE, 400))))
    ),
    "audited credentials without an end": case(
        run(*audited(TURN.target(credential=CredentialShape(form="static")))), "turn-audit-lasting-credentials"
    ),
    "audited credentials for two days": case(
        run(*audited(TURN.target(credential=CredentialShape(form="time-limited", expires_at=NOW + 2 * DAY)))),
        "turn-audit-lasting-credentials",
    ),
    "peers on the server computer": case(run(*audited(*peers("127.0.0.8"))), "turn-audit-loopback-peers"),
    "peers at the unspecified address": case(run(*audited(*peers("::"))), "turn-audit-this-host-peers"),
    "IPv4 peers inside IPv6": case(run(*audited(*peers("64:ff9b::7f00:1"))), "turn-audit-embedded-peers"),
    "a cloud's metadata service": case(run(*audited(*peers("169.254.169.254"))), "turn-audit-link-local-peers"),
    "peers in private networks": case(run(*audited(*peers("10.0.0.1"))), "turn-audit-private-peers"),
    "multicast peers": case(run(*audited(*peers("224.0.0.1"))), "turn-audit-special-peers"),
    "the server's inner address as a peer": case(run(*audited(*inner("10.9.8.7:9"))), "turn-audit-own-inner-address"),
    "the server's public address is denied": case(
        run(*audited(*permissions(own=refused(_HERE, 403)))), "turn-audit-own-address-denied"
    ),
    "a channel to a peer whose permission is denied": case(
        run(*audited(*permissions(channels={"127.0.0.1": _OPEN}))), "turn-audit-channel-bypass"
    ),
    "a channel is refused by an unsigned 401, as pion does": case(
        run(*audited(*permissions(channels=dict.fromkeys(("127.0.0.1", "10.0.0.1", "::1"), _UNSIGNED_401))))
    ),
    "a permission is refused by a signed error without a code, as pion does": case(
        run(*audited(*permissions(dict.fromkeys(("127.0.0.1", "10.0.0.1", "::1"), _CODELESS))))
    ),
    "permissions that nobody answers prove nothing": case(
        run(*audited(*permissions(dict.fromkeys(("127.0.0.1", "10.0.0.1"), failed(Failure.TIMEOUT)))))
    ),
    "TCP is relayed": case(run(*audited(allocation("tcp-relay", granted()))), "turn-audit-tcp-relay"),
    "a name with a digit is no version": case(run(*audited(told(software="P1 STUN library"))), "server-software"),
    "a version is announced": case(run(*audited(told(software="pion/turn 4.0"))), "turn-audit-software"),
    "a version with known flaws is announced": case(
        run(*audited(told(software="Coturn-4.5.1 'dan Eider'"))), "turn-audit-software", "turn-audit-known-flaws"
    ),
    "an inner address is told": case(
        run(*audited(told(other_address=at("10.9.8.7:3479")))),
        "turn-audit-inner-address-told",
        "stun-other-address-implausible",
    ),
    "answers to strangers are five times as long": case(
        run(*audited(size("Binding", 20, 104), size("Allocate", 28, 76))), "turn-audit-large-answers"
    ),
    "TLS 1.0 is accepted": case(
        run(*audited(*offers(TLSv1_2="accepted", TLSv1_1="refused", TLSv1="accepted"))), "turn-audit-old-tls"
    ),
    "no TLS at the port of an audited server": case(run(*audited(*offers(TLSv1_2="not-spoken"))), "turn-audit-no-tls"),
    "two clients get one nonce": case(run(*audited(nonces(repeated=True))), "turn-audit-nonce-repeated"),
    "an audit that got no answer says nothing of its own": case(
        run(
            *audited(
                TURN.target(),
                TURN.binding(failed()),
                TURN.challenge(failed()),
                leave_out=(Allocation, AuditPermission, AuditSize, AuditNonce, AuditTls),
            )
        ),
        "server-udp-filtered",
    ),
}
