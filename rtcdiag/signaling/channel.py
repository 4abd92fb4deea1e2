"""What every kind of signaling offers to a session."""

from typing import Protocol

from rtcdiag.evidence.session import SessionRole, SignalingKind
from rtcdiag.signaling.messages import Message


class SignalingError(Exception):
    """The other end cannot be reached, or sent what cannot be read; the message is one line for people."""


class Channel(Protocol):
    """Both ends have one each. All methods but `close` raise SignalingError, and may be cancelled."""

    @property
    def kind(self) -> SignalingKind:
        """Which kind this is."""
        ...

    @property
    def role(self) -> SessionRole:
        """Which end this is: known once the channel is open."""
        ...

    @property
    def trickles(self) -> bool:
        """Whether it carries messages after the descriptions: candidates one by one, reports, farewells."""
        ...

    async def send(self, message: Message) -> None:
        """Hand over one message, in order."""
        ...

    async def receive(self) -> Message:
        """Return the other end's next message; copied text waits as long as the person needs."""
        ...

    async def close(self) -> None:
        """Leave; nothing is sent or listened to afterwards."""
        ...
