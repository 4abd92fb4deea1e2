"""Time-limited credentials and three clocks: this computer's, the TURN server's, and that of whoever made them."""

from typing import Any

from rtcdiag.evidence import ClockReading, CredentialShape, Failure, IceService, Observation
from support.cases import Case, case
from support.evidence import NOW, Turn, refused, run

T = Turn()
HOUR = 3600.0


def reading(role: Any, offset_s: float | None, host: str = "") -> ClockReading:
    """Return what a host tells; ``offset_s`` is by how much this computer's clock is ahead of it."""
    names = {"service": "ice.example", "server": "turn.example.org", "control": "control.example"}
    return ClockReading(t_ms=0.0, host=host or names[role], role=role, offset_s=offset_s)


def refused_with(left_s: float, *clocks: Observation, code: int = 401) -> Any:
    """Credentials with so many seconds left by this computer's clock are refused."""
    target = T.target(credential=CredentialShape(form="time-limited", expires_at=NOW + left_s))
    return run(*clocks, target, *T.up_to("allocate")[1:], T.allocation(refused(T.address, code)))


def accepted(left_s: float, *clocks: Observation) -> Any:
    target = T.target(credential=CredentialShape(form="time-limited", expires_at=NOW + left_s))
    return run(*clocks, target, *T.up_to("end")[1:])


def service(outcome: Any, **more: Any) -> IceService:
    return IceService(t_ms=0.0, url="https://ice.example", outcome=outcome, **more)


BAD, OLD, SKEW = "turn-credentials-rejected", "turn-credentials-expired", "turn-credentials-clock-skew"

CASES: dict[str, Case] = {
    "expired by this clock, and nobody else was asked": case(refused_with(-60), OLD),
    "expired, and the server's clock agrees": case(refused_with(-60, reading("server", 2.0)), OLD),
    "good by every clock and refused: the password": case(
        refused_with(HOUR, reading("server", 1.0), reading("service", -2.0)), BAD
    ),
    "good by this clock and refused, and the server tells no time": case(
        refused_with(HOUR, reading("server", None)), BAD
    ),
    "clocks that are 29 s apart are no fault": case(refused_with(HOUR, reading("server", 29.0)), BAD),
    "a refusal by 400 is looked at alike": case(
        refused_with(HOUR, reading("server", -2 * HOUR), code=400), SKEW, "clocks-differ"
    ),
    "the server's clock is ahead, and the service's agrees with this one": case(
        refused_with(HOUR, reading("server", -2 * HOUR), reading("service", 0.0)), SKEW, "clock-of-host-wrong"
    ),
    "this clock is behind, as the server and the service say": case(
        refused_with(HOUR, reading("server", -2 * HOUR), reading("service", -2 * HOUR)), SKEW, "clock-wrong"
    ),
    "this clock is behind, as a documented host says": case(
        refused_with(HOUR, reading("control", -2 * HOUR)), SKEW, "clock-wrong"
    ),
    "this clock is ahead, so that good credentials look expired: the password": case(
        refused_with(-60, reading("server", 2 * HOUR), reading("service", 2 * HOUR)), BAD, "clock-wrong"
    ),
    "only the server's clock is known, and by it nothing has expired: the password": case(
        refused_with(-60, reading("server", 2 * HOUR)), BAD, "clocks-differ"
    ),
    "the service's clock is behind, so that what it makes is old": case(
        refused_with(-HOUR, reading("service", 2 * HOUR), reading("server", 0.0)), SKEW, "clock-of-host-wrong"
    ),
    "the service hands out old credentials, and its clock is right": case(
        refused_with(-HOUR, reading("service", 0.0), reading("server", 0.0)), OLD
    ),
    "the service's clock is a minute behind, which is no excuse for an hour": case(
        refused_with(-HOUR, reading("service", 60.0), reading("server", 0.0)), OLD, "clock-of-host-wrong"
    ),
    "credentials are accepted although this clock says that they are old": case(
        accepted(-60, reading("service", 0.5)),
    ),
    "credentials are accepted, and their service's clock is another": case(
        accepted(HOUR, reading("service", 90.0)), "clocks-differ"
    ),
    "little time is left by the right clock": case(
        accepted(HOUR + 300, reading("service", -HOUR), reading("control", -HOUR)),
        "clock-wrong",
        "turn-credentials-expire-soon",
    ),
    "a service hands out a list": case(run(service("list", status=200, servers=2))),
    "a service is not there": case(
        run(service("no-answer", failure=Failure.CONNECTION_REFUSED)), "ice-service-unreachable"
    ),
    "a service wants another token": case(run(service("refused", status=401, token=True)), "ice-service-refuses"),
    "a service fails": case(run(service("refused", status=500)), "ice-service-fails"),
    "a service leads to http": case(
        run(service("redirected-away", status=302, problem="from https:// to http://")), "ice-service-leads-away"
    ),
    "a service sends more than anybody reads": case(run(service("too-long", status=200)), "ice-service-list-unusable"),
    "a service sends a page": case(
        run(service("no-list", status=200, problem="$: not JSON")), "ice-service-list-unusable"
    ),
}
