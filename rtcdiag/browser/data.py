"""DTLS, SCTP and data channels over the pair that the session's agent uses. aiortc is only known here.

aiortc's transports run over its ICE transport, of which they need ``_recv``, ``_send`` and ``role``; here the
session's own agent stands in its place, so that every check is seen. Besides, ``RTCDtlsTransport._set_role`` is
driven. Each has a contract test.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Literal

from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

MOST_WAITING = 2000
"""Datagrams that may wait to be read; what is beyond is lost, as it would be in a socket."""
DtlsRole = Literal["client", "server"]
Outcome = Literal["open", "dtls-failed", "dtls-silent", "not-opened"]


class _Transport:
    """What aiortc's DTLS takes for an ICE transport."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._post = send
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()

    def arrive(self, data: bytes) -> None:
        if data and self._waiting.qsize() < MOST_WAITING:
            self._waiting.put_nowait(data)

    def close(self) -> None:
        self._waiting.put_nowait(None)

    async def _recv(self) -> bytes:
        data = await self._waiting.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._post(data)


class Certificate:
    """The own certificate, made for one session."""

    def __init__(self) -> None:
        """Make a key and sign it."""
        self.made = RTCCertificate.generateCertificate()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint, as SDP writes it (RFC 8122 section 5)."""
        (found,) = (one.value for one in self.made.getFingerprints() if one.algorithm == "sha-256")
        return str(found)


class Remote:
    """What the browser's offer says of its DTLS and SCTP."""

    def __init__(self, fingerprints: list[tuple[str, str]], role: DtlsRole, port: int, longest: int) -> None:
        """Take its fingerprints, the own role, its SCTP port, and how many bytes it takes in one message."""
        self.role = role
        self.port, self.longest = port, longest
        self.parameters = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints])


class Line:
    """DTLS and the browser's data channels; `close` ends both."""

    def __init__(self, certificate: Certificate, remote: Remote, send: Callable[[bytes], object]) -> None:
        """Take how datagrams are sent over the selected pair; `arrive` takes those that come."""
        self._remote = remote
        self._transport = _Transport(send)
        self.arrive = self._transport.arrive
        self._dtls = RTCDtlsTransport(self._transport, [certificate.made])  # type: ignore[arg-type]  # see above
        self._dtls._set_role(remote.role)  # noqa: SLF001 - see above
        self._sctp = RTCSctpTransport(self._dtls, remote.port)  # the answer says the same port
        self._sctp.on("datachannel", self._opened)
        self._channels: dict[str, RTCDataChannel] = {}
        self._news = asyncio.Event()
        self.on_message: dict[str, Callable[[Any], None]] = {}
        """By the channel's label: takes bytes or a string."""

    def _opened(self, channel: RTCDataChannel) -> None:
        self._channels.setdefault(channel.label, channel)
        channel.on("message", lambda data: self._hear(channel.label, data))
        self._news.set()

    def _hear(self, label: str, data: Any) -> None:
        take = self.on_message.get(label)
        if take is not None:
            take(data)

    async def handshake(self, limit_s: float) -> Outcome | None:
        """Do the DTLS handshake; return how it failed, None where it did not."""
        try:
            async with asyncio.timeout(limit_s):
                await self._dtls.start(self._remote.parameters)
        except TimeoutError:
            return "dtls-silent"
        except ConnectionError:
            return "dtls-failed"
        return None if self._dtls.state == "connected" else "dtls-failed"

    async def open(self, labels: tuple[str, ...], limit_s: float) -> bool:
        """Start SCTP, and wait until the browser has opened its channels."""
        try:
            async with asyncio.timeout(limit_s):
                await self._sctp.start(RTCSctpCapabilities(self._remote.longest), self._remote.port)
                while not all(label in self._channels for label in labels):
                    self._news.clear()
                    await self._news.wait()
        except (TimeoutError, ConnectionError):
            return False
        return True

    def post(self, label: str, data: bytes | str) -> bool:
        """Send over a channel; False where it is closed."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            return False
        channel.send(data)
        return True

    def waiting(self, label: str) -> int:
        """Return how many bytes wait to be sent over a channel."""
        channel = self._channels.get(label)
        return channel.bufferedAmount if channel is not None else 0

    async def close(self) -> None:
        """End SCTP and DTLS."""
        with contextlib.suppress(ConnectionError):
            await self._sctp.stop()
        await self._dtls.stop()
        self._transport.close()
