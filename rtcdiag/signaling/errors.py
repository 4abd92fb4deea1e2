"""What can be wrong with a copied text, told apart: each is one line that says what to do."""

from datetime import UTC, datetime

from rtcdiag.evidence.session import SessionRole
from rtcdiag.signaling.channel import SignalingError

_OPEN = "rtcdiag connect"


class CopiedTextError(SignalingError):
    """A copied text that cannot be used."""


class NoCodeError(CopiedTextError):
    """There is neither a code nor SDP in the text."""

    def __init__(self, wanted: SessionRole) -> None:
        also = " (SDP is taken as well)" if wanted == "offerer" else ""
        super().__init__(f"there is no code in this text: one begins with rtcd1. and ends with a full stop{also}")


class NoSdpError(CopiedTextError):
    """There is no SDP in the text."""

    def __init__(self) -> None:
        super().__init__("there is no SDP in this text: it begins with v=0, or is {type, sdp} as JSON")


class CutOffError(CopiedTextError):
    """Only the beginning of a code, or only its end."""

    def __init__(self, *, beginning: bool = False) -> None:
        where = "its beginning is missing, which is rtcd1." if beginning else "it does not end with its full stop"
        super().__init__(f"this code is cut off: {where} (copy it again, whole)")


class DamagedError(CopiedTextError):
    """A code that was changed on its way."""

    def __init__(self, why: str = "its checksum does not fit") -> None:
        super().__init__(f"this code is damaged: {why} (copy it again, or send it as a file)")


class NewerVersionError(CopiedTextError):
    """A code of a form that this version does not know."""

    def __init__(self) -> None:
        super().__init__("this code was made by a newer version of rtcdiag (update this one)")


class NoCredentialsError(CopiedTextError):
    """SDP without what ICE needs."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this SDP is of no use: {why} (copy it again, whole)")


class OwnDescriptionError(CopiedTextError):
    """The code that this very run made."""

    def __init__(self, role: SessionRole, needed: str = "code that the other computer prints") -> None:
        what = "offer" if role == "offerer" else "answer"
        super().__init__(f"you pasted your own {what}: this end needs the {needed}")


class WrongRoleError(CopiedTextError):
    """An answer where an offer is wanted, or the reverse."""

    def __init__(self, wanted: SessionRole) -> None:
        super().__init__(_WRONG_ROLE[wanted])


_WRONG_ROLE: dict[SessionRole, str] = {
    "offerer": f"this is an answer, and an offer is wanted: paste it where {_OPEN} waits for one",
    "answerer": f"this is an offer, and an answer is wanted: run {_OPEN} with it instead,"
    " or give your own offer to the other end",
}


class OtherSessionError(CopiedTextError):
    """An answer to an offer of another session."""

    def __init__(self) -> None:
        super().__init__("this is an answer to another offer, not to the one that was printed here")


class UsedError(CopiedTextError):
    """A code that this computer has used already."""

    def __init__(self) -> None:
        super().__init__("this code was already used: each is good for one session (make a new one)")


class ForeignAnswerError(CopiedTextError):
    """SDP where only a code can be the answer."""

    def __init__(self) -> None:
        super().__init__(
            "this is SDP of another application, which cannot answer a code"
            f" (run {_OPEN} --offer-as json and give it that offer, or let it make the offer)"
        )


class CodeAnswerError(CopiedTextError):
    """A code where only SDP can be the answer."""

    def __init__(self) -> None:
        super().__init__(
            "this is a code, and the answer to an offer in SDP is SDP"
            f" (between two rtcdiag, run {_OPEN} without --offer-as)"
        )


class RefusedOfferError(CopiedTextError):
    """An answer that rejects what was offered."""

    def __init__(self) -> None:
        super().__init__("the application refused the offered data channel (its answer has port 0): nothing to check")


class ExpiredError(CopiedTextError):
    """A code whose time is over."""

    def __init__(self, expires_at_s: float) -> None:
        at = datetime.fromtimestamp(expires_at_s, UTC)
        super().__init__(
            f"this code expired at {at:%H:%M} UTC on {at:%Y-%m-%d} (make a new one; or a clock is wrong, here or there)"
        )
