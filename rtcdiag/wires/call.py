"""One transaction on a wire, and what arrives there that belongs to none."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Exchange, Failure
from rtcdiag.stun.answer import exchange_of
from rtcdiag.stun.framing import Frame
from rtcdiag.stun.header import MessageClass, looks_like_stun, split_type
from rtcdiag.stun.message import Message
from rtcdiag.stun.transaction import Transaction

OnOther = Callable[[Frame, TransportAddress], None]
"""Takes what is no response (ChannelData, indications, anything else) and its source."""


class Call:
    """One transaction on a wire, and why it failed where a socket said so."""

    def __init__(self, transaction: Transaction) -> None:
        """Start without an answer."""
        self.transaction = transaction
        self.failure: Failure | None = None
        self.refused_by: str | None = None
        self.woken = asyncio.Event()
        self.heard_by: object | None = None
        """By which of the wires that listen for it the answer came."""
        self.enough_ms: Callable[[], float | None] = lambda: None
        """Until when to wait for an answer, once it need not be sent again; None while the schedule stands."""
        self.on_sent: Callable[[], None] = lambda: None
        """Called after each transmission."""
        self.unfinished_bytes: Callable[[], int] = lambda: 0
        """How much of a message is there whose rest has not come."""

    @property
    def message(self) -> Message | None:
        """The answer that counts."""
        answer = self.transaction.answer
        return answer.message if answer is not None else None

    def fail(self, failure: Failure) -> None:
        """End the wait for an answer."""
        self.failure = failure
        self.woken.set()

    def exchange(self, *, key: bytes | None = None, secrets: frozenset[str] = frozenset()) -> Exchange:
        """Return what a report keeps of it, as known now."""
        failure = self.failure or Failure.TIMEOUT
        found = exchange_of(self.transaction, failure=failure, refused_by=self.refused_by, key=key, secrets=secrets)
        return found if found.answers else replace(found, unfinished_bytes=self.unfinished_bytes())


def receive(call: Call, now_ms: float, data: bytes, source: TransportAddress | None) -> bool:
    """Hand a datagram or frame to its transaction, and say whether it is the answer that counts."""
    counts = call.transaction.receive(now_ms, data, source)
    if counts:
        call.woken.set()
    return counts


def is_stray(frame: Frame) -> bool:
    """Tell a TURN server's relayed data, which may come at any time, from what nobody asked for."""
    if frame.channel is not None:
        return False
    if not looks_like_stun(frame.data):
        return True
    message_class, _ = split_type(int.from_bytes(frame.data[:2], "big"))
    return message_class is not MessageClass.INDICATION
