"""What the default gateway says, refuses and breaks; routers behind it."""

from rtcdiag.evidence import Observation
from support.cases import Case, case
from support.evidence import answered, at, binding, run, target
from support.gateway import GATEWAY, hop, nat_pmp, pcp, silence, upnp

A, A4 = "stun:stun.example.org:3478", "198.51.100.10:3478"
MAPPED = "203.0.113.7"
BEHIND_A_NAT = (target(A), binding(A, A4, answered(A4, xor_mapped=at(f"{MAPPED}:50123"))))
ELSEWHERE = upnp(question="discovery", result=None, result_name=None, problem="description-elsewhere")


def _behind(*told: Observation) -> tuple[Observation, ...]:
    return (*BEHIND_A_NAT, *told)


CASES: dict[str, Case] = {
    "a gateway that is silent leaves nothing to say": case(run(*_behind(silence()))),
    "a gateway that was found and said no more offers nothing": case(
        run(*_behind(upnp(question="discovery", version=1)))
    ),
    "a gateway whose external address servers see maps ports": case(
        run(*_behind(nat_pmp(MAPPED), pcp(), upnp(MAPPED))), "gateway-maps-ports"
    ),
    "a gateway found over UPnP that told its address over NAT-PMP was asked no more": case(
        run(*_behind(nat_pmp(MAPPED), upnp(question="discovery", version=2))), "gateway-maps-ports"
    ),
    "a gateway outside of which is a carrier's address": case(
        run(*_behind(nat_pmp("100.64.0.2"))), "gateway-maps-ports", "nat-carrier-grade"
    ),
    "a gateway outside of which is a private address": case(
        run(*_behind(upnp("10.0.0.2"))), "gateway-maps-ports", "nat-layered"
    ),
    "DS-Lite is a carrier's NAT": case(run(*_behind(upnp("192.0.0.2"))), "gateway-maps-ports", "nat-carrier-grade"),
    "a gateway without an address of its own may still map ports": case(
        run(*_behind(nat_pmp(name="NETWORK_FAILURE"), upnp(None))), "gateway-maps-ports"
    ),
    "a gateway that authorizes nobody here refuses": case(
        run(*_behind(nat_pmp(name="NOT_AUTHORIZED"), pcp("NOT_AUTHORIZED"))), "gateway-refuses"
    ),
    "a gateway that names a loopback address is broken, and still maps ports": case(
        run(*_behind(upnp("127.0.0.1"))), "gateway-broken", "gateway-maps-ports"
    ),
    "a gateway that points to another host is broken": case(run(*_behind(ELSEWHERE)), "gateway-broken"),
    "a gateway that contradicts itself is broken": case(
        run(*_behind(nat_pmp("100.64.0.2"), upnp(MAPPED))), "gateway-broken", "gateway-maps-ports"
    ),
    "a private router behind a silent gateway is a hint": case(
        run(*_behind(silence(), hop(GATEWAY, 1), hop("10.0.0.1"))), "private-router-behind-gateway"
    ),
    "a private router behind a gateway without an address is a second NAT": case(
        run(*_behind(nat_pmp(name="NETWORK_FAILURE"), hop("10.0.0.1"))), "nat-layered"
    ),
    "a carrier's router behind a gateway without an address is a carrier's NAT": case(
        run(*_behind(upnp(None), hop("100.64.0.1"))), "gateway-maps-ports", "nat-carrier-grade"
    ),
    "a private router behind a gateway with the public address is none": case(
        run(*_behind(nat_pmp(MAPPED), hop("10.0.0.1"))), "gateway-maps-ports"
    ),
    "a public router behind the gateway is nothing to say": case(run(*_behind(silence(), hop("203.0.113.1")))),
}
