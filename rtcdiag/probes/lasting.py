"""What takes long and is asked for: how good a relay is, how much it carries, and whether it lasts.

One after the other, and only through a relay that has just carried data between two allocations.
"""

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Observation, RelayedData
from rtcdiag.net import Net
from rtcdiag.probes import quality, soak, throughput
from rtcdiag.probes.connection import Path
from rtcdiag.probes.job import Record


class Watched:
    """Records, and notes on the way at which server data went from one relay to another."""

    def __init__(self, record: Record) -> None:
        """Take what to hand observations on to."""
        self.relay: TransportAddress | None = None
        """The server's address; it may be another one than was asked first (ALTERNATE-SERVER)."""
        self._record = record

    def __call__(self, observation: Observation) -> None:
        """Hand it on."""
        if isinstance(observation, RelayedData) and observation.path == "relay-to-relay" and observation.received:
            self.relay = observation.destination
        self._record(observation)


async def observe(path: Path, net: Net, record: Record) -> None:
    """Do what the options ask for."""
    options = net.options
    if options.quality_s is not None:
        async with net.quiet.shared():
            await quality.observe(path, net, record, options.quality_s)
    if options.throughput_kbps is not None:
        async with net.quiet.alone():
            await throughput.observe(path, net, record, options.throughput_kbps)
    if options.soak_s is not None:
        async with net.quiet.shared():
            await soak.observe(path, net, record, options.soak_s)
