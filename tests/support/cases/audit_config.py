"""Configuration files of coturn: one in which nothing is to be found, and each line that is wrong."""

from rtcdiag.audit.ranges import RECOMMENDED
from rtcdiag.evidence import Evidence
from support.audit import config
from support.cases import Case, case
from support.evidence import run

SECRET = "k3Jd9fQpZ1vXw7Lr2Tn8Ym4Bc6Hs0GaE5uRi3Kl7"
GOOD = (
    "listening-port=3478",
    "external-ip=198.18.7.7/10.0.0.5",
    "allowed-peer-ip=198.18.7.7",
    "use-auth-secret",
    f"static-auth-secret={SECRET}",
    "realm=turn.example.org",
    "no-tcp-relay",
    "no-multicast-peers",
    *(f"denied-peer-ip={item}" for item in RECOMMENDED),
    "cert=/etc/turn/fullchain.pem",
    "pkey=/etc/turn/privkey.pem",
    "no-tlsv1",
    "no-tlsv1_1",
    "no-software-attribute",
    "no-rfc5780",
    "no-stun-backward-compatibility",
    "response-origin-only-with-rfc5780",
    "user-quota=12",
    "total-quota=1200",
    "max-bps=3000000",
    "stale-nonce=600",
    "no-cli",
)


def but(*more: str, without: str = "-", version: str | None = None) -> Evidence:
    """Return the good file with other lines, without those that begin so."""
    return run(config(*(line for line in GOOD if not line.startswith(without)), *more, version=version))


_SMALL_ANSWERS = ("no-rfc5780", "no-stun-backward-compatibility", "response-origin-only-with-rfc5780")

CASES: dict[str, Case] = {
    "a configuration in which nothing is to be changed": case(but()),
    "a switch of an old coturn is none of a new one": case(but(without="no-tlsv1", version="4.8.0")),
    "no-auth": case(but("no-auth"), "turn-config-no-auth"),
    "no-auth that is off": case(but("no-auth=off")),
    "no mechanism at all": case(run(config(*(line for line in GOOD if "secret" not in line))), "turn-config-no-auth"),
    "the secret of coturn's example": case(
        but("static-auth-secret=north", without="static-auth"), "turn-config-known-secret"
    ),
    "a short secret": case(but("static-auth-secret=Zx81-c64!", without="static-auth"), "turn-config-short-secret"),
    "users whose password is their name": case(
        run(config(*(line for line in GOOD if "secret" not in line), "lt-cred-mech", "user=kim:kim")),
        "turn-config-known-password",
        "turn-config-lasting-credentials",
    ),
    "users beside a secret": case(but("user=kim:k3Jd9fQpZ1vXw7Lr"), "turn-config-mixed-credentials"),
    "no realm": case(but(without="realm"), "turn-config-no-realm"),
    "one range is not denied": case(but(without="denied-peer-ip=169"), "turn-config-peers-not-denied"),
    "a comment behind a switch": case(but("lt-cred-mech # before 4.5.0.8"), "turn-config-bad-switch"),
    "a server that only does STUN": case(
        run(config("stun-only", "no-software-attribute", "no-tlsv1", "no-tlsv1_1", *_SMALL_ANSWERS))
    ),
    "a range with a slash": case(but("denied-peer-ip=25.0.0.0/8"), "turn-config-bad-range"),
    "a range from the unspecified address on": case(but("denied-peer-ip=::-::1"), "turn-config-boundless-range"),
    "the unspecified address alone": case(
        but("allowed-peer-ip=0.0.0.0"), "turn-config-boundless-range", "turn-config-inner-peers-allowed"
    ),
    "this host over IPv4": case(but("denied-peer-ip=0.0.0.0-0.255.255.255")),
    "the server's own address is denied": case(but(without="allowed-peer-ip"), "turn-config-locked-out"),
    "loopback peers are allowed": case(but("allow-loopback-peers"), "turn-config-loopback-peers"),
    "an inner peer is allowed": case(but("allowed-peer-ip=10.0.0.9"), "turn-config-inner-peers-allowed"),
    "multicast is not denied": case(
        run(config(*(line for line in GOOD if line != "no-multicast-peers" and "=ff00" not in line))),
        "turn-config-multicast-peers",
        "turn-config-peers-not-denied",
    ),
    "a file relays TCP": case(but(without="no-tcp-relay"), "turn-config-tcp-relay"),
    "server-relay": case(but("server-relay"), "turn-config-server-relay"),
    "external-ip is private": case(but("external-ip=10.0.0.5", without="external-ip"), "turn-config-external-ip-inner"),
    "eleven relay ports": case(but("min-port=50000", "max-port=50010"), "turn-config-few-ports"),
    "the command line interface on every address": case(
        but("cli-ip=0.0.0.0", without="no-cli"), "turn-config-cli-exposed"
    ),
    "web administration on every address": case(
        but("web-admin", "web-admin-ip=0.0.0.0"), "turn-config-web-admin-exposed"
    ),
    "metrics on every address": case(but("prometheus"), "turn-config-metrics-exposed"),
    "metrics on the loopback address": case(but("prometheus", "prometheus-address=127.0.0.1")),
    "no certificate": case(but(without="cert"), "turn-config-no-tls"),
    "TLS 1.2 is off": case(but("no-tlsv1_2"), "turn-config-no-tls12"),
    "TLS 1.0 is on": case(but(without="no-tlsv1"), "turn-config-old-tls"),
    "a new coturn is asked for TLS 1.0": case(but("tlsv1", version="4.8.0"), "turn-config-old-tls"),
    "the version is told": case(but(without="no-software"), "turn-config-software"),
    "a new coturn is asked to tell its version": case(
        but("software-attribute", version="4.8.0"), "turn-config-software"
    ),
    "answers for NAT tests": case(but(without="no-rfc5780"), "turn-config-large-answers"),
    "no quota": case(but(without="user-quota"), "turn-config-no-quota"),
    "no limit of challenges in a coturn that has one": case(but(version="4.17.0"), "turn-config-no-rate-limit"),
    "a nonce for good": case(but("stale-nonce=0", without="stale-nonce"), "turn-config-lasting-nonce"),
    "a typing mistake": case(but("denied-peer_ip=25.0.0.1"), "turn-config-unknown-option"),
}
