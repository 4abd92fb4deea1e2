"""Do two ICE agents that may use relays only connect through a TURN server: what a call would do, as the last word."""

from rtcdiag.evidence import IceMeeting, Skipped
from rtcdiag.net import Net
from rtcdiag.net.routes import source_towards
from rtcdiag.probes.candidates import chosen_addresses
from rtcdiag.probes.connection import Path, tls_settings
from rtcdiag.probes.job import Record
from rtcdiag.targets import Transport


async def observe_agents(path: Path, net: Net, record: Record) -> None:
    """Let two agents meet at one address of a server, and record how far they came, also when cancelled."""
    from rtcdiag.ice import Meeting, Relay, meet  # noqa: PLC0415 - aioice is imported only where it is used

    options = net.options
    bound = options.bind is not None or options.interface is not None
    why = None
    if path.transport is Transport.DTLS:
        why = "neither browsers nor this program's ICE agent speak TURN over DTLS"
    elif bound and source_towards(path.destination.ip) not in chosen_addresses(net):
        why = "an ICE agent cannot be bound to an address for relaying"
    if why is not None:
        record(Skipped(t_ms=net.now_ms(), what=f"ICE agents through {path.server.uri} at {path.destination}", why=why))
        return
    began, meeting = net.now_ms(), Meeting()
    settings = tls_settings(path, net)
    relay = Relay(address=path.destination, transport=path.transport, credential=path.server.credential, tls=settings)
    finished = False
    try:
        await meet(relay, meeting, timeout_ms=options.timeout_ms)
        finished = True
    finally:
        record(
            IceMeeting(
                t_ms=began,
                duration_ms=net.now_ms() - began,
                server=path.server.uri,
                transport=path.transport,
                destination=path.destination,
                outcome=meeting.outcome,
                relayed=tuple(meeting.relayed),
                gathering_ms=meeting.gathering_ms,
                connecting_ms=meeting.connecting_ms,
                failure=meeting.failure if finished else net.cut_off_by,
                detail=meeting.detail or None,
                released=meeting.released,
            )
        )
