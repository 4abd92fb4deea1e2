"""What the page says, read as the hostile input that it is: closed words, bounded numbers, nothing else.

A person may have opened the page in any browser with any extension, and anything on this computer that learned the
page's address may speak in its place.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.browser import BrowserPair, BrowserSelection, PairWord, ServerError
from rtcdiag.evidence.candidate import CandidateType

MAX_POST_BYTES = 65_536
MAX_POSTS = 400
MAX_PAIRS = 100
Moment = Literal["connected", "soon", "later", "end"]
"""When the browser's statistics were read: when it connected, 2 s and 10 s later, and when the result came."""

_Ms = Annotated[float, Meta(ge=0, le=3_600_000)]
_Count = Annotated[int, Meta(ge=0, le=1_000_000)]
_Host = Annotated[str, Meta(max_length=64)]
_Port = Annotated[int, Meta(ge=0, le=65535)]
_Text = Annotated[str, Meta(max_length=1000)]


class Offered(msgspec.Struct, frozen=True, tag_field="type", tag="offer"):
    """The browser's offer; candidates follow."""

    sdp: Annotated[str, Meta(max_length=32_768)]
    browser: Annotated[str, Meta(max_length=60)] = ""


class Found(msgspec.Struct, frozen=True, tag_field="type", tag="candidate"):
    """One more candidate, or None after the last."""

    candidate: _Text | None
    gathered_ms: _Ms | None = None
    """With None: how long gathering took."""


class Refused(msgspec.Struct, frozen=True, tag_field="type", tag="server-error"):
    """A server gave the browser no candidate."""

    url: Annotated[str, Meta(max_length=300)]
    code: Annotated[int, Meta(ge=0, le=999)]


class Row(msgspec.Struct, frozen=True):
    """One candidate pair."""

    local_type: CandidateType
    remote_type: CandidateType
    state: PairWord
    local_host: _Host = ""
    local_port: _Port = 0
    remote_host: _Host = ""
    remote_port: _Port = 0
    nominated: bool = False
    selected: bool = False
    requests: _Count = 0
    answers: _Count = 0
    rtt_ms: _Ms | None = None
    relay_protocol: Literal["udp", "tcp", "tls"] | None = None

    @property
    def evidence(self) -> BrowserPair:
        """Return what is kept of it."""
        return BrowserPair(
            local_type=self.local_type,
            local=_address(self.local_host, self.local_port),
            remote_type=self.remote_type,
            remote=_address(self.remote_host, self.remote_port),
            state=self.state,
            nominated=self.nominated,
            requests=self.requests,
            answers=self.answers,
            rtt_ms=self.rtt_ms,
            relay_protocol=self.relay_protocol,
        )


class Stats(msgspec.Struct, frozen=True, tag_field="type", tag="stats"):
    """The browser's statistics at one moment."""

    moment: Moment
    after_ms: _Ms
    pairs: Annotated[tuple[Row, ...], Meta(max_length=MAX_PAIRS)]
    hidden: bool = False

    @property
    def selection(self) -> BrowserSelection | None:
        """Return which pair it used."""
        used = next((row for row in self.pairs if row.selected), None)
        if used is None:
            return None
        return BrowserSelection(
            after_ms=self.after_ms,
            local_type=used.local_type,
            remote_type=used.remote_type,
            local=_address(used.local_host, used.local_port),
            remote=_address(used.remote_host, used.remote_port),
            rtt_ms=used.rtt_ms,
        )


class Counted(msgspec.Struct, frozen=True, tag_field="type", tag="counted"):
    """What the browser sent and received of the numbered packets."""

    sent: _Count
    received: _Count
    round_trips_ms: Annotated[tuple[_Ms, ...], Meta(max_length=1000)]
    hidden: bool = False


class Carried(msgspec.Struct, frozen=True, tag_field="type", tag="carried"):
    """What arrived at the browser over the reliable channel, and in which time."""

    size_bytes: Annotated[int, Meta(ge=0, le=1 << 30)]
    ms: _Ms


class Left(msgspec.Struct, frozen=True, tag_field="type", tag="left"):
    """The page is being closed."""


Post = Offered | Found | Refused | Stats | Counted | Carried | Left
_decoder = msgspec.json.Decoder(Post)


def read_post(data: bytes) -> Post:
    """Read what the page posted; raise ValueError for what is none."""
    if len(data) > MAX_POST_BYTES:
        raise ValueError("too large")
    try:
        post: Post = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("not a message of the page") from error
    return post


def refusal(post: Refused, servers: tuple[str, ...]) -> ServerError:
    """Return what is kept of a server's error: the server only where it is one that the browser was given."""
    return ServerError(server=post.url if post.url in servers else "", code=post.code)


def browser_name(text: str) -> str:
    """Return a browser's name as it may be shown."""
    return "".join(char for char in text if char.isascii() and (char.isalnum() or char in " ._-/()"))


def _address(host: str, port: int) -> TransportAddress | None:
    """Return an address, None where it is hidden, a name of mDNS, or has a zone."""
    if "%" in host:
        return None
    try:
        return TransportAddress(host.strip("[]"), port)
    except ValueError:
        return None
