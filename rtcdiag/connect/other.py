"""What a session does with another end that is no rtcdiag, once a pair connects the two."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from rtcdiag.evidence import Observation
from rtcdiag.ice.session import SessionAgent


class Other(Protocol):
    """What is known of such an end, and how to talk with it."""

    async def use(self, agent: SessionAgent, quiet: Callable[[], Awaitable[None]]) -> None:
        """Use the selected pair; ``quiet`` waits until nothing else needs the line."""
        ...

    async def ended(self) -> None:
        """Take that the checks are over, whether a pair connects or not."""
        ...

    def observations(self) -> tuple[Observation, ...]:
        """Return what was seen."""
        ...
