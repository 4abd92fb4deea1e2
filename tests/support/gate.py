"""A proxy in front of a TLS server that looks at each greeting, as nginx's ssl_preread does, and turns some away."""

import asyncio
import contextlib
import struct
import threading
from collections.abc import Callable, Iterator

from support.scripted import READY_S, in_a_thread

NO_APPLICATION_PROTOCOL = bytes.fromhex("15030300020278")
"""A fatal alert (RFC 7301 section 3.2)."""
Policy = Callable[[bytes], bytes | None]
"""Takes the bytes of a ClientHello; returns what to say instead before hanging up, None to let it through."""


def refuses_alpn(hello: bytes) -> bytes | None:
    return NO_APPLICATION_PROTOCOL if b"\x09stun.turn" in hello else None


def wants_name(name: str) -> Policy:
    """Hang up on who does not send this name."""
    sent = struct.pack("!H", len(name)) + name.encode()
    return lambda hello: None if sent in hello else b""


@contextlib.contextmanager
def gate(port: int, policy: Policy, *, other_port: int | None = None) -> Iterator[int]:
    """Listen on a port, which is given, before a server's; whom the policy turns away goes to another, if there is."""
    listening: list[int] = []

    async def serve(ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(lambda r, w: _pass(r, w, port, policy, other_port), "127.0.0.1", 0)
        listening.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        server.close()

    with in_a_thread(serve):
        yield listening[0]


async def _pass(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
    policy: Policy,
    other_port: int | None,
) -> None:
    with contextlib.suppress(OSError):
        hello = await asyncio.wait_for(reader.read(65_536), READY_S)
        refusal = policy(hello)
        if refusal is not None and other_port is None:
            writer.write(refusal)
        else:
            ahead = await asyncio.open_connection("127.0.0.1", port if refusal is None else other_port)
            ahead[1].write(hello)
            await asyncio.gather(_copy(reader, ahead[1]), _copy(ahead[0], writer))
    writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
