"""A session of two people, and its candidate pairs, in a few words."""

from typing import assert_never

from rtcdiag.evidence import BrowserView, CheckedPair, DataChannel, LearnedCandidate, PeerSession, PeerStream
from rtcdiag.formats.words import Tone, count, ms

Kind = PeerSession | CheckedPair | LearnedCandidate | PeerStream | BrowserView | DataChannel


def told(item: Kind) -> tuple[str, str, str, Tone]:
    """Return what it is, where, how it ended, and the tone of that."""
    match item:
        case PeerSession():
            return "Session", f"{item.role} by {item.signaling}", *_session(item)
        case CheckedPair():
            label = f"Pair {item.local_type} to {item.remote_type}"
            return label, f"{item.local} to {item.remote}", *_pair(item)
        case LearnedCandidate():
            return f"Learned of {item.whose}", str(item.local), f"{item.address}", "muted"
        case PeerStream():
            return "Packets from the other end", str(item.remote), *_stream(item)
        case BrowserView():
            return "Browser", item.browser or "unnamed", count(len(item.candidates), "candidate"), "muted"
        case DataChannel():
            tone: Tone = "ok" if item.outcome == "open" else "bad"
            return "Data channel", "over DTLS", item.outcome.replace("-", " "), tone
        case _:
            assert_never(item)


def _session(item: PeerSession) -> tuple[str, Tone]:
    reached = [one.policy for one in item.policies if one.outcome == "connected"]
    words = f"connected: {', '.join(reached)}" if reached else item.stop.replace("-", " ")
    return (f"{words}, {item.detail}" if item.detail else words), "ok" if reached else "bad"


def _pair(item: CheckedPair) -> tuple[str, Tone]:
    words = f"{item.state}, {count(item.checks, 'check')}"
    rtt = f", {ms(item.rtt_ms)}" if item.rtt_ms is not None else ""
    return words + rtt, "ok" if item.state == "succeeded" else "muted"


def _stream(item: PeerStream) -> tuple[str, Tone]:
    got = item.inward
    return f"{got.received} of {got.sent} arrived", "warn" if got.lost else "ok"
