"""A rendezvous as a process of its own, a way to it that can be cut, and clients that speak bytes."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from support.process import RTCDIAG, running
from support.ready import answers


class Rendezvous(msgspec.Struct, frozen=True):
    """One that serves."""

    url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[Rendezvous]:
    """Serve on loopback until the block ends; what it wrote to its standard error must be nothing."""
    command = [RTCDIAG, "serve", "signal", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Rendezvous(process.stdout.readline().strip(), process)
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=10)
    assert errors == "", errors


class Wire:
    """A way to a server that records what passes, and that can be cut and mended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seen = bytearray()
        self.url = ""
        self.connections = 0
        self.cut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def drop(self) -> None:
        """Reset every connection."""
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        if self.cut:
            writer.transport.abort()
            return
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, far_writer}
        both = [asyncio.create_task(self._pump(*each)) for each in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            for each in (writer, far_writer):
                each.transport.abort()
                self._open.discard(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.seen += data
                writer.write(data)
                await writer.drain()


@contextlib.asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """Offer another port of loopback that leads to this one."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        wire.drop()
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def scripted(answer: bytes, dribbled: bytes = b"") -> AsyncIterator[str]:
    """Offer a server that answers whatever comes with these bytes; yield its URL.

    What is ``dribbled`` follows ten times a second until the block ends, in which one client comes.
    """
    over, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(4096)
            writer.write(answer)
            await writer.drain()
            while dribbled and not over.is_set():
                writer.write(dribbled)
                await writer.drain()
                await asyncio.sleep(0.1)
        writer.close()
        gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        if dribbled:
            await gone.wait()
        server.close()


@contextlib.contextmanager
def proxying(directory: Path) -> Iterator[tuple[str, Path]]:
    """Run Debian's tinyproxy on loopback; yield its URL and its log."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    configuration, log = directory / "tinyproxy.conf", directory / "tinyproxy.log"
    configuration.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Info\nMaxClients 50\n")
    with running(["tinyproxy", "-d", "-c", configuration], log=log):
        assert answers("127.0.0.1", port, "open")
        yield f"http://127.0.0.1:{port}", log


def http(status: str, body: str = "", *headers: str) -> bytes:
    """Return a whole HTTP response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode()


def asked(port: int, request: bytes, *then: bytes, timeout_s: float = 5.0, most: int = 65536) -> bytes:
    """Send bytes, and each of `then` after an answer to those before; return all that comes until the server ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as sock:
        answer = b""
        with contextlib.suppress(OSError):
            sock.sendall(request)
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            for more in then:
                answer += sock.recv(65536)
                sock.sendall(more)
            while len(answer) < most and (part := sock.recv(65536)):
                answer += part
        return answer
