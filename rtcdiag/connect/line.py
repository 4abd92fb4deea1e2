"""What the two ends tell each other over the pair that connects them: sealed messages, and packets to be measured.

Sealed, because a report names addresses and the network between is anybody's. The key is made of both ends' ICE
passwords, which only who read both descriptions knows.
"""

import asyncio
import contextlib
from collections.abc import Callable
from hashlib import sha256
from secrets import token_bytes

import msgspec

from rtcdiag.connect.parcels import MAGIC, Parcels
from rtcdiag.ice.pair import SessionPair
from rtcdiag.ice.session import SessionAgent

LEAVING_MAGIC = b"\xf4rtx"
LOST_MS = 7000.0
"""An end that shows no sign for so long is gone: while a pair is used, each end checks it every second."""
_SAID_TIMES = 3
_LOOK_S = 0.02
_LOOK_FOR_LEFT_S = 0.1
_NONCE_BYTES = 12


class Settled(msgspec.Struct, frozen=True, tag="settled"):
    """The sender knows its outcome and is ready to measure."""


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """The sender has sent all packets of its stream."""

    packets: int


class Way(msgspec.Struct, frozen=True, tag="way"):
    """Whether the signaling still carries messages to the sender and back, so that reports can go through it."""

    signaling: bool


class Result(msgspec.Struct, frozen=True, tag="report"):
    """The sender's report, compressed."""

    compressed: bytes


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The sender has all that it wants."""


class Leaving(msgspec.Struct, frozen=True, tag="leaving"):
    """The sender ends now. Who sends it is told: nobody can make an end leave with its own word."""

    offers: bool


News = Settled | Sent | Way | Result | Done | Leaving
_decoder = msgspec.json.Decoder(News)


class Line:
    """One end; open it when a pair has been nominated."""

    def __init__(self, agent: SessionAgent, session: str, *, offers: bool, left: asyncio.Event) -> None:
        """Take the agent, whose other end is known, and the session's 16 hexadecimal digits.

        ``left`` is set when the other end is known to be gone: then nothing more is waited for.
        """
        self._agent, self._left, self._offers = agent, left, offers
        self._watching_ms: float | None = None
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

    def watch(self) -> None:
        """Notice from now on when the other end shows no sign of itself any more."""
        self._watching_ms = self._agent.now_ms()

    @property
    def lost(self) -> bool:
        """Whether nothing came from the other end for so long that it is gone, or the way to it."""
        if self._watching_ms is None:
            return False
        return self._agent.now_ms() - max(self._watching_ms, self._agent.last_sign_ms or 0.0) > LOST_MS

    @property
    def over(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self._left.is_set() or self.lost

    def _receive(self, _pair: SessionPair, data: bytes, arrived_ms: float) -> None:
        if data.startswith(LEAVING_MAGIC):
            self._leaves(self._opened(data[len(LEAVING_MAGIC) :]))
            return
        if not data.startswith(MAGIC):
            self.on_packet(data, arrived_ms)
            return
        for sealed in self._parcels.receive(data):
            news = self._opened(sealed)
            if news is not None:
                self._agent.witness()
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

    def _leaves(self, news: News | None) -> None:
        if isinstance(news, Leaving) and news.offers is not self._offers:
            self._left.set()

    def tell(self, news: News) -> None:
        """Send a message; `pump` repeats it until it is acknowledged."""
        self._parcels.send(self._sealed(news))

    def leave(self) -> None:
        """Tell the other end, past all that waits, that this one ends; nothing is waited for."""
        said = LEAVING_MAGIC + self._sealed(Leaving(self._offers))
        for _ in range(_SAID_TIMES):
            self._agent.send_over("all", said)

    def _sealed(self, news: News) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415 - see above

        nonce = token_bytes(_NONCE_BYTES)
        return nonce + ChaCha20Poly1305(self._key).encrypt(nonce, msgspec.json.encode(news), None)

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
                while kind not in self.heard and not self.over:
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
                while not (self._parcels.idle or self.over):  # noqa: ASYNC110 - acknowledgments are no event
                    await asyncio.sleep(_LOOK_S)
        self._send_due()
        return self._parcels.idle


def _key(agent: SessionAgent, session: str, *, offers: bool) -> bytes:
    own, other = agent.pwd, agent.remote_password or ""
    first, second = (own, other) if offers else (other, own)
    return sha256(f"rtcdiag connect {session} {first} {second}".encode()).digest()
