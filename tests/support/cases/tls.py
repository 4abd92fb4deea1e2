"""TLS handshakes."""

from rtcdiag.evidence import Evidence, Failure, Observation, TlsTrial
from rtcdiag.targets import Transport
from support.cases import case
from support.evidence import binding, certificate, connect, failed, handshake, run, target, tls_trial

S, S4 = "turns:turn.example.org:5349?transport=tcp", "198.51.100.30:5349"
OK = (target(S), connect(S, S4))
STUN = binding(S, S4, transport=Transport.TLS)
REFUSED = Failure.TLS_HANDSHAKE
NEWEST = Failure.TLS_PROTOCOL_VERSION


def refuses(failure: Failure, **more: object) -> Evidence:
    return run(*OK, handshake(S, S4, failure, **more))


def beside(*trials: TlsTrial) -> Evidence:
    """A server that works, and what it did with other handshakes: TLS 1.2 is taken and older versions are not."""
    usual = (tls_trial(S, S4, "tls-1.2"), tls_trial(S, S4, "old-versions", NEWEST))
    tried = {item.trial: item for item in (*usual, *trials)}
    return run(*OK, handshake(S, S4), STUN, *tried.values())


D = "turns:turn.example.org:5349?transport=udp"
OVER = Transport.DTLS
UDP = binding(D, S4, transport=Transport.UDP, purpose="control")


def over_dtls(failure: Failure | None, *more: Observation, **fields: object) -> Evidence:
    """A server that is asked for TURN over DTLS."""
    seen = handshake(D, S4, failure, transport=OVER, certificate=None, **fields)
    return run(target(D), seen, *more)


