"""What goes out to the other end of a room, and what comes in: sealed, numbered, in order. No input or output here."""

from rtcdiag.evidence.session import SessionRole
from rtcdiag.signaling.channel import SignalingError
from rtcdiag.signaling.invitation import Invitation
from rtcdiag.signaling.messages import MAX_REPORT_BYTES
from rtcdiag.signaling.sealing import OVERHEAD_BYTES, Opener, Sealer, SealingError
from rtcdiag.signaling.wire import MAX_BATCH, MAX_BATCH_BYTES, MAX_MESSAGE_BYTES

PIECE_BYTES = MAX_MESSAGE_BYTES - OVERHEAD_BYTES - 1
MAX_OUT_BYTES = 1_000_000
"""Of one session, sealed: the rendezvous takes a little more from one person."""
MAX_IN_BYTES = MAX_REPORT_BYTES + 500_000
MAX_IN_PIECES = 300
_LAST, _MORE = b"\0", b"\1"


def other(role: SessionRole) -> SessionRole:
    """Return the role of the other end."""
    return "answerer" if role == "offerer" else "offerer"


class Outbox:
    """What the rendezvous has not confirmed yet."""

    def __init__(self, invitation: Invitation, role: SessionRole) -> None:
        self._sealer = Sealer(invitation.key, invitation.room, role)
        self._waiting: list[bytes] = []
        self._first = 1
        self._size = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, message: bytes) -> None:
        """Seal a message, in pieces where it is long; raise SignalingError where it is too long for a room."""
        pieces = [message[at : at + PIECE_BYTES] for at in range(0, len(message), PIECE_BYTES)] or [b""]
        if self._size + len(message) + len(pieces) * (OVERHEAD_BYTES + 1) > MAX_OUT_BYTES:
            raise SignalingError("there is more to tell the other end than a room of the rendezvous holds")
        for piece in pieces[:-1]:
            self._seal(_MORE + piece)
        self._seal(_LAST + pieces[-1])

    def _seal(self, data: bytes) -> None:
        sealed = self._sealer.seal(self._first + len(self._waiting), data)
        self._size += len(sealed)
        self._waiting.append(sealed)

    def batch(self, after: int = 0) -> tuple[int, list[bytes]]:
        """Return the number of the first message that is not confirmed, and as many as one POST takes.

        Those up to number `after` are on their way already.
        """
        skipped = max(0, after + 1 - self._first)
        chosen: list[bytes] = []
        size = 0
        for data in self._waiting[skipped : skipped + MAX_BATCH]:
            size += len(data) + 4
            if size > MAX_BATCH_BYTES:
                break
            chosen.append(data)
        return self._first + skipped, chosen

    def confirm(self, received: int) -> None:
        """Forget messages up to this number; raise SignalingError for one that was never sent."""
        count = received + 1 - self._first
        if count > len(self._waiting):
            raise SignalingError("the rendezvous confirms messages that were never sent")
        if count > 0:
            del self._waiting[:count]
            self._first += count


class Inbox:
    """What came from the other end so far."""

    def __init__(self, invitation: Invitation, role: SessionRole) -> None:
        self._opener = Opener(invitation.key, invitation.room, other(role))
        self._pieces: list[bytes] = []
        self._size = 0
        self.after = 0
        """The number of the last message."""

    def take(self, number: int, sealed: bytes) -> bytes | None:
        """Return a message that is complete with this one; raise SignalingError for what the other end did not send.

        A number that was there already is passed over: a connection was made again.
        """
        if number <= self.after:
            return None
        if number != self.after + 1:
            raise SignalingError("the rendezvous lost messages of the other end, or changed their order")
        self._size += len(sealed)
        if self._size > MAX_IN_BYTES or number > MAX_IN_PIECES:
            raise SignalingError("the rendezvous sends more than the other end may say")
        data = self._opened(number, sealed)
        self.after = number
        return self._message(data)

    def _opened(self, number: int, sealed: bytes) -> bytes:
        try:
            return self._opener.open(number, sealed)
        except SealingError:
            raise SignalingError(
                "a message is not the other end's: another key was used, or the rendezvous changed it"
            ) from None

    def _message(self, data: bytes) -> bytes | None:
        kind, piece = data[:1], data[1:]
        self._pieces.append(piece)
        if kind == _MORE:
            return None
        whole, self._pieces = b"".join(self._pieces), []
        return whole
