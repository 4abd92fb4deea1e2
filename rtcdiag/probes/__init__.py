"""One experiment a file: they observe and never judge.

A probe is ``async def observe(job, net, record)``. It hands over each observation as soon as it has it, never raises
for what a network or a server does, and when it is cancelled releases what it holds on servers.
"""

from collections.abc import Awaitable, Callable

from rtcdiag.net import Net
from rtcdiag.probes import (
    candidates,
    control,
    fragments,
    gateway,
    hairpin,
    hops,
    lifetime,
    nat_behavior,
    stun_server,
    turn_server,
    vantage,
    web_check,
)
from rtcdiag.probes.job import Job, Record

Probe = Callable[[Job, Net, Record], Awaitable[None]]

PROBES: tuple[tuple[str, Probe], ...] = (
    ("control", control.observe),
    ("web-check", web_check.observe),
    ("stun-server", stun_server.observe),
    ("turn-server", turn_server.observe),
    ("nat-behavior", nat_behavior.observe),
    ("vantage", vantage.observe),
    ("gateway", gateway.observe),
    ("hops", hops.observe),
    ("hairpin", hairpin.observe),
    ("lifetime", lifetime.observe),
    ("fragments", fragments.observe),
    ("candidates", candidates.observe),
)
