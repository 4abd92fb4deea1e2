"""A file of packets (pcapng), read by a parser that is not the writer's."""

import struct
from collections.abc import Iterator


def packets(content: bytes) -> Iterator[tuple[int, float, bytes]]:
    """Yield each packet's interface, time and bytes; every block's length must stand at both of its ends."""
    at = 0
    while at < len(content):
        kind, length = struct.unpack_from("<II", content, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", content, at + length - 4) == (length,)
        if kind == 6:
            interface, high, low, size, _ = struct.unpack_from("<IIIII", content, at + 8)
            yield interface, (high << 32 | low) / 1e9, content[at + 28 : at + 28 + size]
        at += length
    assert at == len(content)
