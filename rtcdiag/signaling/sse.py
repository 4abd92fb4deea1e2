"""A room over Server-Sent Events and POST (httpx): the default, since every proxy lets it through.

The stream and the POSTs have a connection each. Whatever waits while a POST is under way goes with the next one, so
that candidates do not queue for a round trip each.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator

import msgspec

from rtcdiag.net.stream import verifying_context
from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.invitation import Invitation
from rtcdiag.signaling.patience import Patience, Reach, RefusedByServerError
from rtcdiag.signaling.quick_httpx import EventSource, ServerSentEvent, httpx
from rtcdiag.signaling.room import RoomChannel, Way, beside, join_room, new_token, open_room
from rtcdiag.signaling.wire import HEARTBEAT_S, Made, Notice, join

ANSWER_S = 10.0
"""How long may pass between two pieces of an answer."""
WHOLE_S = 30.0
"""How long a request and its answer may take, however small the pieces are."""
_MOST_ANSWER_BYTES = 16_384
_MOST_STREAM_BYTES = 4_000_000
"""Of one connection: three times what the other end may say, and the heartbeats of an hour."""
_made, _notice = msgspec.json.Decoder(Made), msgspec.json.Decoder(Notice)


async def make_over_sse(way: Way) -> RoomChannel:
    """Make a room; raise SignalingError where that fails."""
    link = SseLink(way)
    try:
        return await open_room(link, "sse", way.rendezvous)
    except BaseException:
        await link.aclose()
        raise


def join_over_sse(way: Way, invitation: Invitation) -> RoomChannel:
    """Begin to join a room."""
    return join_room(SseLink(way), "sse", invitation)


class SseLink:
    """Two connections to a rendezvous."""

    def __init__(self, way: Way) -> None:
        self._base = f"{way.rendezvous.url}/v1/rooms"
        self._reach = Reach(way.rendezvous.host)
        self._client = _client(way)
        self._headers = {"Authorization": f"Bearer {new_token()}"}

    async def make(self) -> Made:
        """Make a room."""
        patience = Patience(self._reach)
        while True:
            try:
                made = _made.decode(await self._asked("POST", self._base))
            except (RefusedByServerError, httpx.HTTPError) as error:
                await patience.failed(error)
            except (msgspec.MsgspecError, RecursionError):
                raise SignalingError(f"what answers at {self._reach.host} is no rendezvous of rtcdiag") from None
            else:
                patience.worked()
                return made

    async def run(self, room: RoomChannel) -> None:
        """Carry messages both ways."""
        await beside(self._hear(room), self._tell(room))

    async def leave(self, room: RoomChannel) -> None:
        """Leave the room and close the connections."""
        try:
            await self._asked("DELETE", f"{self._base}/{room.invitation.room}")
        except (RefusedByServerError, httpx.HTTPError):
            return
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _tell(self, room: RoomChannel) -> None:
        patience = Patience(self._reach)
        url = f"{self._base}/{room.invitation.room}/messages"
        # Who joins posts nothing at once, beside the request for events: the connection is there when it is needed.
        joining = room.role == "answerer"
        while True:
            room.unsent.clear()
            if not (room.outbox or joining):
                await room.unsent.wait()
            first, messages = room.outbox.batch()
            try:
                answer = await self._asked("POST", f"{url}?first={first}", join(messages))
            except (RefusedByServerError, httpx.HTTPError) as error:
                await patience.failed(error)
            else:
                joining = False
                patience.worked()
                room.notice(_read_notice(answer))

    async def _hear(self, room: RoomChannel) -> None:
        patience = Patience(self._reach)
        while True:
            try:
                async for event in self._events(room, patience):
                    _take(room, event)
            except (RefusedByServerError, httpx.HTTPError) as error:
                await patience.failed(error)
            else:
                await patience.failed(httpx.RemoteProtocolError("the stream ended"))

    async def _events(self, room: RoomChannel, patience: Patience) -> AsyncIterator[ServerSentEvent]:
        headers = self._headers | {"Accept": "text/event-stream", "Last-Event-ID": str(room.inbox.after)}
        # Silence of two heartbeats is a dead connection.
        limits = httpx.Timeout(ANSWER_S, read=2 * HEARTBEAT_S + 5)
        url = f"{self._base}/{room.invitation.room}/events"
        async with self._client.stream("GET", url, headers=headers, timeout=limits) as response:
            if response.status_code != 200 or response.headers.get("content-encoding"):
                raise RefusedByServerError(response.status_code, await _bounded(response))
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise RefusedByServerError(response.status_code, b"")
            patience.worked()
            response.stream = _Counted(response.stream)
            response.encoding = "utf-8"  # always, says the HTML Standard of event streams; a charset could be any codec
            async for event in EventSource(response).aiter_sse():
                yield event

    async def _asked(self, method: str, url: str, body: bytes = b"") -> bytes:
        try:
            async with (
                asyncio.timeout(WHOLE_S),
                self._client.stream(method, url, headers=self._headers, content=body) as response,
            ):
                answer = await _bounded(response)
        except TimeoutError:
            raise httpx.ReadTimeout("the answer is never whole") from None
        if not response.is_success:
            raise RefusedByServerError(response.status_code, answer)
        return answer


class _Counted(httpx.AsyncByteStream):
    """A stream that ends in an error where it is longer than all that a room may hold."""

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > _MOST_STREAM_BYTES:
                raise SignalingError("the rendezvous sends more than a room may hold")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) > _MOST_ANSWER_BYTES:
            break
    return body


def _take(room: RoomChannel, event: ServerSentEvent) -> None:
    try:
        if event.event == "notice":
            room.notice(_notice.decode(event.data))
        elif event.data:
            room.deliver(int(event.id), b64decode(event.data, validate=True))
    except (ValueError, RecursionError):
        raise SignalingError("the rendezvous sends what is no message") from None


def _read_notice(answer: bytes) -> Notice:
    try:
        return _notice.decode(answer)
    except (msgspec.MsgspecError, RecursionError):
        raise SignalingError("the rendezvous sends what is no answer") from None


def _client(way: Way) -> httpx.AsyncClient:
    own = way.proxy not in (None, "none")
    return httpx.AsyncClient(
        verify=verifying_context(way.ca_file) if way.rendezvous.encrypted else False,
        proxy=way.proxy if own else None,
        trust_env=way.proxy is None,
        timeout=ANSWER_S,
        limits=httpx.Limits(keepalive_expiry=60.0),
        headers={"User-Agent": "rtcdiag", "Accept-Encoding": "identity"},
    )
