"""How both ends get both reports: through the signaling while that works, else over the pair that connects them."""

import asyncio
import contextlib
import zlib

from rtcdiag.connect.line import Done, Line, Result, Way
from rtcdiag.connect.talking import Talking
from rtcdiag.signaling import Bye, Channel, Report, SignalingError
from rtcdiag.signaling.messages import MAX_REPORT_BYTES

ANSWER_S = 3.0
"""How long the other end may take to say that it is there."""
_WAY_S = 4.0
"""How long it may take to say whether the signaling still works there."""
_REPORT_S = 10.0
"""How long the other end's report is waited for."""
_FAREWELL_S = 2.0


async def signaling_works(talking: Talking, line: Line) -> bool:
    """Tell whether reports can go through the signaling, as both ends see it where a pair lets them say so."""
    works = await talking.answers(ANSWER_S)
    line.tell(Way(works))
    await line.wait_for(Way, _WAY_S)
    await line.all_acknowledged(_WAY_S)
    other = line.heard.get(Way)
    return works and (not isinstance(other, Way) or other.signaling)


async def exchanged_over_channel(report: bytes, channel: Channel, talking: Talking) -> bytes | None:
    """Send a report, and return the other end's as it came; None where none did."""
    with contextlib.suppress(SignalingError, TimeoutError):
        await channel.send(Report(compressed=zlib.compress(report)))
        async with asyncio.timeout(_REPORT_S):
            await talking.report_or_left()
        await channel.send(Bye(why="done"))
    return _decompressed(talking.remote_report)


async def exchanged_over_pair(report: bytes, line: Line) -> bytes | None:
    """Send a report, and return the other end's as it came; None where none did."""
    line.heard.pop(Done, None)
    line.tell(Result(zlib.compress(report)))
    found = line.heard.get(Result) if await line.wait_for(Result, _REPORT_S) else None
    line.tell(Done())
    await line.wait_for(Done, _FAREWELL_S)
    await line.all_acknowledged(_FAREWELL_S)
    return _decompressed(found.compressed if isinstance(found, Result) else None)


def _decompressed(compressed: bytes | None) -> bytes | None:
    """Return a report of the other end, None for what is none or too long."""
    if compressed is None:
        return None
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(compressed, MAX_REPORT_BYTES + 1)
    except zlib.error:
        return None
    return found if stream.eof and len(found) <= MAX_REPORT_BYTES else None
