"""What is found out about the own network beside a session: how its NAT behaves, so that a prediction can be made."""

import asyncio

from rtcdiag.evidence import Observation
from rtcdiag.net import Net
from rtcdiag.probes.job import Job
from rtcdiag.run import CONTROLS, RELEASE_S, observe

LONGEST_S = 4.0
"""How long the end of a session waits for what was not found out yet."""


class Beside:
    """Experiments on the network of the session; they begin when its candidates are told."""

    def __init__(self, jobs: tuple[Job, ...], net: Net) -> None:
        """Begin nothing yet."""
        self._jobs = jobs
        self._net = net
        self._tasks: list[asyncio.Task[None]] = []
        self._found: list[list[Observation]] = []
        net.controls = any(job.probe in CONTROLS for job in jobs)

    def begin(self) -> None:
        """Begin, unless that was done."""
        if self._tasks:
            return
        self._found = [[] for _ in self._jobs]
        self._tasks = [
            asyncio.create_task(observe(job, self._net, found.append))
            for job, found in zip(self._jobs, self._found, strict=True)
        ]

    async def end(self, *, at_once: bool) -> tuple[Observation, ...]:
        """Wait for a while, release everything, and return what was seen."""
        self._net.others_done.set()
        if self._tasks and not at_once:
            await asyncio.wait(self._tasks, timeout=LONGEST_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=RELEASE_S)
        return tuple(item for found in self._found for item in found)
