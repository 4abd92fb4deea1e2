"""What is done over the pair that connects this end with a browser: DTLS, data channels, numbered packets, a bulk.

The page does the same at its end, told by events what to do when (``page/page.js``).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256

from msgspec.structs import replace

from rtcdiag.browser.data import Certificate, Line, Outcome, Remote
from rtcdiag.browser.talk import Talk
from rtcdiag.connect.streams import INTERVAL_MS, Inward, Outward
from rtcdiag.evidence import Observation
from rtcdiag.evidence.browser import DataChannel
from rtcdiag.evidence.session import PeerStream
from rtcdiag.ice.session import SessionAgent
from rtcdiag.probes.packets import spread
from rtcdiag.signaling.sdp import Foreign
from rtcdiag.signaling.sdp_answer import setup

PACKETS, BULK = "packets", "bulk"
PACKETS_S = 3.0
BULK_S = 1.5
MOST_BULK_BYTES = 32 << 20
_PIECE = bytes(16_384)
_MOST_WAITING = 262_144
_HANDSHAKE_S = 10.0
_OPEN_S = 6.0
_WORD_S = 4.0
"""How long the page may take to say what it counted."""
WATCHED_S = 12.0
"""So long after connecting the browser's selected pair is looked at: Chromium changes it within the first seconds."""
_END_S = 1.5
_LOOK_S = 0.02


