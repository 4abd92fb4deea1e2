"""Does this network reach the internet over TCP at all: the control beside which silence over UDP means something."""

import asyncio

from rtcdiag.address import TransportAddress
from rtcdiag.contacts import CONTROL_HOSTS
from rtcdiag.evidence import Connect
from rtcdiag.net import Net
from rtcdiag.net.stream import NetError, connect_tcp, local_of
from rtcdiag.probes.job import Job, Record


async def observe(job: Job, net: Net, record: Record) -> None:
    """Connect to each documented control host and close at once; nothing is sent."""
    del job
    await asyncio.gather(*(_host(contact.target, net, record) for contact in CONTROL_HOSTS))


async def _host(target: str, net: Net, record: Record) -> None:
    host, _, port = target.rpartition(":")
    host = host.strip("[]")
    addresses = await net.resolve(host)
    await asyncio.gather(*(_connect(host, TransportAddress(ip, int(port)), net, record) for ip in addresses[:2]))


async def _connect(host: str, destination: TransportAddress, net: Net, record: Record) -> None:
    began = net.now_ms()
    local, failure = None, None
    try:
        sock = await connect_tcp(destination, net.options.timeout_ms, net.local_for(destination.family))
        local = local_of(sock)
        sock.close()
    except NetError as error:
        failure = error.failure
    record(
        Connect(
            t_ms=began,
            duration_ms=net.now_ms() - began,
            server=host,
            purpose="control",
            destination=destination,
            local=local,
            failure=failure,
        )
    )
