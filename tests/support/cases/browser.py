"""A browser on the other end: what broke after a pair connected, and why its candidates differ."""

from typing import Any

from rtcdiag.evidence import BrowserSelection, BrowserView, DataChannel, Observation, ServerError
from support.cases import Case, case
from support.evidence import at
from support.two_ends import A_GATHERED, A_HOST, A_MAPPED, A_RELAY, B_MAPPED, candidate, evidence, good, sdp, session

OWN = at("192.168.1.4:51000")
OTHER_HOST = at("10.8.0.2:50100")
PLAIN = sdp("host", OWN)
NAME = "candidate:1 1 udp 2113937151 46041e94-5603-4c78-81f0-eebff086caa3.local 43861 typ host"
TCP = "candidate:2 1 tcp 1518280447 192.168.1.4 9 typ host tcptype active"
REFLEXIVE = sdp("srflx", at("203.0.113.7:43861"))
VPN = sdp("srflx", at("198.51.100.77:43861"))
RELAYED = sdp("relay", at("192.0.2.50:49999"))
RELAY = candidate("relay", A_RELAY)


def view(*told: str, **more: Any) -> BrowserView:
    fields: dict[str, Any] = {"t_ms": 9000.0, "browser": "Chromium 140", "gathered_ms": 300.0}
    return BrowserView(candidates=told, **fields | more)


def channel(outcome: Any = "open") -> DataChannel:
    return DataChannel(t_ms=900.0, duration_ms=40.0, outcome=outcome, dtls_ms=30.0, open_ms=8.0)


def beside(*seen: Observation, **more: Any) -> Any:
    """Return a session with a browser on this computer, which knows this program's own candidates."""
    own = session(signaling="browser", role="answerer", **more)
    return evidence(own, good(A_HOST, OWN, A_HOST, "host prflx"), *A_GATHERED, *seen)


def elsewhere(*seen: Observation) -> Any:
    """Return a session with a browser on another computer."""
    return evidence(session(signaling="browser", role="answerer"), good(A_HOST, B_MAPPED, A_MAPPED), *A_GATHERED, *seen)


def chosen(after_ms: float, kinds: str) -> BrowserSelection:
    one, two = kinds.split()
    return BrowserSelection(after_ms=after_ms, local_type=one, remote_type=two)  # type: ignore[arg-type] # types of candidates


LIKE = view(NAME, REFLEXIVE)
HERE = "session-one-computer"
CASES: dict[str, Case] = {
    "a browser gathers what this program does, under a name": case(beside(LIKE, channel()), HERE, "browser-names"),
    "a browser tells its address plainly": case(beside(view(PLAIN, REFLEXIVE), channel()), HERE),
    "DTLS with a browser fails": case(
        beside(LIKE, channel("dtls-failed")), HERE, "browser-names", "browser-dtls-failed"
    ),
    "DTLS with a browser is not answered": case(
        beside(LIKE, channel("dtls-silent")), HERE, "browser-names", "browser-dtls-silent"
    ),
    "no data channel opens": case(
        beside(LIKE, channel("not-opened")), HERE, "browser-names", "browser-channel-not-opened"
    ),
    "a browser may use TCP only": case(beside(view(TCP), channel()), HERE, "browser-without-udp"),
    "a browser may use nothing": case(beside(view()), HERE, "browser-without-udp"),
    "a browser is still gathering": case(beside(view(gathered_ms=None)), HERE),
    "a browser was told to use relays only": case(beside(view(RELAYED, relay_only=True), RELAY), HERE),
    "a browser's VPN has another way out": case(
        beside(view(NAME, VPN)), HERE, "browser-names", "browser-other-address"
    ),
    "a browser on another computer has its own public address": case(
        elsewhere(view(NAME, VPN), channel()), "browser-names"
    ),
    "no STUN server answered the browser": case(
        beside(view(NAME, errors=(ServerError(server="stun:stun.example.org:3478", code=701),))),
        HERE,
        "browser-names",
        "browser-no-reflexive",
    ),
    "a TURN server refused the browser": case(
        beside(view(NAME, REFLEXIVE, errors=(ServerError(server="", code=486),)), RELAY),
        HERE,
        "browser-names",
        "browser-no-relay",
    ),
    "a browser got no relay and names no reason": case(
        beside(view(NAME, REFLEXIVE), RELAY), HERE, "browser-names", "browser-no-relay"
    ),
    "a browser uses what the default route gives": case(
        beside(LIKE, candidate("host", OTHER_HOST)), HERE, "browser-names", "browser-default-route-only"
    ),
    "a browser moves to a better pair": case(
        beside(view(PLAIN, REFLEXIVE, selected=(chosen(0.0, "relay srflx"), chosen(2000.0, "host host")))),
        HERE,
        "browser-pair-changed",
    ),
    "a browser keeps its pair": case(
        beside(view(PLAIN, REFLEXIVE, selected=(chosen(0.0, "host host"), chosen(2000.0, "host host")))),
        HERE,
    ),
}
