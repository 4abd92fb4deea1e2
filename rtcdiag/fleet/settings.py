"""How a run checks its targets, and what all checks on this computer have in common."""

import msgspec

from rtcdiag.config import HealthConfig, HealthTarget
from rtcdiag.demands import Depth, Thresholds
from rtcdiag.evidence import Environment
from rtcdiag.fleet.lateness import Lateness
from rtcdiag.net import Net
from rtcdiag.net.resolver import Resolver
from rtcdiag.options import RunOptions
from rtcdiag.probes.environment import environment

AT_ONCE = 96
"""Checks under way; most of them wait for an answer."""
AT_ONE_HOST = 32
QUALITY_S = 5.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every target of a run."""

    options: RunOptions
    depth: Depth = "relay"
    """How deep, where a target does not say it itself."""
    thresholds: Thresholds = {}
    """Where a target has none of its own."""
    quality_s: float = QUALITY_S
    """How long packets are sent where the depth is ``quality``."""
    retries: int = 0
    """How often a target that failed is tried again."""
    retry_after_s: float = 1.0
    deadline_s: float | None = None
    """When the whole run ends."""
    keep_evidence: bool = True
    at_once: int = AT_ONCE
    at_one_host: int = AT_ONE_HOST

    def depth_of(self, target: HealthTarget) -> Depth:
        """Return how deep a target is checked: as it says itself, else as the run."""
        return target.depth or self.depth

    def thresholds_of(self, target: HealthTarget) -> Thresholds:
        """Return the thresholds of a target."""
        return self.thresholds | target.thresholds


def settings_for(settings: Settings, config: HealthConfig, depth: Depth | None) -> Settings:
    """Return the settings with what a configuration says; the command line's depth and thresholds go before."""
    return msgspec.structs.replace(
        settings,
        depth=depth or config.depth or settings.depth,
        thresholds=config.thresholds | settings.thresholds,
    )


class Surroundings(msgspec.Struct, frozen=True):
    """What all checks on this computer have in common, so that none has to find it out for itself."""

    here: Environment
    resolver: Resolver
    lateness: Lateness

    async def close(self) -> None:
        """Give up what goes on beside the checks."""
        self.lateness.close()
        await self.resolver.close()


def around(options: RunOptions) -> Surroundings:
    """Look at this computer, once for all checks; call it where an event loop runs, and close it."""
    return Surroundings(environment(Net(options)), Resolver(), Lateness())
