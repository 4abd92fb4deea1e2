"""Servers on loopback that say whatever a test wants them to: the hostile, the broken and the slow.

with scripted_udp(lambda request, source: [Reply(binding_success(request), delay_ms=50, other_socket=True)]) as server:
    ... f"stun:127.0.0.1:{server.port}" ...
    assert server.received
"""

import asyncio
import contextlib
import dataclasses
import ipaddress
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import cast

from support.ca import Certificate

COOKIE = 0x2112A442
HTTP_400 = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno!\n"
# A fatal handshake_failure alert (RFC 8446 section 6).
TLS_ALERT = bytes.fromhex("15030300020228")
BIGGEST = 65_507
"""The most bytes that a UDP datagram over IPv4 can carry."""
READY_S = 5.0


@dataclasses.dataclass(frozen=True)
class Reply:
    """Bytes to send, `delay_ms` after the one before; `other_socket` sends it from another port (or `other_host`).

    Over UDP, `to` sends it to somebody else than who asked.
    """

    data: bytes
    delay_ms: float = 0.0
    other_socket: bool = False
    to: tuple[str, int] | None = None


@dataclasses.dataclass(frozen=True)
class Close:
    """Closes the connection, `delay_ms` after the reply before; `reset` does it with RST."""

    delay_ms: float = 0.0
    reset: bool = False


Script = Callable[[bytes, tuple[str, int]], Iterable[Reply | Close]]


def binding_success(request: bytes, mapped: tuple[str, int] = ("203.0.113.7", 50_000)) -> bytes:
    """Return a Binding success response with one XOR-MAPPED-ADDRESS (IPv4), made without the code under test."""
    address, port = int(ipaddress.IPv4Address(mapped[0])), mapped[1]
    value = struct.pack("!BBHI", 0, 1, port ^ (COOKIE >> 16), address ^ COOKIE)
    attribute = struct.pack("!HH", 0x0020, len(value)) + value
    return struct.pack("!HHI", 0x0101, len(attribute), COOKIE) + request[8:20] + attribute


def silence(_data: bytes, _source: tuple[str, int]) -> list[Reply | Close]:
    """Answer nothing."""
    return []


def binding(data: bytes, source: tuple[str, int]) -> list[Reply | Close]:
    """Answer as a STUN server over IPv4 does."""
    return [Reply(binding_success(data, source))]


def one_byte_a_second(data: bytes) -> list[Reply | Close]:
    """Return the data as replies of one byte, a second apart."""
    return [Reply(data[i : i + 1], delay_ms=1000.0) for i in range(len(data))]


class Scripted:
    """A running scripted server: where it listens, and what it received."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.port = 0
        self.other_port = 0
        self.received: list[bytes] = []
        self.connections = 0


class _Udp(asyncio.DatagramProtocol):
    """Answers what either socket receives, from the first one or, where the script says so, from the second."""

    def __init__(self, server: Scripted, script: Script) -> None:
        self.server, self.script = server, script
        self.transports: list[asyncio.DatagramTransport] = []
        self.answers: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transports.append(cast("asyncio.DatagramTransport", transport))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.server.received.append(data)
        answer = asyncio.ensure_future(self._answer(data, addr))
        self.answers.add(answer)
        answer.add_done_callback(self.answers.discard)

    async def _answer(self, data: bytes, source: tuple[str, int]) -> None:
        for reply in self.script(data, source[:2]):
            await asyncio.sleep(reply.delay_ms / 1000)
            if isinstance(reply, Reply):
                self.transports[reply.other_socket].sendto(reply.data, reply.to or source)


async def _serve_udp(
    server: Scripted, script: Script, *, other_host: str, port: int, ready: threading.Event, stop: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()
    protocol = _Udp(server, script)
    first, _ = await loop.create_datagram_endpoint(lambda: protocol, local_addr=(server.host, port))
    second, _ = await loop.create_datagram_endpoint(lambda: protocol, local_addr=(other_host or server.host, 0))
    server.port = first.get_extra_info("sockname")[1]
    server.other_port = second.get_extra_info("sockname")[1]
    ready.set()
    await stop.wait()
    for answer in list(protocol.answers):
        answer.cancel()
    first.close()
    second.close()


async def _say(writer: asyncio.StreamWriter, replies: Iterable[Reply | Close]) -> bool:
    """Send the replies: whether the connection goes on."""
    for reply in replies:
        await asyncio.sleep(reply.delay_ms / 1000)
        if isinstance(reply, Close):
            if reply.reset:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            return False
        writer.write(reply.data)
        await writer.drain()
    return True


async def _converse(
    server: Scripted,
    script: Script,
    greeting: Sequence[Reply | Close],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    server.connections += 1
    with contextlib.suppress(OSError, asyncio.CancelledError):
        goes_on = await _say(writer, greeting)
        while goes_on and (data := await reader.read(65_536)):
            server.received.append(data)
            goes_on = await _say(writer, script(data, writer.get_extra_info("peername")[:2]))
    writer.transport.abort() if writer.transport.is_closing() else writer.close()


async def _serve_tcp(
    server: Scripted,
    script: Script,
    *,
    greeting: Sequence[Reply | Close],
    context: ssl.SSLContext | None,
    port: int,
    ready: threading.Event,
    stop: asyncio.Event,
) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _converse(server, script, greeting, reader, writer)

    listening = await asyncio.start_server(converse, server.host, port, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    ready.set()
    await stop.wait()
    listening.close()


@contextlib.contextmanager
def in_a_thread(
    serve: Callable[[threading.Event, asyncio.Event], Coroutine[None, None, None]],
) -> Iterator[None]:
    """Run an asyncio server in a thread of its own until the block ends."""
    ready, loops = threading.Event(), list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]()

    async def main() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await serve(ready, stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    try:
        if not ready.wait(READY_S):
            raise RuntimeError("the scripted server did not start")
        yield
    finally:
        if loops:
            loop, stop = loops[0]
            loop.call_soon_threadsafe(stop.set)
        thread.join(READY_S)


@contextlib.contextmanager
def scripted_udp(script: Script, *, host: str = "127.0.0.1", other_host: str = "", port: int = 0) -> Iterator[Scripted]:
    """Answer each datagram with what the script returns for it and its source."""
    server = Scripted(host)
    with in_a_thread(
        lambda ready, stop: _serve_udp(server, script, other_host=other_host, port=port, ready=ready, stop=stop)
    ):
        yield server


def tls_context(
    certificate: Certificate, *, security_level: int = 2, versions: tuple[str, str] = ("TLSv1_2", "TLSv1_3")
) -> ssl.SSLContext:
    """Return what a server speaks TLS with, from the lowest to the highest version.

    Level 0 takes weak keys, without which there is nothing before TLS 1.2.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_ciphers(f"DEFAULT:@SECLEVEL={security_level}")
    context.load_cert_chain(certificate.chain_file, certificate.key_file)
    with warnings.catch_warnings():
        # Old versions are deprecated: servers have them all the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = (ssl.TLSVersion[name] for name in versions)
    return context


@contextlib.contextmanager
def scripted_tcp(
    script: Script,
    *,
    greeting: Sequence[Reply | Close] = (),
    certificate: Certificate | None = None,
    context: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Scripted]:
    """Answer each piece that a connection brings; say `greeting` first; speak TLS with a certificate, or a context."""
    if certificate:
        context = tls_context(certificate)
    server = Scripted(host)
    with in_a_thread(
        lambda ready, stop: _serve_tcp(
            server, script, greeting=greeting, context=context, port=port, ready=ready, stop=stop
        )
    ):
        yield server
