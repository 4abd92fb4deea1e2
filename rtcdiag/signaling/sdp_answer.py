"""An answer in SDP to another application's offer, in the form in which the offer came (RFC 9429 section 5.3.1).

It mirrors the offer's media descriptions, so that the other application takes it and begins its checks. Unless the
caller has a certificate, rtcdiag speaks no DTLS: the fingerprint is that of none, and the connection ends there.
"""

import base64
import hashlib
import json

from rtcdiag.signaling.messages import Description
from rtcdiag.signaling.sdp import Foreign, Section

_MIRRORED = ("mid", "rtcp-mux", "rtcp-rsize", "rtpmap", "fmtp", "sctp-port", "sctpmap", "max-message-size")
_SETUP = {"active": "passive", "passive": "active"}


def answer(offer: Foreign, own: Description, fingerprint: str | None = None) -> str:
    """Return the text that the other application wants: SDP, or ``{type, sdp}`` as JSON, or that in base64.

    ``fingerprint`` is the own certificate's (SHA-256, in pairs of upper-case hexadecimal digits).
    """
    sdp = "".join(f"{line}\r\n" for line in _lines(offer, own, fingerprint or no_certificate(own)))
    if offer.form == "plain":
        return sdp
    text = json.dumps({"type": "answer", "sdp": sdp})
    return text if offer.form == "json" else base64.b64encode(text.encode()).decode("ascii")


def _lines(offer: Foreign, own: Description, fingerprint: str) -> list[str]:
    taken = [_is_taken(offer, at) for at in range(len(offer.sections))]
    mids = [section.value("mid") or "" for section, is_taken in zip(offer.sections, taken, strict=True) if is_taken]
    group = [f"a=group:BUNDLE {' '.join(mids)}"] if offer.bundled else []
    end = ["end-of-candidates"] if own.complete else []
    lines = ["v=0", origin(own), "s=-", "t=0 0", *group]
    for at, section in enumerate(offer.sections):
        lines += _media(section, taken=taken[at])
        lines += _transport(offer, own, fingerprint) if taken[at] else []
        lines += [f"a={value}" for value in (*own.candidates, *end)] if at == offer.used else []
    return lines


def _is_taken(offer: Foreign, at: int) -> bool:
    section = offer.sections[at]
    return not section.is_rejected and (at == offer.used or section.value("mid") in offer.bundled)


def _media(section: Section, *, taken: bool) -> list[str]:
    """Return a media description without its transport; one that is not taken has port 0."""
    words = section.media.split()
    media = " ".join([words[0], "9" if taken else "0", *words[2:]])
    mirrored = [each for each in section.attributes if each.partition(":")[0] in _MIRRORED]
    direction = [] if words[0] == "application" else ["inactive"]
    return [f"m={media}", "c=IN IP4 0.0.0.0", *(f"a={each}" for each in (*mirrored, *direction))]


def _transport(offer: Foreign, own: Description, fingerprint: str) -> list[str]:
    return [
        f"a=ice-ufrag:{own.ufrag}",
        f"a=ice-pwd:{own.pwd}",
        f"a=fingerprint:sha-256 {fingerprint}",
        f"a=setup:{setup(offer)}",
    ]


def setup(offer: Foreign) -> str:
    """Return the answerer's DTLS role: ``active`` is the client (RFC 5763 section 5)."""
    section = offer.sections[offer.used]
    asked = section.value("setup") or offer.session.value("setup") or ""
    return _SETUP.get(asked, "active")


def origin(own: Description) -> str:
    """Return the ``o=`` line, which tells no address (RFC 9429 section 5.2.1)."""
    return f"o=- {int(own.session, 16) >> 1} 1 IN IP4 0.0.0.0"


def no_certificate(own: Description) -> str:
    """Return a fingerprint that no certificate has."""
    digest = hashlib.sha256(f"no certificate {own.session} {own.pwd}".encode()).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
