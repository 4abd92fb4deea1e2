"""Signaling by copied text: a person carries the offer to the other end, and its answer back."""

import asyncio
from collections.abc import Awaitable, Callable
from time import time
from typing import NamedTuple

from rtcdiag.evidence.session import SessionRole, SignalingKind
from rtcdiag.signaling import code, sdp
from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.errors import CopiedTextError, CutOffError, ForeignAnswerError, NoCodeError, UsedError
from rtcdiag.signaling.messages import Description, Message
from rtcdiag.signaling.paste import MOST_BYTES, EndOfInputError, Pasting, Source
from rtcdiag.signaling.sdp_answer import answer
from rtcdiag.signaling.used import UsedCodes


class Offered(NamedTuple):
    """Another end's offer, as read from a text."""

    description: Description
    foreign: sdp.Foreign | None
    """The SDP that it was, where another application made it."""


HandOver = Callable[[Description, str], Awaitable[None]]
"""Gives the person a description as the text to copy."""


def read_offer(text: str, used: UsedCodes) -> Offered:
    """Return the offer in a text; raise CopiedTextError where there is none that is good here and now."""
    if not code.looks_like_code(text) and sdp.looks_like_sdp(text):
        foreign = sdp.read(text, "offerer")
        return Offered(foreign.description, foreign)
    return Offered(code.accept(text, "offerer", code.Expected(time(), is_used=used.has)), None)


def is_whole(text: str) -> bool:
    """Whether a text holds a code or SDP to which nothing more can belong."""
    return code.is_whole(text) or sdp.is_whole(text)


class CopiedText:
    """The channel: at most one description each way. What is not a description is not carried."""

    kind: SignalingKind = "copied-text"
    trickles = False

    def __init__(
        self,
        *,
        offered: Offered | None,
        used: UsedCodes,
        hand_over: HandOver,
        source: Callable[[], Source],
        on_ready: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """Answer an offer, or make one and read its answer from a source.

        ``on_ready`` is called when the answer can be pasted; ``tell`` says what is wrong with a paste.
        """
        self.role: SessionRole = "offerer" if offered is None else "answerer"
        self._offered = offered
        self._used = used
        self._hand_over = hand_over
        self._source = source
        self._on_ready = on_ready
        self._tell = tell
        self._own: Description | None = None
        self._told = asyncio.Event()
        self._taken = False
        self._pasting: Pasting | None = None

    async def send(self, message: Message) -> None:
        """Give the person the description as text."""
        if not isinstance(message, Description):
            return
        offered = self._offered
        if offered is not None and offered.foreign is not None:
            text = answer(offered.foreign, message)
        else:
            if offered is not None and not self._used.claim(offered.description, time()):
                raise UsedError
            text = code.encode(message)
        await self._hand_over(message, text)
        self._own = message
        self._told.set()

    async def receive(self) -> Message:
        """Return the offer, or the answer when the person has pasted it; then nothing for ever."""
        if self._taken:
            await asyncio.Event().wait()
        description = self._offered.description if self._offered is not None else await self._pasted()
        self._taken = True
        return description

    async def _pasted(self) -> Description:
        await self._told.wait()
        self._pasting = Pasting(self._source(), is_whole)
        self._on_ready()
        problem, begun = "", ""
        try:
            while True:
                text = await self._pasting.read()
                try:
                    return self._answer(begun, text)
                except CopiedTextError as error:
                    problem, begun = str(error), text if isinstance(error, CutOffError) else ""
                    self._tell(problem)
        except EndOfInputError:
            raise SignalingError(problem or "no answer was pasted before the input ended") from None
        finally:
            await self.close()

    def _answer(self, begun: str, text: str) -> Description:
        """Return the answer in a text, which may be the rest of one that was cut off."""
        try:
            return self._accepted(text)
        except CopiedTextError:
            if not begun or len(begun) > MOST_BYTES:
                raise
            try:
                return self._accepted(begun + text)
            except (CutOffError, NoCodeError):
                pass
            raise

    def _accepted(self, text: str) -> Description:
        if not code.looks_like_code(text) and sdp.looks_like_sdp(text):
            raise ForeignAnswerError
        description = code.accept(text, "answerer", code.Expected(time(), self._own, self._used.has))
        if not self._used.claim(description, time()):
            raise UsedError
        return description

    async def close(self) -> None:
        """Put the terminal back."""
        if self._pasting is not None:
            self._pasting.close()
            self._pasting = None
