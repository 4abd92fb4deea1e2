"""Two ICE agents that met, or did not, behind a relay that the probe tried before."""

from typing import Any

from rtcdiag.address import Family
from rtcdiag.evidence import Evidence, Failure, IceMeeting
from support.cases import Case, case
from support.evidence import Turn, at, refused, run

T = Turn()
SIX = "[2001:db8::30]:3478"
RELAYED = (at("198.51.100.30:49170"), at("198.51.100.30:49171"))


def met(outcome: Any, **more: Any) -> IceMeeting:
    fields: dict[str, Any] = {"t_ms": 900.0, "server": T.uri, "transport": T.transport, "destination": at(T.address)}
    return IceMeeting(outcome=outcome, **fields | {"relayed": RELAYED} | more)


def after(step: str, *more: Any) -> Evidence:
    return run(*T.up_to(step), *more)


SILENT = met("not-connected", failure=Failure.TIMEOUT, detail="the connectivity checks got no answer")
NONE = met("no-relay", relayed=(), failure=Failure.TIMEOUT, detail="no answer")

CASES: dict[str, Case] = {
    "two ICE agents connect where data passed": case(after("end", met("connected", connecting_ms=120.0))),
    "two ICE agents do not connect although data passed": case(after("end", SILENT), "turn-ice-agents-fail"),
    "two ICE agents connect and no data of theirs passes": case(
        after("end", met("no-data", detail="connected, but data does not arrive")), "turn-ice-agents-fail"
    ),
    "two ICE agents do not connect, as no data passed": case(
        after("data", *T.flows(0), SILENT), "turn-relay-to-relay-silent"
    ),
    "two ICE agents connect although no data passed": case(
        after("data", *T.flows(0), met("connected")), "turn-relay-to-relay-silent", "turn-ice-agents-connect"
    ),
    "two ICE agents connect and the probe sent nothing": case(after("data", met("connected"))),
    "two ICE agents get no relay where the probe got two": case(after("end", NONE), "turn-ice-agents-get-no-relay"),
    "two ICE agents get no relay where a quota allows only one": case(
        run(
            *T.up_to("allocate"),
            T.allocation(),
            T.allocation(refused(T.address, 486), allocation="b"),
            NONE,
        ),
        "turn-quota-reached",
    ),
    "two ICE agents, which ask for IPv4, get no relay of a server that has only IPv6": case(
        run(
            *(six := Turn(address=SIX, relayed="[2001:db8::30]:49160")).up_to("allocate"),
            six.allocation(family=Family.IPV6),
            six.allocation(family=Family.IPV6, allocation="b"),
            met("no-relay", relayed=(), destination=at(SIX), detail="the server refused with error 440"),
        )
    ),
    "the deadline cut the meeting of two ICE agents off": case(
        after("end", met("not-connected", failure=Failure.DEADLINE)), "deadline-reached"
    ),
    "Ctrl-C ended the meeting of two ICE agents": case(after("end", met("no-relay", failure=Failure.INTERRUPTED))),
}
