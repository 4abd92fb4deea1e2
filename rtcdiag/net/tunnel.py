"""A tunnel through an HTTP proxy (CONNECT, RFC 9110 section 9.3.6): bounded, and nothing but its status is believed.

Imported only where a proxy is asked, for the sake of h11.
"""

import asyncio
import re
from base64 import b64encode
from dataclasses import dataclass

import h11

from rtcdiag.evidence import Failure
from rtcdiag.net.stream import NetError, Stream, TlsFacts, TlsSettings, agreed, refused, verifying_context
from rtcdiag.targets import Credential

MOST_HEAD_BYTES = 16384
"""More than any status line and header fields of a proxy that means well."""
_MOST_BYTES = 65536
"""A proxy that sends one interim response after the other (1xx) is not waited for either."""
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,19}")
_MOST_SCHEMES = 5


@dataclass(frozen=True)
class TunnelAnswer:
    """What a proxy said to CONNECT."""

    status: int
    schemes: tuple[str, ...] = ()
    """The kinds of login that it offers (RFC 9110 section 11.7.1)."""


class NoTunnelAnswerError(Exception):
    """What came back was no HTTP response, broke off, or was too long."""


class TunnelRequest:
    """One CONNECT on one connection, and its answer. Sans-IO."""

    def __init__(self, target: str, credential: Credential | None = None) -> None:
        """Ask for a tunnel to ``host:port``."""
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)
        self._target, self._credential = target, credential
        self.received = 0
        """How many bytes have come."""

    def request(self) -> bytes:
        """Return the bytes to send, once."""
        headers = [("Host", self._target), ("User-Agent", "rtcdiag")]
        if self._credential is not None:
            login = f"{self._credential.username}:{self._credential.password}".encode()
            headers.append(("Proxy-Authorization", f"Basic {b64encode(login).decode()}"))
        asked = h11.Request(method="CONNECT", target=self._target, headers=headers)
        return (self._http.send(asked) or b"") + (self._http.send(h11.EndOfMessage()) or b"")

    def receive(self, data: bytes) -> TunnelAnswer | None:
        """Take bytes, ``b""`` at the end; return the answer once it is known, raise NoTunnelAnswerError for none."""
        self.received += len(data)
        try:
            self._http.receive_data(data)
            while (event := self._http.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    return self._answer(event)
                if not isinstance(event, h11.InformationalResponse):
                    raise NoTunnelAnswerError
        except h11.RemoteProtocolError as error:
            raise NoTunnelAnswerError from error
        if self.received > _MOST_BYTES:
            raise NoTunnelAnswerError
        return None

    def _answer(self, head: h11.Response) -> TunnelAnswer:
        # A server of STUN speaks when it is asked, and TLS begins with the client: what came already is not from there.
        if 200 <= head.status_code < 300 and self._http.trailing_data[0]:
            raise NoTunnelAnswerError
        offered = (_SCHEME.match(value) for name, value in head.headers if name == b"proxy-authenticate")
        schemes = dict.fromkeys(match[0].decode() for match in offered if match)
        return TunnelAnswer(head.status_code, tuple(schemes)[:_MOST_SCHEMES])


async def ask_for_tunnel(stream: Stream, target: str, credential: Credential | None) -> TunnelAnswer | Failure:
    """Send CONNECT on a connection to a proxy and read the answer; the caller bounds the time."""
    asking = TunnelRequest(target, credential)
    stream.send(asking.request())
    answer: TunnelAnswer | None = None
    try:
        while answer is None:
            data = await stream.read()
            if not (data or asking.received):
                return Failure.CONNECTION_CLOSED
            answer = asking.receive(data)
    except NetError as error:
        return error.failure
    except NoTunnelAnswerError:
        return Failure.NOT_HTTP
    return answer


async def tls_within(stream: Stream, settings: TlsSettings, timeout_ms: float) -> tuple[Stream | None, TlsFacts]:
    """Shake hands inside a tunnel, which is TLS already where the proxy is; closed where that fails."""
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            await stream.writer.start_tls(verifying_context(settings.ca_file), server_hostname=settings.server_name)
    except (OSError, EOFError) as error:
        stream.close()
        return None, refused(settings, error)
    except BaseException:
        stream.close()
        raise
    stream.is_tls = True
    return stream, agreed(settings, stream.writer)
