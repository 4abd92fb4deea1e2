"""The rendezvous at this end: where it is, and what the person is told of it."""

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import Carrier
from rtcdiag.cli.streams import lasting, say, tell
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


_AWAY = (
    "The other person is not connected to the rendezvous at the moment: their command was ended, or a network fails. "
    "Waiting."
)


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


def unnamed(text: str, place: Rendezvous | Invitation) -> str:
    """Return what went wrong without the name of the rendezvous, for what is redacted."""
    at = place.rendezvous if isinstance(place, Invitation) else place
    named = sorted({at.url, at.host, urlsplit(at.url).hostname or at.host}, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, named)), "the rendezvous", text, flags=re.IGNORECASE)


async def meet(meeting: Meeting) -> "RoomChannel":
    """Make a room and show the line for the other person, or begin to join one; raise SignalingError."""
    from rtcdiag.signaling.rendezvous import join_rendezvous, open_rendezvous

    if isinstance(meeting.at, Invitation):
        joined = join_rendezvous(meeting.at, meeting.carrier, ca_file=meeting.ca_file, proxy=meeting.proxy)
        return _telling(joined, quiet=meeting.quiet)
    channel = await open_rendezvous(meeting.at, meeting.carrier, ca_file=meeting.ca_file, proxy=meeting.proxy)
    # Shown with --quiet too: without it nobody comes.
    say("On the other computer, run this line:")
    say("")
    say(f"rtcdiag connect '{channel.invitation}'")
    say("")
    if not meeting.quiet:
        tell("Whoever has it learns this computer's addresses: give it to one person. One use.")
        say(f"Waiting up to {lasting(meeting.lasts_s)}.")
    return _telling(channel, quiet=meeting.quiet)


def _telling(channel: "RoomChannel", *, quiet: bool) -> "RoomChannel":
    words = {"away": _AWAY, "back": "They are connected to the rendezvous again."}
    if channel.role == "offerer":
        words["joined"] = "They joined."
    if not quiet:
        channel.on_peer = lambda what: tell(words[what]) if what in words else None
    return channel
