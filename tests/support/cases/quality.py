"""Relays that work, and how well."""

from rtcdiag.evidence import Evidence, PacketStream
from support.cases import Case, case
from support.evidence import Turn, run, spread_around, stream

T = Turn()
SMALL, LARGE = stream(), stream(size=1200)


def measured(*streams: PacketStream, **more: object) -> Evidence:
    """Return a healthy session whose relay was measured."""
    return run(*T.up_to("end"), T.quality(*streams, **more))


CASES: dict[str, Case] = {
    "a relay as good as the line": case(measured(SMALL, LARGE, stream("up"), stream("down"))),
    "a relay that was left before a packet was sent": case(measured(stream(sent=0), direct_ms=(), direct_sent=0)),
    "two packets of fifty are no statistics": case(measured(stream(lost=2, sent=50), LARGE)),
    "less than one percent is lost": case(measured(stream(lost=4), stream(lost=4, size=1200))),
    "one percent is lost there and back": case(
        measured(stream(lost=6), LARGE, reference=None, round_trip_only="no TCP"), "turn-relay-lossy"
    ),
    "packets are lost one way only": case(
        measured(SMALL, LARGE, stream("up", lost=30), stream("down")), "turn-relay-lossy"
    ),
    "large packets are lost as often as small ones": case(
        measured(stream(lost=20), stream(lost=28, size=1200)), "turn-relay-lossy"
    ),
    "only large packets are lost, by chance": case(
        measured(stream(lost=2), stream(lost=8, size=1200)), "turn-relay-lossy"
    ),
    "large packets vanish": case(measured(SMALL, stream(lost=500, size=1200)), "turn-loss-grows-with-size"),
    "large packets vanish, and some small ones too": case(
        measured(stream(lost=10), stream(lost=400, size=1200)), "turn-loss-grows-with-size"
    ),
    "packets arrive unevenly": case(measured(stream(jitter=31.0), LARGE), "turn-relay-jitter"),
    "packets arrive unevenly, but this computer was busy": case(
        measured(stream(jitter=31.0), LARGE, pacing_ms=spread_around(12.0)), "turn-jitter-undetermined"
    ),
    "the relay is far": case(measured(stream(trip=310.0), LARGE, direct_ms=(300.0,) * 9), "turn-relay-far"),
    "the relay is far, and nobody knows how far the server is": case(
        measured(stream(trip=900.0), LARGE, direct_ms=()), "turn-relay-far"
    ),
    "the relay holds packets back": case(measured(stream(trip=95.0), LARGE), "turn-relay-adds-delay"),
}
