"""ICE agents: what one gathers, and whether two of them reach each other through a relay. aioice is only known here."""

from collections.abc import Callable

from rtcdiag.ice import lean as lean

# isort: split
from rtcdiag.ice.agent import Agent, Gathered, Missed, Question, release, to_the_end
from rtcdiag.ice.meeting import Meeting, meet
from rtcdiag.ice.relay import Relay

__all__ = ["Gathered", "Meeting", "Missed", "Question", "Relay", "gather", "meet"]


async def gather(question: Question, on_found: Callable[[Gathered], None], on_missed: Callable[[Missed], None]) -> bool:
    """Gather with one agent, telling each outcome at once; then release everything, also when cancelled.

    Return whether all was released: False where a TURN server did not confirm it in time.
    """
    agent = Agent(question, on_found, on_missed)
    try:
        await agent.gather_candidates()
    finally:
        released = await to_the_end(release(agent))
    return released
