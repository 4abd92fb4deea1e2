"""What a probe is given: its job, the network, and where to put what it sees."""

from collections.abc import Callable

import msgspec

from rtcdiag.demands import Depth
from rtcdiag.evidence import Observation
from rtcdiag.targets import Server

Record = Callable[[Observation], None]
"""How a probe hands over an observation as soon as it has it, so that an interrupted run keeps it."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment: which probe, about which servers. Comparable, so that a plan can be tested as a value."""

    probe: str
    """A name of ``PROBES``."""
    servers: tuple[Server, ...] = ()
    trials: bool = False
    """Whether a TURN server is also asked what it can do beyond what calls need."""
    samples: int | None = None
    """How many Binding transactions a server is asked for round-trip times, where not as many as the options say."""
    depth: Depth = "relay"
    """How deep a TURN server is checked; ``quality`` is what the options of the run ask for besides."""
    brief: bool = False
    """Whether fewer datagrams prove a relay, and no channels: many servers are checked in one run."""
