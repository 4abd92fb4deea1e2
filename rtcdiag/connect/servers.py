"""Which servers the agent of a session asks, and from which local addresses."""

import asyncio

from rtcdiag.address import TransportAddress, family_of
from rtcdiag.evidence import Observation, Skipped
from rtcdiag.ice import Relay
from rtcdiag.ice.agent import Missed
from rtcdiag.ice.bases import Settings
from rtcdiag.net import Net
from rtcdiag.net.stream import TlsSettings
from rtcdiag.probes.candidates import chosen_addresses
from rtcdiag.targets import Server, Transport

MOST_STUN, MOST_RELAYS = 3, 3
"""More servers make more candidates of the same kind, and the other end takes 32."""


async def settings_for(
    servers: tuple[Server, ...], net: Net, record: list[Observation], *, hide_local: bool
) -> Settings:
    """Return what an agent asks: each server's first address of a family, a few of each kind."""
    each = tuple(dict.fromkeys(servers))
    found = await asyncio.gather(*(net.resolve(server.host) for server in each))
    stun, relays = dict[TransportAddress, None](), list[Relay]()
    for server, addresses in zip(each, found, strict=True):
        firsts = {family_of(ip): TransportAddress(ip, server.port) for ip in reversed(addresses)}
        if server.transport is Transport.UDP:
            stun |= dict.fromkeys(firsts.values())
        if server.protocol == "turn" and server.credential is not None and server.transport is not Transport.DTLS:
            tls = TlsSettings(net.options.server_name or server.host, net.options.ca_file)
            relays += [
                Relay(address=address, transport=server.transport, credential=server.credential, tls=tls)
                for address in list(firsts.values())[:1]
            ]

    def on_missed(server: TransportAddress, missed: Missed) -> None:
        record.append(
            Skipped(t_ms=net.now_ms(), what=f"{missed.type} candidate from {server}", why=missed.detail or "no answer")
        )

    return Settings(
        local=chosen_addresses(net),
        stun=tuple(stun)[:MOST_STUN],
        relays=tuple(relays[:MOST_RELAYS]),
        relay_only=net.options.relay_only,
        hide_local=hide_local,
        pace=net.pacer.turn,
        timeout_ms=net.options.timeout_ms,
        on_missed=on_missed,
    )
