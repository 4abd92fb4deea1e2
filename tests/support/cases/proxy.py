"""A TURN server that is asked directly and through a proxy: what the proxy did, and which way works."""

from typing import Any

from rtcdiag.evidence import Failure, Observation, ProxyTunnel, Resolution
from rtcdiag.targets import Transport
from support.cases import Case, case
from support.evidence import PROXY, Turn, at, connect, failed, handshake, refused, resolution, run, target

URI = "turn:turn.example.org:3478?transport=tcp"
THROUGH = f"{URI} via {PROXY}"
HERE = "10.0.0.8:3128"
DIRECT = Turn(uri=URI, transport=Transport.TCP)
VIA = Turn(uri=THROUGH, transport=Transport.TCP, address=HERE)
SECURE = "turns:turn.example.org:443?transport=tcp"


def tunnel(uri: str = THROUGH, **more: Any) -> ProxyTunnel:
    fields: dict[str, Any] = {
        "t_ms": 1000.0,
        "server": uri,
        "proxy": PROXY,
        "target": "turn.example.org:3478",
        "destination": at(HERE),
        "step": "request",
        "status": 200,
    }
    return ProxyTunnel(**fields | more)


def no_answer(step: str, failure: Failure, **more: Any) -> ProxyTunnel:
    return tunnel(step=step, status=None, failure=failure, **more)


def blocked(*more: Observation) -> tuple[Observation, ...]:
    """Nothing comes back to a SYN."""
    return DIRECT.target(), target(THROUGH), connect(URI, DIRECT.address, Failure.TIMEOUT), *more


def works(*more: Observation) -> tuple[Observation, ...]:
    """The direct way relays."""
    return (*DIRECT.up_to("end"), target(THROUGH), *more)


def through(step: str = "end") -> tuple[Observation, ...]:
    """The way through the proxy is healthy up to a step."""
    own = VIA.up_to(step)
    return (tunnel(), *(item for item in own if item not in own[:1] and type(item).__name__ != "Connect"))


NAMELESS: tuple[Resolution, ...] = (resolution("turn.example.org", failure=Failure.DNS_NOT_FOUND),)

FAILS: dict[str, tuple[ProxyTunnel, str]] = {
    "refuses TCP": (no_answer("connect", Failure.CONNECTION_REFUSED), "proxy-unreachable"),
    "has a name without an address": (
        no_answer("name", Failure.DNS_NOT_FOUND, destination=None),
        "proxy-unreachable",
    ),
    "has a bad certificate": (no_answer("tls", Failure.TLS_UNKNOWN_AUTHORITY, detail="unknown"), "proxy-tls-failed"),
    "is silent": (no_answer("request", Failure.TIMEOUT), "proxy-silent"),
    "hangs up": (no_answer("request", Failure.CONNECTION_CLOSED), "proxy-hangs-up"),
    "answers garbage": (no_answer("request", Failure.NOT_HTTP), "proxy-answers-garbage"),
    "wants a login": (tunnel(status=407, schemes=("Basic",)), "proxy-wants-login"),
    "knows only other logins": (tunnel(status=407, schemes=("NTLM",), login=True), "proxy-wants-login"),
    "rejects the login": (tunnel(status=407, schemes=("Basic",), login=True), "proxy-rejects-login"),
    "forbids it": (tunnel(status=403), "proxy-forbids-connect"),
    "leads elsewhere": (tunnel(status=302), "proxy-forbids-connect"),
    "cannot connect": (tunnel(status=503), "proxy-cannot-connect"),
}

CASES: dict[str, Case] = {
    "a server works directly and through the proxy": case(run(*works(*through())), "turn-also-through-proxy"),
    "a server works only through the proxy": case(run(*blocked(*through())), "turn-only-through-proxy"),
    "only the proxy can look the server's name up": case(
        run(DIRECT.target(), target(THROUGH), *NAMELESS, *through()), "turn-only-through-proxy"
    ),
    "a proxy opens a tunnel in which nothing is answered": case(
        run(*works(tunnel(), VIA.challenge(failed()))), "proxy-passes-no-turn"
    ),
    "the password is wrong, and only the proxy's way leads far enough to tell": case(
        run(*blocked(*through("challenge"), VIA.allocation(refused(HERE, 401)))),
        "server-no-answer",
        "turn-credentials-rejected",
    ),
    "the run ended while the proxy was asked": case(
        run(*works(no_answer("request", Failure.INTERRUPTED))),
    ),
    "the proxy shows a certificate of its own inside the tunnel": case(
        run(
            *Turn(uri=SECURE, transport=Transport.TLS, address="198.51.100.30:443").up_to("end"),
            target(f"{SECURE} via {PROXY}"),
            tunnel(f"{SECURE} via {PROXY}", target="turn.example.org:443"),
            handshake(f"{SECURE} via {PROXY}", HERE, Failure.TLS_UNKNOWN_AUTHORITY),
        ),
        "tls-unknown-authority",
    ),
    **{f"the direct way is blocked and the proxy {how}": case(run(*blocked(item)), "server-no-answer", code)
       for how, (item, code) in FAILS.items()},
    **{f"the direct way works and the proxy {how}": case(run(*works(item)), code)
       for how, (item, code) in FAILS.items()},
}  # fmt: skip
