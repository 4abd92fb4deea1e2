"""Other computers' clocks, asked only where a clock may be why time-limited credentials are refused."""

import asyncio
from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.contacts import CLOCK_HOSTS
from rtcdiag.evidence import ClockReading, Failure
from rtcdiag.net import Net
from rtcdiag.probes.job import Record

PORT = 443
PATIENCE = 0.5
"""Which part of the time-out an answer may take: whoever has no web server is not to hold up the verdict for long."""


async def ask_clocks(host: str, net: Net, record: Record) -> None:
    """Ask the host of a TURN server for its time, and where control hosts may be asked one of them; each once a run."""
    asked: list[tuple[str, Literal["server", "control"]]] = [(host, "server")]
    asked += [(contact.target, "control") for contact in CLOCK_HOSTS] if net.controls else []
    new = [(name, role) for name, role in asked if name not in net.clocks_asked]
    net.clocks_asked.update(name for name, _ in new)
    await asyncio.gather(*(_ask(name, role, net, record) for name, role in new))


async def _ask(host: str, role: Literal["server", "control"], net: Net, record: Record) -> None:
    from rtcdiag.net.clock import read_clock  # noqa: PLC0415 - see its docstring

    began_ms = net.now_ms()
    told: float | Failure | None = net.cut_off_by
    try:
        addresses = await net.resolve(host)
        told = Failure.DNS_NO_ADDRESS
        for ip in addresses[:1]:
            local = net.local_for(TransportAddress(ip, PORT).family)
            limit_ms = PATIENCE * net.options.timeout_ms
            told = net.cut_off_by
            told = await read_clock(TransportAddress(ip, PORT), host, net.options.ca_file, local, limit_ms)
    finally:
        failure = told if isinstance(told, Failure) else None
        offset_s = None if isinstance(told, Failure) else told
        took_ms = net.now_ms() - began_ms
        record(
            ClockReading(t_ms=began_ms, duration_ms=took_ms, host=host, role=role, offset_s=offset_s, failure=failure)
        )
