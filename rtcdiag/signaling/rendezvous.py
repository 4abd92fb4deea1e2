"""Make a room of a rendezvous, or join one. The libraries of the chosen way are imported only here."""

from typing import Literal

from rtcdiag.signaling.invitation import Invitation, Rendezvous
from rtcdiag.signaling.room import RoomChannel, Way

Carrier = Literal["sse", "websocket"]


async def open_rendezvous(
    rendezvous: Rendezvous, carrier: Carrier = "sse", *, ca_file: str | None = None, proxy: str | None = None
) -> RoomChannel:
    """Make a room, as the offerer; raise SignalingError. The channel's `invitation` is for the other person."""
    way = Way(rendezvous=rendezvous, ca_file=ca_file, proxy=proxy)
    if carrier == "websocket":
        from rtcdiag.signaling.websocket import make_over_websocket  # noqa: PLC0415 - only where it is chosen

        return await make_over_websocket(way)
    from rtcdiag.signaling.sse import make_over_sse  # noqa: PLC0415 - as above

    return await make_over_sse(way)


def join_rendezvous(
    invitation: Invitation, carrier: Carrier = "sse", *, ca_file: str | None = None, proxy: str | None = None
) -> RoomChannel:
    """Begin to join a room, as the answerer, within a running loop: gather meanwhile.

    What is wrong with that is raised by the first `receive`.
    """
    way = Way(rendezvous=invitation.rendezvous, ca_file=ca_file, proxy=proxy)
    if carrier == "websocket":
        from rtcdiag.signaling.websocket import join_over_websocket  # noqa: PLC0415 - only where it is chosen

        return join_over_websocket(way, invitation)
    from rtcdiag.signaling.sse import join_over_sse  # noqa: PLC0415 - as above

    return join_over_sse(way, invitation)
