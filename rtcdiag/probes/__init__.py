"""One experiment a file: they observe and never judge.

A probe is ``async def observe(job, net, record)``. It hands over each observation as soon as it has it, never raises
for what a network or a server does, and when it is cancelled releases what it holds on servers.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import cast

from rtcdiag.net import Net
from rtcdiag.probes.job import Job, Record

Probe = Callable[[Job, Net, Record], Awaitable[None]]

PROBES: tuple[str, ...] = (
    "control",
    "web-check",
    "stun-server",
    "turn-server",
    "nat-behavior",
    "vantage",
    "gateway",
    "hops",
    "hairpin",
    "lifetime",
    "fragments",
    "candidates",
    "audit",
)
"""Each is ``observe`` of the module of that name."""


def probe_of(name: str) -> Probe:
    """Return a probe; it is imported when it is first asked for, for a run needs few of them."""
    return cast("Probe", import_module(f"{__name__}.{name.replace('-', '_')}").observe)
