"""Plan a run as a value, then gather its evidence: every probe side by side, none able to break the report."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import msgspec

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence, Observation
from rtcdiag.targets import Server

Record = Callable[[Observation], None]
"""How a probe hands over an observation as soon as it has it, so that an interrupted run keeps it."""


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the user may set about how a run asks."""

    families: tuple[Family, ...] = (Family.IPV4, Family.IPV6)
    bind: IPv4Address | IPv6Address | None = None
    """The local address of every socket."""
    interface: str | None = None
    """The interface whose addresses are used."""
    port: int = 0
    """The local port of check-stun's and nat-type's first socket; 0 lets the system choose."""
    server_name: str | None = None
    """The name that TLS asks for and verifies in place of the URI's host (``--sni``)."""
    ca_file: str | None = None
    """PEM certificates that are trusted beside the system's."""
    timeout_ms: float = 2300.0
    """How long one UDP transaction waits in all; TCP connects and TLS handshakes twice as long."""
    deadline_ms: float = 30000.0
    """When the whole run ends, whatever is still open."""
    samples: int = 5
    """Binding transactions per address for round-trip times."""
    control: bool = True
    """Whether the documented control hosts may be contacted."""
    relay_only: bool = False
    """Gather relay candidates only."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment: which probe, about which servers. Comparable, so that a plan can be tested as a value."""

    probe: str
    """A name of ``probes.PROBES``."""
    servers: tuple[Server, ...] = ()


def plan(command: str, servers: tuple[Server, ...], options: RunOptions) -> tuple[Job, ...]:
    """Return the experiments of a command (``report``, ``nat-type``, ``check-stun``, ``check-turn``, ``candidates``)."""
    raise NotImplementedError((command, servers, options))


async def gather(jobs: tuple[Job, ...], options: RunOptions) -> Evidence:
    """Run all jobs side by side and return what they saw, numbered in the order of the plan.

    When the surrounding task is cancelled (Ctrl-C, SIGTERM) or the deadline comes, it releases allocations and sockets
    and returns what was recorded until then; ``interrupted`` of the second kind is a Skipped observation.
    """
    raise NotImplementedError((jobs, options))
