"""An offer in SDP that any WebRTC application takes, and the answer that it makes (RFC 9429 sections 5.2.1 and 5.3.1).

It offers one data channel, which needs no codec: applications begin their checks, and rtcdiag, which speaks no DTLS
here, ends where ICE has connected.
"""

import json
from typing import Literal

from rtcdiag.signaling import sdp
from rtcdiag.signaling.errors import OtherSessionError, OwnDescriptionError, RefusedOfferError, WrongRoleError
from rtcdiag.signaling.messages import Description
from rtcdiag.signaling.sdp_answer import no_certificate, origin

OfferForm = Literal["sdp", "json"]


def offer(own: Description, form: OfferForm) -> str:
    """Return a description as plain SDP, or as ``{type, sdp}`` JSON on one line."""
    text = "".join(f"{line}\r\n" for line in _lines(own))
    return text if form == "sdp" else json.dumps({"type": "offer", "sdp": text})


def _lines(own: Description) -> list[str]:
    """Return the lines; the section's identifier is the session, and each answer repeats it."""
    return [
        "v=0",
        origin(own),
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {own.session}",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{own.session}",
        "a=sctp-port:5000",
        "a=max-message-size:65536",
        f"a=ice-ufrag:{own.ufrag}",
        f"a=ice-pwd:{own.pwd}",
        f"a=fingerprint:sha-256 {no_certificate(own)}",
        "a=setup:actpass",
        *(f"a={candidate}" for candidate in own.candidates),
        *(["a=end-of-candidates"] if own.complete else []),
    ]


def read_answer(text: str, own: Description) -> Description:
    """Return the description in a text that looks like SDP; raise CopiedTextError where it is no answer to ``own``."""
    try:
        found = sdp.read(text, "answerer")
    except WrongRoleError:
        if sdp.read(text, "offerer").description.ufrag == own.ufrag:
            raise OwnDescriptionError("offerer", "answer that the application makes of it") from None
        raise
    # An application that knows no identifiers leaves them out.
    if {section.value("mid") for section in found.sections} - {None, own.session}:
        raise OtherSessionError
    if all(section.is_rejected for section in found.sections):
        raise RefusedOfferError
    return found.description
