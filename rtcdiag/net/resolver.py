"""Names to addresses by the system's resolver, in threads that a hanging resolver cannot make us wait for."""

import asyncio
import contextlib
import socket
import threading
from ipaddress import ip_address
from typing import NamedTuple

from rtcdiag.address import Family, IPAddress
from rtcdiag.evidence import Failure
from rtcdiag.net.failures import failure_of

MOST_AT_ONCE = 32
FAMILIES = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class Answer(NamedTuple):
    """What the resolver said; ``failure`` is set where ``addresses`` is empty."""

    addresses: tuple[IPAddress, ...] = ()
    failure: Failure | None = None


class Resolver:
    """Look-ups for several runs: at most so many at once, and each name once.

    A place is free again when its time is up, and not when the system has given up as well: names that nobody answers
    for must not hold up the others.
    """

    def __init__(self, most: int = MOST_AT_ONCE, *, places: asyncio.Semaphore | None = None) -> None:
        """Start with nothing known; several that are at work at once may share their places."""
        self._places = asyncio.Semaphore(most) if places is None else places
        self._asked: dict[tuple[str, Family], asyncio.Task[Answer]] = {}

    async def look_up(self, host: str, family: Family, timeout_ms: float) -> Answer:
        """Resolve a name, or wait for what somebody else has asked already."""
        key = (host, family)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._in_turn(host, family, timeout_ms))
        return await asyncio.shield(self._asked[key])

    async def _in_turn(self, host: str, family: Family, timeout_ms: float) -> Answer:
        async with self._places:
            return await look_up(host, family, timeout_ms)

    async def close(self) -> None:
        """Give up what nobody waits for any more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)


async def look_up(host: str, family: Family, timeout_ms: float) -> Answer:
    """Resolve a name in one family within a bound; never raises for what a resolver or a name can do."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[IPAddress]] = loop.create_future()
    # A daemon thread: getaddrinfo cannot be cancelled, and an executor's thread would hold up the end of the program.
    threading.Thread(target=_resolve_into, args=(loop, future, host, family), daemon=True).start()
    try:
        addresses = await asyncio.wait_for(future, timeout_ms / 1000)
    except TimeoutError:
        return Answer(failure=Failure.DNS_TIMEOUT)
    except UnicodeError:
        return Answer(failure=Failure.DNS_NOT_FOUND)
    except OSError as error:
        return Answer(failure=failure_of(error))
    return Answer(tuple(dict.fromkeys(addresses)))


def _resolve_into(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[list[IPAddress]], host: str, family: Family
) -> None:
    outcome: list[IPAddress] | OSError | UnicodeError
    try:
        infos = socket.getaddrinfo(host, None, FAMILIES[family], socket.SOCK_DGRAM)
        outcome = [ip_address(str(info[4][0])) for info in infos]
    except (OSError, UnicodeError) as error:
        outcome = error
    # The loop may be closed by the time that a slow resolver answers.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_settle, future, outcome)


def _settle(future: asyncio.Future[list[IPAddress]], outcome: list[IPAddress] | OSError | UnicodeError) -> None:
    if future.done():
        return
    if isinstance(outcome, list):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