class Trial:
    """One session's; `use` is called where a pair connects, `observations` in any case."""

    def __init__(self, talk: Talk, certificate: Certificate, now_ms: Callable[[], float]) -> None:
        """Take the talk with the page, the certificate that the answer names, and the run's clock."""
        self._talk, self._certificate, self._now_ms = talk, certificate, now_ms
        self._channel: DataChannel | None = None
        self._stream: PeerStream | None = None
        self._ended = False
        # What a browser sends is no reason to write into a person's terminal.
        logging.getLogger("aiortc").setLevel(logging.CRITICAL)

    async def use(self, agent: SessionAgent, quiet: Callable[[], Awaitable[None]]) -> None:
        """Open data channels and measure; ``quiet`` waits until nothing else needs the line."""
        began_ms = self._now_ms()
        line = Line(self._certificate, remote_of(self._talk.offer), lambda data: agent.send_over("all", data))
        agent.on_data = lambda _pair, data, _at_ms: line.arrive(data)
        try:
            await self._try(agent, line, quiet)
            await self._until(lambda: self._talk.heard("later"), WATCHED_S - (self._now_ms() - began_ms) / 1000)
        finally:
            await line.close()

    async def ended(self) -> None:
        """Ask the page for its last statistics: also where nothing connected."""
        if not self._ended:
            self._ended = True
            self._talk.tell("ended", {})
            await self._until(lambda: self._talk.heard("end"), _END_S)

    def observations(self) -> tuple[Observation, ...]:
        """Return what was seen until now; nothing before a page has come."""
        if self._talk.offer is None:
            return ()
        more: tuple[Observation | None, ...] = (self._channel, self._stream)
        return (self._talk.view(self._now_ms()), *(item for item in more if item is not None))

    async def _until(self, come: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while not come() and not self._talk.left:
                    self._talk.news.clear()
                    await self._talk.news.wait()
        except TimeoutError:
            pass
        return come()

    # --- the steps ---

    async def _try(self, agent: SessionAgent, line: Line, quiet: Callable[[], Awaitable[None]]) -> None:
        began_ms = self._now_ms()
        failed = await line.handshake(_HANDSHAKE_S)
        shaken_ms = self._now_ms()
        if failed is not None:
            self._note(failed, began_ms)
            return
        dtls_ms = round(shaken_ms - began_ms, 3)
        if not await line.open((PACKETS, BULK), _OPEN_S):
            self._note("not-opened", began_ms, dtls_ms=dtls_ms)
            return
        self._note("open", began_ms, dtls_ms=dtls_ms, open_ms=round(self._now_ms() - shaken_ms, 3))
        await quiet()
        await self._packets(agent, line)
        await self._bulk(line)

    def _note(
        self, outcome: Outcome, began_ms: float, *, dtls_ms: float | None = None, open_ms: float | None = None
    ) -> None:
        lasted_ms = self._now_ms() - began_ms
        self._channel = DataChannel(
            t_ms=began_ms, duration_ms=lasted_ms, outcome=outcome, dtls_ms=dtls_ms, open_ms=open_ms
        )

    async def _packets(self, agent: SessionAgent, line: Line) -> None:
        session = self._session()
        out, into = Outward(session, 1), Inward(session, 0)
        began_ms = self._now_ms()
        line.on_message[PACKETS] = lambda data: self._take(line, out, into, data)
        self._talk.tell("measure", {"session": session.hex(), "packets": round(1000 * PACKETS_S / INTERVAL_MS)})
        await self._send(line, out)
        self._talk.tell("count", {"sent": out.sent})
        await self._until(lambda: self._talk.counted is not None, _WORD_S)
        self._measured(agent, out, into, began_ms)

    def _take(self, line: Line, out: Outward, into: Inward, data: object) -> None:
        if not isinstance(data, bytes):
            return
        now_ms = self._now_ms()
        echo = into.receive(data, now_ms)
        if echo is not None:
            line.post(PACKETS, echo)
        else:
            out.receive_echo(data, now_ms)

    async def _send(self, line: Line, out: Outward) -> None:
        began_ms = self._now_ms()
        for turn in range(round(1000 * PACKETS_S / INTERVAL_MS)):
            left_ms = began_ms + turn * INTERVAL_MS - self._now_ms()
            await asyncio.sleep(max(0.0, left_ms / 1000))
            if not line.post(PACKETS, out.next(self._now_ms())):
                return

    def _measured(self, agent: SessionAgent, out: Outward, into: Inward, began_ms: float) -> None:
        counted, pair, channel = self._talk.counted, agent.selected("all"), self._channel
        assert channel is not None, "it is open"
        into.sent = counted.sent if counted is not None else None
        self._channel = replace(
            channel,
            sent=out.sent,
            received_there=min(counted.received, out.sent) if counted is not None else None,
            round_trip_there_ms=spread(list(counted.round_trips_ms)) if counted is not None else None,
        )
        if pair is not None:
            self._stream = PeerStream(
                t_ms=began_ms,
                duration_ms=self._now_ms() - began_ms,
                local=pair.protocol.base,
                remote=pair.remote,
                policy="all",
                inward=into.measured(),
                round_trip_ms=out.round_trip_ms(),
                round_trips=out.round_trips,
            )

    async def _bulk(self, line: Line) -> None:
        inward = _Bulk(self._now_ms)
        line.on_message[BULK] = inward.take
        self._talk.tell("bulk", {"ms": BULK_S * 1000, "most": MOST_BULK_BYTES})
        await _wait(lambda: inward.ended or self._talk.left, BULK_S + _WORD_S)
        await self._send_bulk(line)
        await self._until(lambda: self._talk.carried is not None, _WORD_S)
        carried, channel = self._talk.carried, self._channel
        assert channel is not None, "it is open"
        there = _kbps(carried.size_bytes, carried.ms) if carried is not None else None
        self._channel = replace(channel, inward_kbps=inward.kbps, outward_kbps=there)

    async def _send_bulk(self, line: Line) -> None:
        began_ms, sent = self._now_ms(), 0
        while self._now_ms() - began_ms < BULK_S * 1000 and sent < MOST_BULK_BYTES and not self._talk.left:
            if line.waiting(BULK) < _MOST_WAITING and line.post(BULK, _PIECE):
                sent += len(_PIECE)
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(_LOOK_S / 4)
        line.post(BULK, "end")

    def _session(self) -> bytes:
        offer = self._talk.offer
        assert offer is not None, "a pair has connected"
        return sha256(offer.description.session.encode()).digest()[:8]


class _Bulk:
    """What comes over the reliable channel."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._size, self._first_ms, self._last_ms = 0, 0.0, 0.0
        self.ended = False

    def take(self, data: object) -> None:
        if not isinstance(data, bytes) or self.ended:
            self.ended = True
            return
        self._last_ms = self._now_ms()
        if not self._first_ms:
            self._first_ms = self._last_ms
            return  # the clock starts with it
        self._size += len(data)
        self.ended = self._size > MOST_BULK_BYTES

    @property
    def kbps(self) -> float | None:
        return _kbps(self._size, self._last_ms - self._first_ms)


def _kbps(size: int, ms: float) -> float | None:
    return round(8 * size / ms, 1) if size and ms > 0 else None


async def _wait(come: Callable[[], bool], seconds: float) -> None:
    for _ in range(round(seconds / _LOOK_S)):
        if come():
            return
        await asyncio.sleep(_LOOK_S)


def remote_of(offer: Foreign | None) -> Remote:
    """Return what an offer says of DTLS (RFC 8842 section 5) and SCTP (RFC 8841 section 5)."""
    assert offer is not None, "a pair has connected"
    section = offer.sections[offer.used]
    told = [*section.values("fingerprint"), *offer.session.values("fingerprint")]
    words = [text.split() for text in told]
    return Remote(
        [(each[0], each[1]) for each in words if len(each) == 2],
        "client" if setup(offer) == "active" else "server",
        _number(section.value("sctp-port"), 5000, 65_535),
        _number(section.value("max-message-size"), 65_536, 1 << 20),
    )


def _number(text: str | None, default: int, most: int) -> int:
    usable = text is not None and text.isascii() and text.isdigit() and len(text) < 12
    return min(int(text), most) if usable and text is not None and int(text) > 0 else default
