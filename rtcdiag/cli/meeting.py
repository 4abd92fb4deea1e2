"""The rendezvous at this end: where it is, and what the person is told of it."""

from typing import TYPE_CHECKING, NamedTuple

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import Carrier
from rtcdiag.cli.streams import lasting, say
from rtcdiag.signaling.invitation import (
    Invitation,
    InvitationError,
    Rendezvous,
    is_invitation,
    parse_invitation,
    parse_rendezvous,
)

if TYPE_CHECKING:  # it imports what encrypts
    from rtcdiag.signaling.room import RoomChannel


class Meeting(NamedTuple):
    """What the command line says of it."""

    at: Rendezvous | Invitation
    """An invitation where this end joins a room, else where it makes one."""
    carrier: Carrier
    ca_file: str | None
    proxy: str | None
    lasts_s: float
    """How long the session waits."""
    quiet: bool


def meeting_place(code: str | None, rendezvous: str | None) -> Rendezvous | Invitation | None:
    """Return where to meet; None for copied text. Raise BadInputError for an address that is cut off or misspelled."""
    if rendezvous is not None and code is not None:
        raise BadInputError("--rendezvous makes a room, and the code is an answer to one: give only one of the two")
    try:
        if rendezvous is not None:
            return parse_rendezvous(rendezvous)
        return parse_invitation(code) if code is not None and is_invitation(code) else None
    except InvitationError as error:
        what = "--rendezvous" if rendezvous is not None else "the address of the room"
        raise BadInputError(f"{what}: {error}") from None


async def meet(meeting: Meeting) -> "RoomChannel":
    """Make a room and show the line for the other person, or begin to join one; raise SignalingError."""
    from rtcdiag.signaling.rendezvous import join_rendezvous, open_rendezvous

    if isinstance(meeting.at, Invitation):
        return join_rendezvous(meeting.at, meeting.carrier, ca_file=meeting.ca_file, proxy=meeting.proxy)
    channel = await open_rendezvous(meeting.at, meeting.carrier, ca_file=meeting.ca_file, proxy=meeting.proxy)
    # Shown with --quiet too: without it nobody comes.
    say("On the other computer, run this line:")
    say("")
    say(f"rtcdiag connect '{channel.invitation}'")
    say("")
    if not meeting.quiet:
        say("Whoever has it learns this computer's addresses: give it to one person. One use.")
        say(f"Waiting up to {lasting(meeting.lasts_s)}.")
        channel.on_peer = lambda what: say("They joined.") if what == "joined" else None
    return channel