CASES = {
    "a certificate with 200 days left is fine": case(run(*OK, handshake(S, S4), STUN)),
    "a certificate has 20 days left": case(
        run(*OK, handshake(S, S4, certificate=certificate(days_left=20.0, days_old=70.0)), STUN),
        "tls-certificate-expires-soon",
    ),
    "a certificate has 6 days left": case(
        run(*OK, handshake(S, S4, certificate=certificate(days_left=6.0, days_old=84.0)), STUN),
        "tls-certificate-expires-within-days",
    ),
    "a certificate for six days is two days old, as it should be": case(
        run(*OK, handshake(S, S4, certificate=certificate(days_left=4.0, days_old=2.0)), STUN)
    ),
    "a handshake that shows no certificate says nothing of expiry": case(
        run(*OK, handshake(S, S4, certificate=None), STUN)
    ),
    "the handshake agreed on TLS 1.1": case(run(*OK, handshake(S, S4, version="TLSv1.1"), STUN), "tls-old-version"),
    "the certificate has expired": case(refuses(Failure.TLS_CERTIFICATE_EXPIRED), "tls-certificate-expired"),
    "the certificate is not valid yet": case(
        refuses(Failure.TLS_CERTIFICATE_NOT_YET_VALID), "tls-certificate-not-yet-valid"
    ),
    "the certificate is for another name": case(
        refuses(Failure.TLS_HOSTNAME_MISMATCH, server_name=None), "tls-hostname-mismatch"
    ),
    "the intermediate certificate is missing": case(refuses(Failure.TLS_CHAIN_INCOMPLETE), "tls-chain-incomplete"),
    "the certificate is self-signed": case(refuses(Failure.TLS_SELF_SIGNED, certificate=None), "tls-self-signed"),
    "nobody here knows the authority": case(refuses(Failure.TLS_UNKNOWN_AUTHORITY), "tls-unknown-authority"),
    "the key is too short": case(refuses(Failure.TLS_CERTIFICATE_WEAK), "tls-certificate-weak"),
    "the chain has no end": case(refuses(Failure.TLS_CERTIFICATES_TOO_LARGE), "tls-certificates-too-large"),
    "the verifier has another reason": case(refuses(Failure.TLS_CERTIFICATE_INVALID), "tls-certificate-invalid"),
    "no common version": case(refuses(Failure.TLS_PROTOCOL_VERSION), "tls-protocol-version"),
    "an alert ends the handshake": case(refuses(Failure.TLS_HANDSHAKE), "tls-handshake-refused"),
    "what comes back is not TLS": case(refuses(Failure.TLS_NOT_SPOKEN), "tls-on-plain-port"),
    "the handshake stays unanswered": case(refuses(Failure.TIMEOUT), "tls-silent"),
    "the handshake is cut off": case(refuses(Failure.CONNECTION_RESET), "tls-handshake-cut-off"),
    "the handshake is cut off where plain STUN answers": case(
        run(
            *OK,
            handshake(S, S4, Failure.CONNECTION_CLOSED),
            connect(S, S4, purpose="control"),
            binding(S, S4, transport=Transport.TCP, purpose="control"),
        ),
        "tls-on-plain-port",
    ),
    "an expired certificate stays expired where plain STUN answers, too": case(
        run(
            *OK,
            handshake(S, S4, Failure.TLS_CERTIFICATE_EXPIRED),
            connect(S, S4, purpose="control"),
            binding(S, S4, transport=Transport.TCP, purpose="control"),
        ),
        "tls-certificate-expired",
    ),
    "TLS fails in a way that has no name": case(refuses(Failure.OTHER_OS_ERROR), "tls-failed"),
    "the deadline cut the handshake off": case(refuses(Failure.DEADLINE), "deadline-reached"),
    "of two handshakes one succeeded": case(run(*OK, handshake(S, S4, Failure.TIMEOUT), handshake(S, S4), STUN)),
    "TLS stands and STUN is silent": case(
        run(*OK, handshake(S, S4), binding(S, S4, failed(), transport=Transport.TLS)), "stream-silent"
    ),
    "DTLS gets no answer": case(over_dtls(Failure.TIMEOUT), "turns-over-udp"),
    "DTLS gets no answer where STUN does": case(over_dtls(Failure.TIMEOUT, UDP), "turns-over-udp"),
    "DTLS is refused": case(over_dtls(Failure.CONNECTION_REFUSED), "turns-over-udp"),
    "a DTLS handshake ends with an alert": case(over_dtls(REFUSED), "turns-over-udp"),
    "DTLS stands and nothing is relayed": case(over_dtls(None), "turns-over-udp"),
    "DTLS stands with a certificate for another name": case(
        run(target(D), handshake(D, S4, Failure.TLS_HOSTNAME_MISMATCH, transport=OVER)),
        "turns-over-udp",
    ),
    "an answer over TLS begins and does not end": case(
        run(*OK, handshake(S, S4), binding(S, S4, failed(unfinished_bytes=3), transport=Transport.TLS)),
        "stream-unfinished",
    ),
    "other handshakes succeed, too": case(
        beside(tls_trial(S, S4, "alpn", alpn="stun.turn"), tls_trial(S, S4, "no-sni"))
    ),
    "ALPN is refused": case(beside(tls_trial(S, S4, "alpn", REFUSED)), "tls-alpn-refused"),
    "without a name it hangs up": case(
        beside(tls_trial(S, S4, "no-sni", Failure.CONNECTION_RESET)), "tls-needs-server-name"
    ),
    "without a name it shows another certificate": case(
        beside(tls_trial(S, S4, "no-sni", named=False)), "tls-needs-server-name"
    ),
    "without a name it shows a certificate that cannot be read": case(
        beside(tls_trial(S, S4, "no-sni", named=False, certificate=None)), "tls-needs-server-name"
    ),
    "TLS 1.2 is refused": case(
        beside(tls_trial(S, S4, "tls-1.2", NEWEST), tls_trial(S, S4, "alpn")), "tls-1-2-missing"
    ),
    "TLS 1.1 is taken": case(beside(tls_trial(S, S4, "old-versions", version="TLSv1.1")), "tls-old-versions-accepted"),
    "every other handshake fails: connections are limited": case(
        beside(
            tls_trial(S, S4, "alpn", Failure.CONNECTION_RESET),
            tls_trial(S, S4, "no-sni", Failure.CONNECTION_RESET),
            tls_trial(S, S4, "tls-1.2", Failure.CONNECTION_RESET),
        )
    ),
    "a handshake is cut off, and one with old versions is not": case(
        run(
            *OK,
            handshake(S, S4, Failure.CONNECTION_CLOSED),
            tls_trial(S, S4, "old-versions", version="TLSv1.1"),
        ),
        "tls-protocol-version",
    ),
    "coturn without new versions is silent, answers plain STUN, and refuses old versions": case(
        run(
            *OK,
            handshake(S, S4, Failure.TIMEOUT),
            connect(S, S4, purpose="control"),
            binding(S, S4, transport=Transport.TCP, purpose="control"),
            tls_trial(S, S4, "old-versions", Failure.TLS_HANDSHAKE),
        ),
        "tls-protocol-version",
    ),
    "a plain port is silent to old versions, too": case(
        run(
            *OK,
            handshake(S, S4, Failure.TIMEOUT),
            connect(S, S4, purpose="control"),
            binding(S, S4, transport=Transport.TCP, purpose="control"),
            tls_trial(S, S4, "old-versions", Failure.TIMEOUT),
        ),
        "tls-on-plain-port",
    ),
    "TLS 1.2 is agreed on, and refused another time": case(
        run(
            *OK,
            handshake(S, S4, version="TLSv1.2"),
            STUN,
            tls_trial(S, S4, "tls-1.2", Failure.CONNECTION_RESET),
            tls_trial(S, S4, "alpn"),
        )
    ),
    "no common version, and an old one is taken": case(
        run(*OK, handshake(S, S4, NEWEST), tls_trial(S, S4, "old-versions", version="TLSv1.1")), "tls-protocol-version"
    ),
}
