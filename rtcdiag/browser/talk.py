"""What the page and this program tell each other: posts in, events out. Nothing here opens a socket."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from rtcdiag.browser.posts import (
    MAX_POSTS,
    Carried,
    Counted,
    Found,
    Left,
    Moment,
    Offered,
    Post,
    Refused,
    Stats,
    browser_name,
    refusal,
)
from rtcdiag.evidence.browser import BrowserView
from rtcdiag.signaling import Bye, Message, NewCandidate
from rtcdiag.signaling.candidate import parse_candidate
from rtcdiag.signaling.errors import CopiedTextError
from rtcdiag.signaling.messages import MAX_CANDIDATES
from rtcdiag.signaling.sdp import Foreign, looks_like_sdp, read

_MAX_ERRORS = 32


class RefusedPostError(Exception):
    """What was posted is not taken; the message says why."""


class Talk:
    """One session's talk with one page."""

    def __init__(self, servers: tuple[str, ...], *, relay_only: bool) -> None:
        """Take the URIs that the page is given."""
        self._servers, self._relay_only = servers, relay_only
        self.offer: Foreign | None = None
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        """What the session's channel receives."""
        self.events: list[bytes] = []
        """What the page is told, in order: it may connect again, and wants what it missed."""
        self.told = asyncio.Event()
        """Set with the next event, or the end, and then another one: taken before the events are looked at."""
        self.news = asyncio.Event()
        """Set whenever a post came."""
        self.over = False
        self.counted: Counted | None = None
        self.carried: Carried | None = None
        self.left = False
        self._browser = ""
        self._posts = 0
        self._candidates: list[str] = []
        self._gathered_ms: float | None = None
        self._errors: list[Refused] = []
        self._stats: dict[Moment, Stats] = {}

    # --- what the page is told ---

    def tell(self, name: str, value: Mapping[str, Any]) -> None:
        """Queue an event."""
        if not self.over:
            self.events.append(
                b"id: %d\nevent: %s\ndata: %s\n\n" % (len(self.events) + 1, name.encode(), msgspec.json.encode(value))
            )
            self._wake()

    def end(self) -> None:
        """Tell nothing more: the stream of events ends when all is sent."""
        self.over = True
        self._wake()

    def _wake(self) -> None:
        """Wake every stream; one that is about to wait has the event that is set, and does not."""
        self.told.set()
        self.told = asyncio.Event()

    # --- what the page says ---

    def hear(self, post: Post) -> None:
        """Take a post; raise RefusedPostError for one that cannot be."""
        self._posts += 1
        if self._posts > MAX_POSTS:
            raise RefusedPostError("the page said more than it has to say")
        if self.offer is None and not isinstance(post, Offered):
            raise RefusedPostError("the page has not offered yet")
        self._take(post)
        self.news.set()

    def _take(self, post: Post) -> None:
        match post:
            case Offered():
                self._take_offer(post)
            case Found():
                self._take_candidate(post)
            case Refused():
                self._errors = [*self._errors, post][:_MAX_ERRORS]
            case Stats():
                self._stats[post.moment] = post
            case Counted():
                self.counted = self.counted or post
            case Carried():
                self.carried = self.carried or post
            case Left():
                self.left = True
                self.incoming.put_nowait(Bye(why="the page was closed"))

    def _take_offer(self, post: Offered) -> None:
        if self.offer is not None:
            raise RefusedPostError("another page, or this one before it was loaded again, has this session already")
        if not looks_like_sdp(post.sdp):
            raise RefusedPostError("the offer is no SDP")
        try:
            offer = read(post.sdp, "offerer")
        except CopiedTextError as error:
            raise RefusedPostError(str(error)) from None
        self.offer, self._browser = offer, browser_name(post.browser)
        told = offer.description.candidates
        self.incoming.put_nowait(msgspec.structs.replace(offer.description, candidates=(), complete=False))
        for candidate in told:
            self._take_candidate(Found(candidate))

    def _take_candidate(self, post: Found) -> None:
        if post.candidate is None:
            self._gathered_ms = post.gathered_ms
            self.incoming.put_nowait(NewCandidate(candidate=None))
            return
        try:
            candidate = parse_candidate(post.candidate.removeprefix("a="))
        except ValueError:
            raise RefusedPostError("the candidate is none") from None
        if str(candidate) in self._candidates or len(self._candidates) >= MAX_CANDIDATES:
            return
        self._candidates.append(str(candidate))
        if candidate.protocol == "udp":  # over TCP nobody here listens
            self.incoming.put_nowait(NewCandidate(candidate=str(candidate)))

    def heard(self, moment: Moment) -> bool:
        """Whether the browser's statistics of a moment are here."""
        return moment in self._stats

    def view(self, t_ms: float) -> BrowserView:
        """Return what the browser said of itself."""
        order: tuple[Moment, ...] = ("connected", "soon", "later", "end")
        stats = [self._stats[moment] for moment in order if moment in self._stats]
        chosen = (one.selection for one in stats)
        return BrowserView(
            t_ms=t_ms,
            browser=self._browser,
            relay_only=self._relay_only,
            hidden=any(one.hidden for one in stats) or (self.counted is not None and self.counted.hidden),
            candidates=tuple(self._candidates),
            gathered_ms=self._gathered_ms,
            errors=tuple(dict.fromkeys(refusal(one, self._servers) for one in self._errors)),
            selected=tuple(one for one in chosen if one is not None),
            pairs=tuple(row.evidence for row in stats[-1].pairs) if stats else (),
        )
