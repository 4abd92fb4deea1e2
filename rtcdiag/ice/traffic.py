"""What goes over the sockets of a session, for who records packets.

aioice makes its TURN clients itself, so theirs stand in place of ``turn.TurnClientUdpProtocol`` and
``turn.TurnClientTcpProtocol`` from now on, which nothing promises; they have a contract test.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Literal

from aioice import turn

from rtcdiag.address import TransportAddress

Carrier = Literal["udp", "tcp", "tls"]
OnTraffic = Callable[[Carrier, Literal["sent", "received"], bytes, TransportAddress, TransportAddress], None]
"""Takes what went over a socket, its local end and the other."""


def unrecorded(_carrier: Carrier, _way: str, _data: bytes, _local: TransportAddress, _peer: TransportAddress) -> None:
    """Record nothing."""


recording: ContextVar[OnTraffic] = ContextVar("recording", default=unrecorded)
"""Who is told what the TURN clients that are made here send and receive."""


class Recorded(turn.TurnClientMixin):
    """A TURN client that tells what it sends and receives."""

    transport: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Tell who records where it is made (aioice)."""
        super().__init__(*args, **kwargs)
        self._on_traffic = recording.get()

    def datagram_received(self, data: bytes | str, addr: tuple[str, int]) -> None:
        """Take a message of the server (aioice)."""
        self._note("received", bytes(data) if not isinstance(data, str) else b"")
        super().datagram_received(data, addr)

    def _note(self, way: Literal["sent", "received"], data: bytes) -> None:
        if self._on_traffic is unrecorded:
            return
        secure = self.transport.get_extra_info("ssl_object") is not None
        stream: Carrier = "tls" if secure else "tcp"
        local, peer = (TransportAddress(*self.transport.get_extra_info(end)[:2]) for end in ("sockname", "peername"))
        self._on_traffic(stream if isinstance(self, turn.TurnStreamMixin) else "udp", way, data, local, peer)


class _OverUdp(Recorded, turn.TurnClientUdpProtocol):
    def _send(self, data: bytes) -> None:
        self._note("sent", data)
        super()._send(data)


class _OverTcp(Recorded, turn.TurnClientTcpProtocol):
    def _send(self, data: bytes) -> None:
        self._note("sent", self._padded(data))
        super()._send(data)


turn.TurnClientUdpProtocol, turn.TurnClientTcpProtocol = _OverUdp, _OverTcp  # type: ignore[misc] # see above
