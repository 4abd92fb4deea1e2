"""The time that another computer tells: the Date of its HTTPS answers (RFC 9110 section 6.6.1).

Imported only where a clock is in doubt, for the sake of h11.
"""

import asyncio
import contextlib
import ssl
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.net.failures import failure_of
from rtcdiag.net.local import Local
from rtcdiag.net.stream import NetError, Stream, connect_tcp, encrypted, local_of
from rtcdiag.net.web import NotHttpError, WebAnswer, WebExchange

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: by a wrong clock, every certificate has expired or is not valid yet."""
_LONGEST_AGE_S = 7 * 86400


def http_time_s(date: str | None, age: str | None = None) -> float | None:
    """Return a Date as UNIX seconds, with the Age that a cache adds (RFC 9111 section 5.1); None for what is none."""
    if date is None:
        return None
    try:
        told = parsedate_to_datetime(date[:64])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if told.tzinfo is None or not 1970 <= told.year <= 9998:
        return None
    return told.astimezone(UTC).timestamp() + _age_s(age)


def _age_s(age: str | None) -> int:
    aged = age is not None and age.isascii() and age.isdigit() and len(age) <= 8
    return min(int(age), _LONGEST_AGE_S) if aged and age else 0


def offset_s(began_s: float, ended_s: float, told_s: float) -> float:
    """Return this clock minus another one that told whole seconds of some moment between two times of this one."""
    return round((began_s + ended_s) / 2 - (told_s + 0.5), 1)


async def read_clock(
    destination: TransportAddress, host: str, ca_file: str | None, local: Local, limit_ms: float
) -> float | Failure | None:
    """Ask a web server over HTTPS; return the offset, None where it tells no time, or why there is no answer."""
    try:
        async with asyncio.timeout(limit_ms / 1000):
            return await _read(destination, host, ca_file, local, limit_ms)
    except TimeoutError:
        return Failure.TIMEOUT
    except NetError as error:
        return error.failure
    except NotHttpError:
        return Failure.NOT_HTTP
    except (OSError, EOFError) as error:
        return failure_of(error)


async def _read(
    destination: TransportAddress, host: str, ca_file: str | None, local: Local, limit_ms: float
) -> float | None:
    sock = await connect_tcp(destination, limit_ms, local)
    ours = local_of(sock)
    try:
        reader, writer = await encrypted(sock, _context(ca_file), host, limit_ms)
    except BaseException:
        sock.close()
        raise
    stream = Stream(reader, writer, ours, destination, is_tls=True)
    with contextlib.closing(stream):
        began_s = time.time()
        answer = await _ask(stream, host)
        told_s = http_time_s(answer.date, answer.age)
        return None if told_s is None else offset_s(began_s, time.time(), told_s)


async def _ask(stream: Stream, host: str) -> WebAnswer:
    exchange = WebExchange(f"[{host}]" if ":" in host else host, "/")
    stream.send(exchange.request())
    answer = None
    while answer is None:
        answer = exchange.receive(await stream.read())
    return answer


def _context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.verify_flags |= _NO_CHECK_TIME
    return context
