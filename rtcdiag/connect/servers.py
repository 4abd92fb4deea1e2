"""Which servers the agent of a session asks, and from which local addresses."""

import asyncio
from collections.abc import Callable, Iterable

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.connect.record import Record
from rtcdiag.evidence import Gathering
from rtcdiag.ice.bases import Answers, Settings
from rtcdiag.ice.relay import Relay
from rtcdiag.net import Net
from rtcdiag.net.stream import TlsSettings
from rtcdiag.probes.candidates import chosen_addresses
from rtcdiag.targets import Server, Transport

MOST_STUN, MOST_RELAYS = 3, 3
"""More servers make more candidates of the same kind, and the other end takes 32."""

Asking = tuple[Server, TransportAddress]


async def settings_for(servers: tuple[Server, ...], net: Net, record: Record, *, hide_local: bool) -> Settings:
    """Return what an agent asks: each server at its first address of a family, a few of each kind."""
    each = tuple(dict.fromkeys(servers))
    found = await asyncio.gather(*(net.resolve(server.host) for server in each))
    asking = [
        (server, address) for server, ips in zip(each, found, strict=True) for address in _firsts(server, ips).values()
    ]
    stun = dict.fromkeys(address for server, address in asking if server.transport is Transport.UDP)
    relays = [(server, address) for server, address in asking if _may_relay(server)]
    return Settings(
        local=chosen_addresses(net),
        stun=tuple(stun)[:MOST_STUN] if not net.options.relay_only else (),
        relays=tuple(_relay(server, address, net) for server, address in relays[:MOST_RELAYS]),
        relay_only=net.options.relay_only,
        hide_local=hide_local,
        pace=net.pacer.turn,
        timeout_ms=net.options.timeout_ms,
        on_server=_recorder(asking, net, record),
    )


def _firsts(server: Server, ips: Iterable[IPAddress]) -> dict[Family, TransportAddress]:
    return {family_of(ip): TransportAddress(ip, server.port) for ip in reversed(tuple(ips))}


def _may_relay(server: Server) -> bool:
    return server.protocol == "turn" and server.credential is not None and server.transport is not Transport.DTLS


def _relay(server: Server, address: TransportAddress, net: Net) -> Relay:
    tls = TlsSettings(net.options.server_name or server.host, net.options.ca_file)
    return Relay(address=address, transport=server.transport, credential=server.credential, tls=tls)


def _recorder(asking: list[Asking], net: Net, record: Record) -> Callable[[Answers], None]:
    """Return what notes a server's answers, under the first of the URIs that stand for it."""

    def note(answers: Answers) -> None:
        named = (
            server.uri
            for server, address in asking
            if (address, server.transport) == (answers.server, answers.transport)
            and (_may_relay(server) or not answers.relays)
        )
        uri = next(named, str(answers.server))
        record.gave |= dict.fromkeys(answers.told, uri)
        first = answers.missed[0] if answers.missed else None
        record.more.append(
            Gathering(
                t_ms=answers.began_ms,
                duration_ms=net.now_ms() - answers.began_ms,
                server=uri,
                candidates=answers.candidates,
                redundant=answers.redundant,
                failure=first.failure if first else None,
                detail=f"{first.type}: {first.detail}" if first else None,
            )
        )

    return note
