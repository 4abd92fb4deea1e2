"""Plan a run as a value, then gather its evidence: every probe side by side, none able to break the report."""

from rtcdiag.evidence import Evidence
from rtcdiag.options import RunOptions
from rtcdiag.probes.job import Job
from rtcdiag.targets import Server

__all__ = ["Job", "RunOptions", "gather", "plan"]


def plan(command: str, servers: tuple[Server, ...], options: RunOptions) -> tuple[Job, ...]:
    """Return the experiments of a command: report, nat-type, check-stun, check-turn or candidates."""
    raise NotImplementedError((command, servers, options))


async def gather(jobs: tuple[Job, ...], options: RunOptions) -> Evidence:
    """Run all jobs side by side and return what they saw, numbered in the order of the plan.

    When the surrounding task is cancelled (Ctrl-C, SIGTERM) or the deadline comes, it releases allocations and sockets
    and returns what was recorded until then; ``interrupted`` of the second kind is a Skipped observation.
    """
    raise NotImplementedError((jobs, options))
