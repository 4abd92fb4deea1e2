"""How long a broken way to the rendezvous is tried again, and what is said when that ends."""

import asyncio
import time
from collections.abc import Iterator, Mapping

import msgspec

from rtcdiag.net.failures import failure_of
from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.wire import PASSING, VERSION, Problem

OUTAGE_S = 30.0
"""A way that worked is tried again for so long."""
_FIRST_S, _MOST_S = 0.2, 4.0
_WORDS: Mapping[str, str] = {
    "nothing-here": "the rendezvous has nothing at this path: take the URL that it printed when it started",
    "unknown-room": "the room does not exist or is over (ten minutes, one session): ask for a new one",
    "full": "two people are in this room already: ask for a new one",
    "gone": "this end was silent for too long, and has lost its place in the room",
    "rate": "the rendezvous refuses: too many requests from this address; try again in a minute",
    "server-full": "the rendezvous is full: try again in a few minutes",
    "too-many": "the rendezvous takes no more messages in this room",
    "too-large": "the rendezvous takes no message of this size",
    "other-origin": "the rendezvous refuses this program's requests",
    "out-of-order": "the rendezvous has lost messages of this session",
}
_problem = msgspec.json.Decoder(Problem)


class RefusedByServerError(Exception):
    """The rendezvous refused a request."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        try:
            self.problem: Problem | None = _problem.decode(body)
        except (msgspec.MsgspecError, RecursionError):
            self.problem = None

    @property
    def passing(self) -> bool:
        """Whether it may be otherwise soon. Without words of its own, a proxy in between refuses."""
        if self.problem is None:
            return self.status in (502, 503, 504)
        return self.problem.error in PASSING

    @property
    def wait_s(self) -> float:
        """After which time, if the rendezvous says so."""
        told_s = self.problem.retry_after_s if self.problem else None
        return min(max(told_s or 0.0, 0.0), OUTAGE_S)


class Reach:
    """Whether a rendezvous was ever reached."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.ever = False


class Patience:
    """One way to the rendezvous: since when it has not worked, if any way to it ever did."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._broken_s: float | None = None
        self._pause_s = _FIRST_S

    def worked(self) -> None:
        """Note that it works."""
        self._reach.ever, self._broken_s, self._pause_s = True, None, _FIRST_S

    async def failed(self, error: Exception) -> None:
        """Wait before the next try, longer each time; raise SignalingError where there is to be none."""
        refused = error if isinstance(error, RefusedByServerError) else None
        now_s = time.monotonic()
        since_s = self._broken_s = now_s if self._broken_s is None else self._broken_s
        wait_s = max(self._pause_s, refused.wait_s if refused else 0.0)
        hopeful = refused.passing if refused else self._reach.ever
        if not hopeful or now_s + wait_s - since_s > OUTAGE_S:
            raise SignalingError(refusal_words(self._reach.host, refused) if refused else self._words(error)) from None
        self._pause_s = min(2 * self._pause_s, _MOST_S)
        await asyncio.sleep(wait_s)

    def _words(self, error: Exception) -> str:
        if self._reach.ever:
            return f"the connection to the rendezvous at {self._reach.host} is lost: {_reason(error)}"
        return f"the rendezvous at {self._reach.host} cannot be reached: {_reason(error)}"


def refusal_words(host: str, error: RefusedByServerError) -> str:
    """Return what a refusal means; nothing that the server wrote is repeated."""
    problem = error.problem
    if problem is None:
        return f"what answers at {host} is no rendezvous of rtcdiag (HTTP status {error.status})"
    if problem.error == "version":
        older = all(version < VERSION for version in problem.versions)
        which = "the rendezvous is too old" if older else "this rtcdiag is too old"
        return f"{which} for the other: update it"
    return _WORDS.get(problem.error, f"the rendezvous at {host} does not understand this version of rtcdiag")


def _reason(error: BaseException) -> str:
    causes = list(_causes(error))
    found = next((cause for cause in causes if isinstance(cause, OSError) and cause.errno is not None), None)
    if found is not None:
        return failure_of(found).value.replace("-", " ")
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in causes):
        return "no answer"
    if any("Proxy" in type(cause).__name__ for cause in causes):
        return "the proxy gives no way to it"
    return "it does not speak HTTP, or closed the connection"


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    if error is None or depth > 10:
        return
    yield error
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _causes(inner, depth + 1)
    yield from _causes(error.__cause__ or error.__context__, depth + 1)
