"""The steps of a TURN session: each as label, lane, address, outcome and tone."""

from typing import assert_never

from rtcdiag.evidence import (
    Allocation,
    AllocationTrial,
    Challenge,
    PeerConnection,
    Permission,
    Redirect,
    Refresh,
    RelayedData,
    RelayedStream,
)
from rtcdiag.evidence.tcp_relay import ConnectionStep
from rtcdiag.evidence.turn import WhyNot
from rtcdiag.formats.tables.outcomes import exchange_outcome
from rtcdiag.formats.words import Tone, ms

Kind = (
    Challenge
    | Allocation
    | AllocationTrial
    | PeerConnection
    | RelayedStream
    | Redirect
    | Permission
    | RelayedData
    | Refresh
)


def told(item: Kind) -> tuple[str, str, str, str, Tone]:
    """Return label, server, its address, how the step ended, and whether that is good."""
    label, outcome, tone = _told(item)
    return label, item.server, str(item.destination), outcome, tone


def _told(item: Kind) -> tuple[str, str, Tone]:
    match item:
        case Challenge():
            return ("Allocate, no credentials", *_challenge(item))
        case Allocation():
            return (f"Allocate {item.allocation}", *_allocation(item))
        case AllocationTrial():
            return (f"Allocate {', '.join(item.wishes)}", *_trial(item))
        case PeerConnection() | RelayedStream():
            return _told_of_tcp(item)
        case Redirect():
            return ("Try alternate", *_redirect(item))
        case _:
            return _told_of_use(item)


_CONNECTION: dict[ConnectionStep, str] = {
    "permission": "CreatePermission for TCP",
    "connect": "Connect",
    "bind-out": "ConnectionBind",
    "bind-in": "ConnectionBind, other end",
}


def _told_of_tcp(item: PeerConnection | RelayedStream) -> tuple[str, str, Tone]:
    if isinstance(item, PeerConnection):
        return (_CONNECTION[item.step], *exchange_outcome(item.exchange, f"for {item.peer}"))
    words = f"{item.out_bytes} and {item.back_bytes} of {item.sent_bytes} bytes arrived, out and back"
    return "Data through relayed TCP", words, "ok" if item.out_bytes and item.back_bytes else "bad"


def _told_of_use(item: Permission | RelayedData | Refresh) -> tuple[str, str, Tone]:
    match item:
        case Permission():
            label = "CreatePermission" if item.channel is None else "ChannelBind"
            return (label, *exchange_outcome(item.exchange, f"for {item.peer}"))
        case RelayedData():
            return (f"Data {item.path}", *_data(item))
        case Refresh():
            good = f"lifetime {item.lifetime_s} s" if item.lifetime_s else "released"
            return ("Refresh" if item.lifetime_s else "Release", *exchange_outcome(item.exchange, good))
        case _:
            assert_never(item)


def _challenge(item: Challenge) -> tuple[str, Tone]:
    answer = item.exchange.answer
    if answer is None:
        return exchange_outcome(item.exchange)
    if answer.success:
        return "allocated without credentials", "warn"
    asked = answer.error_code == 401
    return f"error {answer.error_code}, realm {answer.realm or 'missing'}", "ok" if asked else "bad"


def _allocation(item: Allocation) -> tuple[str, Tone]:
    answer = item.exchange.answer
    relayed = answer.relayed if answer is not None else None
    return exchange_outcome(item.exchange, f"relayed {relayed or 'address missing'}")


def _trial(item: AllocationTrial) -> tuple[str, Tone]:
    """Tell an answer to a question that is asked out of curiosity: no answer to it is a bad one."""
    answer = item.exchange.answer
    also = f" and {answer.relayed_also}" if answer is not None and answer.relayed_also else ""
    words, tone = exchange_outcome(item.exchange, f"relayed {answer.relayed if answer else ''}{also}")
    return words, "muted" if tone == "bad" else tone


_WHY_NOT: dict[WhyNot, str] = {
    "names-no-server": "it names no server",
    "other-family": "it is of another address family",
    "own-network": "a server may not send this computer there",
    "circle": "it was asked already",
    "second": "only the first is followed",
}


def _redirect(item: Redirect) -> tuple[str, Tone]:
    named = " ".join(filter(None, (str(item.alternate or "nowhere"), item.domain and f"({item.domain})")))
    if item.not_followed is None:
        return f"sent on to {named}", "info"
    return f"sent on to {named}, not followed: {_WHY_NOT[item.not_followed]}", "warn"


def _data(item: RelayedData) -> tuple[str, Tone]:
    took = f", {ms(item.rtt_ms)}" if item.rtt_ms is not None else ""
    tone: Tone = "ok" if item.received >= item.sent else "warn" if item.received else "bad"
    return f"{item.received} of {item.sent} arrived by {item.method}{took}", tone
