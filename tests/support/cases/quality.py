"""Relays that work, and how well."""

from typing import Any

from rtcdiag.evidence import DataStop, Evidence, Failure, PacketStream, RateStep, Upkeep
from support.cases import Case, case
from support.evidence import Turn, run, spread_around, stream

T = Turn()
SMALL, LARGE = stream(), stream(size=1200)


def measured(*streams: PacketStream, **more: object) -> Evidence:
    """Return a healthy session whose relay was measured."""
    return run(*T.up_to("end"), T.quality(*streams, **more))


def carried(*rates: tuple[float, float]) -> Evidence:
    """Return a healthy session whose relay was tried at rates: offered and carried."""
    steps = (RateStep(offered_kbps=sent, carried_kbps=came, sent=100, received=90) for sent, came in rates)
    return run(*T.up_to("end"), T.throughput(*steps))


def stopped(**more: Any) -> DataStop:
    return DataStop(after_s=300.0, receiver="b", **more)


def lasting(stop: DataStop | None, *upkeep: Upkeep) -> Evidence:
    """Return a healthy session whose relay was kept in use."""
    return run(*T.up_to("end"), T.soak(stop, *upkeep))


RENEWED = Upkeep(what="allocation", done=2, fresh_nonces=2)
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
    "all that was tried is carried": case(carried((125.0, 125.0), (1000.0, 990.0))),
    "the line loses a fifth at every rate": case(carried((125.0, 100.0), (250.0, 200.0), (1000.0, 790.0))),
    "the relay flattens": case(carried((250.0, 250.0), (500.0, 480.0), (750.0, 490.0)), "turn-throughput-limited"),
    "no rate was tried": case(carried()),
    "a relay that lasts": case(lasting(None, RENEWED)),
    "the run ended while a relay was renewed": case(
        lasting(None, Upkeep(what="allocation", failed=1, failure=Failure.INTERRUPTED))
    ),
    "permissions are forgotten too early": case(
        lasting(stopped(resumed_after="permission"), RENEWED), "turn-permission-too-short"
    ),
    "channels are forgotten too early": case(lasting(stopped(resumed_after="channel")), "turn-channel-too-short"),
    "the allocation is forgotten in use": case(
        lasting(stopped(refresh_code=437, mapping_changed=False)), "turn-allocation-lost"
    ),
    "the NAT gives another port in use": case(
        lasting(
            stopped(refresh_code=437, mapping_changed=True),
            Upkeep(what="allocation", failed=2, error_code=437, failed_after_s=540.0),
        ),
        "turn-soak-mapping-changed",
    ),
    "the NAT gives another port, and the server is silent to it": case(
        lasting(stopped(refresh_failure=Failure.TIMEOUT, mapping_changed=True)), "turn-soak-mapping-changed"
    ),
    "the server goes away in use": case(lasting(stopped(refresh_failure=Failure.TIMEOUT)), "turn-soak-data-stopped"),
    "data stops, and the server does not know why": case(
        lasting(stopped(mapping_changed=False)), "turn-soak-data-stopped"
    ),
    "data stops, and the server refuses to refresh": case(lasting(stopped(refresh_code=400)), "turn-soak-data-stopped"),
    "a permission is not renewed": case(
        lasting(None, Upkeep(what="permission", failed=1, error_code=403, failed_after_s=240.0)), "turn-not-renewed"
    ),
    "a channel's renewal is not answered": case(
        lasting(None, Upkeep(what="channel", failed=1, failure=Failure.TIMEOUT, failed_after_s=540.0)),
        "turn-not-renewed",
    ),
    "an expired nonce is never replaced": case(
        lasting(None, Upkeep(what="allocation", failed=1, error_code=438, failed_after_s=540.0)),
        "turn-stale-nonce-loop",
    ),
    "an allocation is lost before data stops": case(
        lasting(None, Upkeep(what="allocation", failed=1, error_code=437, failed_after_s=540.0)),
        "turn-allocation-lost",
    ),
    "the relay holds packets back": case(measured(stream(trip=95.0), LARGE), "turn-relay-adds-delay"),
}
