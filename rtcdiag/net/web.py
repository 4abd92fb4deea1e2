"""One plain HTTP request whose answer is not trusted: no redirect is followed, nothing is decoded, sizes are bounded.

Sans-IO: bytes in, the answer out; the caller bounds the time. Imported only where it is used, for the sake of h11.
"""

from dataclasses import dataclass

import h11

MOST_HEAD_BYTES = 16384
"""More than any status line and header fields that are meant for a reader."""
MOST_CONTENT_BYTES = 1024
"""What is longer is not what a check waits for."""
_MOST_BYTES = 65536
"""A server that sends one interim response after the other (1xx) is not waited for either."""


class NotHttpError(Exception):
    """What came back was no HTTP response, broke off, or was too long for one that is meant for a reader."""


@dataclass(frozen=True)
class WebAnswer:
    """The final response (RFC 9110 section 15)."""

    status: int
    location: str | None
    """The Location field as it came, in ISO 8859-1."""
    content: bytes
    """As it came, undecoded, cut off after ``MOST_CONTENT_BYTES``; empty where another status than 200 was told."""
    date: str | None = None
    """The Date field as it came, in ISO 8859-1."""
    age: str | None = None
    """The Age field as it came."""


class WebExchange:
    """One GET request on one connection, and what comes back."""

    def __init__(self, host: str, target: str) -> None:
        """Ask ``host`` for ``target``, such as ``/generate_204``."""
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)
        self._host, self._target = host, target
        self._head: h11.Response | None = None
        self._content = b""
        self._received = 0

    def request(self) -> bytes:
        """Return the bytes to send, once."""
        headers = [("Host", self._host), ("User-Agent", "rtcdiag"), ("Accept-Encoding", "identity")]
        headers += [("Cache-Control", "no-store"), ("Connection", "close")]
        request = h11.Request(method="GET", target=self._target, headers=headers)
        return (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")

    def receive(self, data: bytes) -> WebAnswer | None:
        """Take bytes, ``b""`` at the end; return the answer as soon as it is known, and raise NotHttpError for none."""
        self._received += len(data)
        try:
            self._http.receive_data(data)
            while self._answer() is None and (event := self._http.next_event()) is not h11.NEED_DATA:
                self._take(event)
        except h11.RemoteProtocolError as error:
            raise NotHttpError from error
        if self._answer() is None and self._received > _MOST_BYTES:
            raise NotHttpError
        return self._answer()

    def _take(self, event: object) -> None:
        match event:
            case h11.Response():
                self._head = event
            case h11.Data():
                self._content += bytes(event.data)[: MOST_CONTENT_BYTES - len(self._content)]
            case h11.ConnectionClosed() | h11.PAUSED:
                raise NotHttpError
            case _:
                pass  # an interim response, or the end of the content

    def _answer(self) -> WebAnswer | None:
        if self._head is None:
            return None
        ended = self._http.their_state is not h11.SEND_BODY
        if self._head.status_code == 200 and not ended and len(self._content) < MOST_CONTENT_BYTES:
            return None
        content = self._content if self._head.status_code == 200 else b""
        location, date, age = (self._field(name) for name in (b"location", b"date", b"age"))
        return WebAnswer(self._head.status_code, location, content, date, age)

    def _field(self, wanted: bytes) -> str | None:
        headers = self._head.headers if self._head is not None else ()
        return next((value.decode("latin-1") for name, value in headers if name == wanted), None)
