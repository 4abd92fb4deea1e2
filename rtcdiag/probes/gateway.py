"""What the default gateway says of itself over NAT-PMP, PCP and UPnP. Only questions: no mapping is made or removed.

It is asked where the way to the servers passes it, in each family by itself. An answer is waited for, silence is not
(``listening``).
"""

import asyncio
from ipaddress import IPv4Address

import msgspec

from rtcdiag.address import Family, family_of
from rtcdiag.evidence import GatewayQuery, Skipped
from rtcdiag.net import Net
from rtcdiag.portmap import natpmp, pcp
from rtcdiag.portmap.answer import PORT, PortmapAnswer
from rtcdiag.probes.gateway_upnp import upnp
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.question import OddAnswerError, Question
from rtcdiag.probes.way_out import Way, way_out
from rtcdiag.targets import Server

_NAMES = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}


async def observe(job: Job, net: Net, record: Record) -> None:
    """Ask the gateway of each family that the job's servers have addresses in."""
    await asyncio.gather(*(_family(family, job.servers, net, record) for family in net.options.families))


async def _family(family: Family, servers: tuple[Server, ...], net: Net, record: Record) -> None:
    resolved = await asyncio.gather(*(net.resolve(server.host) for server in servers))
    way = way_out(net, family, [ip for addresses in resolved for ip in addresses if family_of(ip) is family])
    if isinstance(way, str):
        record(Skipped(t_ms=net.now_ms(), what=f"the gateway over {_NAMES[family]}", why=way))
    elif way is not None:
        # NAT-PMP has no IPv6, and an Internet Gateway Device tells nothing of an IPv6 address.
        asking = (_pcp, _over_ipv4) if family is Family.IPV4 else (_pcp,)
        await asyncio.gather(*(ask(way, net, record) for ask in asking))


async def _over_ipv4(way: Way, net: Net, record: Record) -> None:
    told = asyncio.create_task(_nat_pmp(way, net, record))
    await asyncio.gather(told, upnp(way, net, record, told))


async def _nat_pmp(way: Way, net: Net, record: Record) -> IPv4Address | None:
    """Return the external address, where it tells one."""
    question = Question(net, way, PORT, lambda data: _known(natpmp.decode(data)))
    try:
        await question.ask([(natpmp.EXTERNAL_ADDRESS_REQUEST, way.at(PORT))])
    finally:
        record(_portmap(question.query("nat-pmp", "external-address"), question.answer))
    return question.answer.external if question.answer is not None else None


async def _pcp(way: Way, net: Net, record: Record) -> None:
    question = Question(net, way, PORT, lambda data: _known(pcp.decode(data)))
    try:
        await question.ask([(pcp.announce_request(way.source), way.at(PORT))])
    finally:
        record(_portmap(question.query("pcp", "announce"), question.answer))


def _known(answer: PortmapAnswer | None) -> PortmapAnswer:
    if answer is None:
        raise OddAnswerError("not-understood")
    return answer


def _portmap(query: GatewayQuery, answer: PortmapAnswer | None) -> GatewayQuery:
    if answer is None:
        return query
    return msgspec.structs.replace(
        query,
        version=answer.version,
        result=answer.result,
        result_name=answer.result_name,
        epoch_s=answer.epoch_s,
        external_address=str(answer.external) if answer.external is not None else None,
    )
