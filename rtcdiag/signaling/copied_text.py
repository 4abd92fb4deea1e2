"""Signaling by copied text: a person carries the offer to the other end, and its answer back."""

import asyncio
from collections.abc import Awaitable, Callable
from time import time
from typing import NamedTuple

from rtcdiag.evidence.session import SessionRole, SignalingKind
from rtcdiag.signaling import code, sdp
from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.errors import (
    CodeAnswerError,
    CopiedTextError,
    CutOffError,
    ForeignAnswerError,
    NoCodeError,
    NoSdpError,
    UsedError,
)
from rtcdiag.signaling.messages import Description, Message
from rtcdiag.signaling.paste import MOST_BYTES, EndOfInputError, Pasting, Source
from rtcdiag.signaling.sdp_answer import answer
from rtcdiag.signaling.sdp_offer import OfferForm, offer, read_answer
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
        offer_as: OfferForm | None = None,
        used: UsedCodes,
        hand_over: HandOver,
        source: Callable[[], Source],
        on_ready: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """Answer an offer, or make one and read its answer from a source.

        ``offer_as`` makes the offer SDP for another application, in this form, instead of a code.
        ``on_ready`` is called when the answer can be pasted; ``tell`` says what is wrong with a paste.
        """
        self.role: SessionRole = "offerer" if offered is None else "answerer"
        self._offered, self._offer_as = offered, offer_as
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
        await self._hand_over(message, self._text(message))
        self._own = message
        self._told.set()

    def _text(self, own: Description) -> str:
        """Return a description in the form that the other end reads; an offer that was a code is used then."""
        offered = self._offered
        if offered is not None and offered.foreign is not None:
            return answer(offered.foreign, own)
        if offered is not None and not self._used.claim(offered.description, time()):
            raise UsedError
        return code.encode(own) if self._offer_as is None else offer(own, self._offer_as)

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
        description = self._of_code(text) if self._offer_as is None else self._of_sdp(text)
        if not self._used.claim(description, time()):
            raise UsedError
        return description

    def _of_code(self, text: str) -> Description:
        if not code.looks_like_code(text) and sdp.looks_like_sdp(text):
            raise ForeignAnswerError
        return code.accept(text, "answerer", code.Expected(time(), self._own, self._used.has))

    def _of_sdp(self, text: str) -> Description:
        if not sdp.looks_like_sdp(text):
            raise CodeAnswerError if code.looks_like_code(text) else NoSdpError
        assert self._own is not None, "nothing is read before the own offer is told"
        return read_answer(text, self._own)

    async def close(self) -> None:
        """Put the terminal back."""
        if self._pasting is not None:
            self._pasting.close()
            self._pasting = None
