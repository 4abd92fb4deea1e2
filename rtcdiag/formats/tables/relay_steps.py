"""What was seen from a relay as a vantage point, each observation as one step."""

from typing import assert_never

from rtcdiag.evidence import VantageBinding, VantageKnock, VantageOpening, VantagePoint
from rtcdiag.formats.words import Tone, count

Kind = VantagePoint | VantageOpening | VantageKnock | VantageBinding


def told(item: Kind) -> tuple[str, str, str, str, Tone]:
    """Return label, lane, where, outcome and tone."""
    match item:
        case VantagePoint():
            ready = item.outcome == "ready"
            found = f"relayed {item.relayed}" if ready else item.outcome.replace("-", " ")
            return ("Vantage point", item.server, str(item.destination), found, "ok" if ready else "bad")
        case VantageOpening():
            found = f"seen as {item.mapped}" if item.mapped else f"not seen, sent {count(len(item.sent_ms), 'time')}"
            return (f"Socket {item.socket} to relay", item.server, str(item.relayed), found, _tone(item.mapped))
        case VantageKnock():
            found = f"{len(item.arrivals)} of {len(item.sent_ms)} got in"
            return (f"Relay to socket {item.socket}", item.server, str(item.peer), found, _tone(item.arrivals))
        case VantageBinding():
            found = f"told {item.told}" if item.told else "no answer"
            return ("Binding from relay", item.server, str(item.destination), found, _tone(item.told))
        case _:
            assert_never(item)


def _tone(got: object) -> Tone:
    """Return the tone of something whose absence is an answer too."""
    return "ok" if got else "muted"
