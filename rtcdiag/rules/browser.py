"""A browser on the other end of a session: its data channel, and why it gathered what this program did not."""

from collections.abc import Iterator

from rtcdiag.evidence import BrowserView, DataChannel, Evidence
from rtcdiag.findings import Facts, Finding, find
from rtcdiag.session import UNREACHED, Difference, differences, end_of

_CODES = {
    "no-udp": "browser-without-udp",
    "other-address": "browser-other-address",
    "no-srflx": "browser-no-reflexive",
    "no-relay": "browser-no-relay",
    "default-route": "browser-default-route-only",
    "names": "browser-names",
    "changed": "browser-pair-changed",
}


def candidates(evidence: Evidence) -> Iterator[Finding]:
    """Tell why the two lists of candidates differ."""
    end, views = end_of(evidence), evidence.of(BrowserView)
    if end is not None and views:
        for item in differences(end, views[0]):
            yield find(_CODES[item.why], views[0].id, **_facts(item))


def _facts(item: Difference) -> Facts:
    here, there = ", ".join(item.here), ", ".join(item.there)
    match item.why:
        case "no-srflx" | "no-relay":
            return {"here": here, "said": _said(item.there)}
        case "names":
            return {"names": len(item.there)}
        case "default-route":
            return {"here": here, "own": len(item.here), "hosts": len(item.there)}
        case "changed":
            return {"used": ", then ".join(item.there)}
        case "no-udp":
            return {"here": here, "there": there or "none"}
        case "other-address":
            return {"here": here, "there": there}


def _said(codes: tuple[str, ...]) -> str:
    """Return what the browser says of its servers."""
    if not codes:
        return "It names no reason"
    words = ["it could not reach a server" if code == str(UNREACHED) else f"a server answered {code}" for code in codes]
    return f"It says that {' and that '.join(words)}"


def channel(evidence: Evidence) -> Iterator[Finding]:
    """Name what broke after a pair had connected."""
    for item in evidence.of(DataChannel):
        if item.outcome != "open":
            yield find(f"browser-{_BROKEN[item.outcome]}", item.id)


_BROKEN = {"dtls-failed": "dtls-failed", "dtls-silent": "dtls-silent", "not-opened": "channel-not-opened"}
