"""The channel of a session whose other end is a page: the browser offers, this end answers."""

import zlib
from collections.abc import Awaitable, Callable

from rtcdiag.browser.shown import own_candidate, shown
from rtcdiag.browser.talk import Talk
from rtcdiag.evidence.session import SessionRole, SignalingKind
from rtcdiag.report import decode
from rtcdiag.signaling import Bye, Description, Message, NewCandidate, Ping, Pong, Report
from rtcdiag.signaling.sdp_answer import answer


class BrowserChannel:
    """Carries the session's messages to the page, and what the page says to the session."""

    kind: SignalingKind = "browser"
    role: SessionRole = "answerer"
    trickles = True

    def __init__(self, talk: Talk, fingerprint: str, stop_serving: Callable[[], Awaitable[None]]) -> None:
        """Take the talk, the own certificate's fingerprint, and what ends the page's server."""
        self._talk, self._fingerprint, self._stop_serving = talk, fingerprint, stop_serving

    async def send(self, message: Message) -> None:
        """Tell the page: the answer, candidates, and in the end what came of it."""
        match message:
            case Description():
                self._answer(message)
            case NewCandidate():
                self._candidate(message.candidate)
            case Report():
                self._talk.tell("result", shown(decode(zlib.decompress(message.compressed))))
                self._talk.incoming.put_nowait(Bye(why="the page has the result"))
            case Bye():
                self._talk.end()
            case Ping() | Pong():
                """A page tells by its stream whether it is there."""

    def _answer(self, own: Description) -> None:
        offer = self._talk.offer
        assert offer is not None, "an answer comes after the offer"
        plain = offer._replace(form="plain")
        self._talk.tell("answer", {"sdp": answer(plain, own, self._fingerprint)})
        for candidate in own.candidates:
            self._talk.tell("own", own_candidate(candidate))

    def _candidate(self, candidate: str | None) -> None:
        self._talk.tell("candidate", {"candidate": candidate})
        if candidate is not None:
            self._talk.tell("own", own_candidate(candidate))

    async def receive(self) -> Message:
        """Return what the page said next."""
        return await self._talk.incoming.get()

    async def close(self) -> None:
        """Tell the page nothing more, and serve it no longer."""
        self._talk.end()
        await self._stop_serving()
