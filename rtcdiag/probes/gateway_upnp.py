"""The default gateway as a UPnP device: found over SSDP; described and asked over HTTP where NAT-PMP told too little.

What speaks HTTP here takes a third of a second to import, half of a whole run.
"""

import asyncio
from importlib import import_module
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import msgspec

from rtcdiag.address import Scope, TransportAddress, scope_of
from rtcdiag.evidence import GatewayQuery
from rtcdiag.evidence.gateway import GatewayQuestion
from rtcdiag.net import Net
from rtcdiag.portmap import ssdp
from rtcdiag.probes.job import Record
from rtcdiag.probes.question import OddAnswerError, Question
from rtcdiag.probes.way_out import Way

if TYPE_CHECKING:  # what it imports takes longer than a whole run without it
    from rtcdiag.probes.igd import Igd, Reply

_ERRORS = {
    401: "INVALID_ACTION",
    402: "INVALID_ARGS",
    501: "ACTION_FAILED",
    602: "ACTION_NOT_IMPLEMENTED",
    606: "NOT_AUTHORIZED",
}
"""UPnP Device Architecture 1.1, section 3.2.2; 606 is of Internet Gateway Device 2."""
_MOST_WORD = 48
TOLD_WITHIN_MS = 100.0
"""So long after the gateway was found NAT-PMP's word is waited for: both come from the same device."""


async def upnp(way: Way, net: Net, record: Record, told: "asyncio.Task[IPv4Address | None]") -> None:
    """Look for the gateway; where it answers, read its description and ask for its external address and its state.

    Not where NAT-PMP ``told`` a public address: then UPnP has nothing to add.
    """

    def accept(data: bytes) -> ssdp.Discovered:
        found = ssdp.decode(data)
        if found is None or ssdp.place_of(found.location, way.gateway) is None:
            raise OddAnswerError("not-understood" if found is None else "description-elsewhere")
        return found

    question = Question(net, way, ssdp.PORT, accept)
    everywhere = (way.at(ssdp.PORT), TransportAddress(ssdp.GROUP, ssdp.PORT))
    sends = [(ssdp.search(version, to.host), to) for to in everywhere for version in ssdp.IGD_VERSIONS]
    try:
        await question.ask(sends, ends_refused=False)
    finally:
        found, query = question.answer, question.query("upnp-igd", "discovery")
        said = {"version": found.igd_version, "result": 0, "result_name": "SUCCESS"} if found is not None else {}
        record(msgspec.structs.replace(query, **said))
    if found is not None and not await _is_known(told):
        await _describe(found.location, way, net, record)


async def _is_known(told: "asyncio.Task[IPv4Address | None]") -> bool:
    done, _ = await asyncio.wait((told,), timeout=TOLD_WITHIN_MS / 1000)
    address = told.result() if done else None
    return address is not None and scope_of(address) is Scope.GLOBAL


async def _describe(location: str, way: Way, net: Net, record: Record) -> None:
    # In a thread: it takes long, and what other probes receive must not wait for it.
    igd = await asyncio.to_thread(import_module, "rtcdiag.probes.igd")
    began_ms = net.now_ms()
    async with igd.Reading(location, way.gateway, way.source) as device:
        record(_description(device, _query(location, way, net, began_ms, "description")))
        if device is not None:
            began_ms = net.now_ms()
            external = await device.external_address()
            query = _query(location, way, net, began_ms, "external-address")
            record(_replied(query, external, external_address=_word(external.value)))
            began_ms = net.now_ms()
            status = await device.status()
            query = _query(location, way, net, began_ms, "status")
            record(_replied(query, status, connection_status=_word(status.value)))


def _query(location: str, way: Way, net: Net, began_ms: float, question: GatewayQuestion) -> GatewayQuery:
    return GatewayQuery(
        t_ms=began_ms,
        duration_ms=net.now_ms() - began_ms,
        protocol="upnp-igd",
        question=question,
        destination=ssdp.place_of(location, way.gateway) or way.at(ssdp.PORT),
        local=str(way.source),
        interface=way.interface,
        sent_ms=(began_ms,),
    )


def _description(device: "Igd | None", query: GatewayQuery) -> GatewayQuery:
    if device is None:
        return msgspec.structs.replace(query, problem="description-unusable")
    name = device.name or None
    return msgspec.structs.replace(query, version=device.version, result=0, result_name="SUCCESS", device=name)


def _replied(query: GatewayQuery, reply: "Reply", **told: str | None) -> GatewayQuery:
    if reply.result is None:
        return msgspec.structs.replace(query, problem="not-understood")
    name = "SUCCESS" if reply.result == 0 else _ERRORS.get(reply.result, "UNKNOWN")
    return msgspec.structs.replace(query, result=reply.result, result_name=name, **told)


def _word(value: str | None) -> str | None:
    """Return a gateway's own word as far as it is printable ASCII, bounded."""
    letters = (letter for letter in value or "" if letter.isascii() and letter.isprintable())
    return "".join(letters).strip()[:_MOST_WORD] or None
