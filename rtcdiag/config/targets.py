"""What a configuration of `rtcdiag health` asks for: servers to watch, and what is demanded of each."""

import msgspec

from rtcdiag.demands import Depth, Thresholds
from rtcdiag.targets import Server

MOST_TARGETS = 20_000
"""How many URIs a configuration may hold."""


class Secret:
    """A secret that TURN credentials are made from (coturn's ``use-auth-secret``); it never prints."""

    __slots__ = ("name", "value")

    def __init__(self, value: str, name: str = "rtcdiag") -> None:
        """Take the name that goes into the usernames."""
        self.value, self.name = value, name

    def __repr__(self) -> str:
        return "Secret(…)"


class HealthTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One URI to check."""

    name: str
    """The user's name for it, which several URIs may share; the URI itself where there is none."""
    server: Server
    secret: Secret | None = None
    """What its credentials are made from for each check, where it has none of its own."""
    critical: bool = True
    """Whether its failure is one of the service, and not only worth a warning."""
    depth: Depth | None = None
    """How deep it is checked; None: as deep as the run."""
    thresholds: Thresholds = {}
    where: str = "$"
    """Its place in the configuration: ``$.iceServers[2].urls``, or ``line 7``."""
    line: int | None = None
    """The line of the file in which the URI first stands, counted from 1."""


class HealthConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that was read."""

    targets: tuple[HealthTarget, ...]
    """At least one."""
    thresholds: Thresholds = {}
    """Of all targets; one of its own goes before."""
    depth: Depth | None = None
