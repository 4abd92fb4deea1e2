"""What the two ends tell each other over the pair that connects them: sealed messages, and packets to be measured.

Sealed, because a report names addresses and the network between is anybody's. The key is made of both ends' ICE
passwords, which only who read both descriptions knows.
"""

import asyncio
import contextlib
from collections.abc import Callable
from hashlib import sha256
from secrets import token_bytes
from typing import Literal

import msgspec

from rtcdiag.connect.parcels import MAGIC, Parcels
from rtcdiag.ice.pair import SessionPair
from rtcdiag.ice.session import SessionAgent

_LOOK_S = 0.02
_LOOK_FOR_LEFT_S = 0.1
_NONCE_BYTES = 12


class Settled(msgspec.Struct, frozen=True, tag="settled"):
    """The sender knows its outcome and is ready to measure."""


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """The sender has sent all packets of its stream."""

    packets: int


class Result(msgspec.Struct, frozen=True, tag="report"):
    """The sender's report, compressed."""

    compressed: bytes


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The sender has all that it wants."""


News = Settled | Sent | Result | Done
_decoder = msgspec.json.Decoder(News)
Kind = Literal["settled", "sent", "report", "done"]


class Line:
    """One end; open it when a pair has been nominated."""

    def __init__(self, agent: SessionAgent, session: str, *, offers: bool, left: asyncio.Event) -> None:
        """Take the agent, whose other end is known, and the session's 16 hexadecimal digits.

        ``left`` is set when the other end is known to be gone: then nothing more is waited for.
        """
        self._agent, self.left = agent, left
        self.session = sha256(session.encode()).digest()[:8]
        self._parcels = Parcels(self.session, offers=offers)
        self._key = _key(agent, session, offers=offers)
        self.on_packet: Callable[[bytes, float], None] = lambda _data, _at_ms: None
        """Takes what is no parcel, and when it arrived."""
        self.heard: dict[type[News], News] = {}
        self.news = asyncio.Event()

    def listen(self) -> None:
        """Take what comes in from now on."""
        self._agent.on_data = self._receive

    def _receive(self, _pair: SessionPair, data: bytes, arrived_ms: float) -> None:
        if not data.startswith(MAGIC):
            self.on_packet(data, arrived_ms)
            return
        for sealed in self._parcels.receive(data):
            news = self._opened(sealed)
            if news is not None:
                self.heard[type(news)] = news
                self.news.set()

    def _opened(self, sealed: bytes) -> News | None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only a session that connects needs it
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415 - see above

        try:
            plain = ChaCha20Poly1305(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
            news: News = _decoder.decode(plain)
        except (InvalidTag, ValueError, RecursionError):
            return None
        return news

    def tell(self, news: News) -> None:
        """Send a message; `pump` repeats it until it is acknowledged."""
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415 - see above

        nonce = token_bytes(_NONCE_BYTES)
        self._parcels.send(nonce + ChaCha20Poly1305(self._key).encrypt(nonce, msgspec.json.encode(news), None))

    async def pump(self) -> None:
        """Send what is due, without end."""
        while True:
            self._send_due()
            await asyncio.sleep(_LOOK_S)

    def _send_due(self) -> None:
        pair = self._agent.selected("all")
        rtt_ms = pair.rtt_ms if pair is not None and pair.rtt_ms is not None else 100.0
        for datagram in self._parcels.due(self._agent.now_ms(), rtt_ms):
            self._agent.send_over("all", datagram)

    async def wait_for(self, kind: type[News], within_s: float) -> bool:
        """Wait for a message; whether it came."""
        try:
            async with asyncio.timeout(within_s):
                while kind not in self.heard and not self.left.is_set():
                    self.news.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.news.wait(), _LOOK_FOR_LEFT_S)
        except TimeoutError:
            pass
        return kind in self.heard

    async def all_acknowledged(self, within_s: float) -> bool:
        """Wait until the other end has everything, and knows that this end has what came: so a conversation ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (self._parcels.idle or self.left.is_set()):  # noqa: ASYNC110 - acknowledgments are no event
                    await asyncio.sleep(_LOOK_S)
        self._send_due()
        return self._parcels.idle


def _key(agent: SessionAgent, session: str, *, offers: bool) -> bytes:
    own, other = agent.pwd, agent.remote_password or ""
    first, second = (own, other) if offers else (other, own)
    return sha256(f"rtcdiag connect {session} {first} {second}".encode()).digest()
