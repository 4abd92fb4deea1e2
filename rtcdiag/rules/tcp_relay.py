"""Whether a TURN server relays TCP connections, which calls do not need (RFC 6062)."""

from collections.abc import Iterator

from rtcdiag.evidence import AllocationTrial, Evidence, Observation, PeerConnection, RelayedStream
from rtcdiag.findings import Finding
from rtcdiag.rules.paths import UNFINISHED, Path, asked_paths

_UNSUPPORTED_TRANSPORT = 442


def tcp_relay(evidence: Evidence) -> Iterator[Finding]:
    """Judge what each path was told and shown; that it is refused is what most operators want."""
    for path in asked_paths(evidence):
        asked = [item for item in path.of(AllocationTrial) if "tcp" in item.wishes]
        if asked:
            yield from _judged(path, asked)


def _judged(path: Path, asked: list[AllocationTrial]) -> Iterator[Finding]:
    answers = [item.exchange.answer for item in asked if item.exchange.answer]
    streams = path.of(RelayedStream)
    if any(answer.error_code == _UNSUPPORTED_TRANSPORT for answer in answers):
        yield path.find("turn-tcp-relay-off", *asked)
    elif any(item.out_bytes and item.back_bytes for item in streams):
        yield path.find("turn-tcp-relay-works", *asked, *streams)
    elif any(answer.success for answer in answers) and (broken := _broken(path)) is not None:
        step, seen = broken
        yield path.find("turn-tcp-relay-broken", *asked, *seen, step=step)


def _broken(path: Path) -> tuple[str, tuple[Observation, ...]] | None:
    """Return what did not work, if something was tried and the run did not end before."""
    for item in path.of(PeerConnection):
        code = item.exchange.answer.error_code if item.exchange.answer else item.exchange.failure
        if item.exchange.failure not in UNFINISHED and not item.exchange.succeeded:
            return f"{_WORDS[item.step]}: {code}", (item,)
    streams = path.of(RelayedStream)
    return ("no bytes came through the connection", streams) if streams else None


_WORDS = {
    "permission": "the permission was refused",
    "connect": "the connection was refused",
    "bind-out": "the connection could not be taken over",
    "bind-in": "the other end of the connection could not be taken over",
}
