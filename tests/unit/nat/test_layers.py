"""How many NATs, and whether one is a carrier's: the gateway's word by rank, and what proves nothing."""

from copy import deepcopy
from functools import cache
from itertools import product

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Binding, Environment, Evidence, Interface, Observation
from rtcdiag.nat import BEHAVIORS, Nat, classify
from rtcdiag.nat.inferred import P_STRONG, P_WEAK
from support.gateway import GATEWAY, hop, nat_pmp, pcp, silence, upnp
from support.nat_model import OUTSIDE, ModelNat, ModelServer, plain, two_operators
from support.nat_probe import Probe

REAL = "93.184.216.34"
"""A public address that is of no documentation range: no redacted report has it."""


@cache
def observed(network: str) -> tuple[Binding, ...]:
    """Return what two operators' servers show behind a network."""
    return tuple(Probe(NETWORKS[network], two_operators()).run().seen)


def judged(nat: ModelNat, *told: Observation, environment: Environment | None = None, local: str | None = None) -> Nat:
    seen = list(Probe(nat, two_operators()).run().seen)
    if local is not None:
        seen = [msgspec.structs.replace(item, local=TransportAddress(local, 5000), interface="eth0") for item in seen]
    evidence = Evidence(observations=(*seen, *told), environment=environment or Environment())
    found = classify(evidence, Family.IPV4)
    assert found is not None
    return found


def behind(*told: Observation) -> tuple[int | None, bool | None]:
    found = judged(ModelNat(), *told)
    return found.layers, found.cgnat


NETWORKS = {
    **{f"{mapping}/{filtering}": ModelNat(mapping, filtering) for mapping, filtering in product(BEHAVIORS, BEHAVIORS)},
    "none": ModelNat(translates=False),
    "blocked": ModelNat(blocks_udp=True),
}
SAYINGS: dict[str, tuple[Observation, ...]] = {
    "not asked": (),
    "silent": (silence(),),
    "names the mapped address": (nat_pmp(OUTSIDE), pcp(), upnp(OUTSIDE)),
    "has none": (nat_pmp(name="NETWORK_FAILURE"), upnp(None)),
    "nonsense": (nat_pmp("0.0.0.0"), upnp("127.0.0.1")),
    "refuses": (nat_pmp(name="NOT_AUTHORIZED"), pcp("NOT_AUTHORIZED")),
}
"""What gateways say; only one that has no external address says something that a router beyond it could confirm."""
ASKED = TransportAddress("198.51.100.1", 3478)
ROUTERS: dict[str, tuple[Observation, ...]] = {
    "no router": (),
    "a carrier's routers": (
        hop(GATEWAY, 1),
        hop("100.64.0.1", 2, destination=ASKED),
        hop("100.64.9.1", 3, destination=ASKED),
    ),
    "private routers": (hop("10.0.0.1", 2, destination=ASKED), hop("172.16.9.1", 4, destination=ASKED)),
    "routers nobody knows how far": (hop("100.64.0.1", None, destination=ASKED),),
    "one router": (hop("100.64.0.1", 1, destination=ASKED),),
    "routers on the way to somebody else": (hop("100.64.0.1", 2),),
}
MUTE, ONE_SIGN = "has none", ("a carrier's routers", "private routers")
PLAIN = [
    (saying, routers) for saying, routers in product(SAYINGS, ROUTERS) if saying != MUTE or routers not in ONE_SIGN
]


@pytest.mark.parametrize("network", NETWORKS, ids=NETWORKS)
def test_no_second_nat_is_named_on_a_plain_network(network: str) -> None:
    for saying, routers in PLAIN:
        seen = (*observed(network), *SAYINGS[saying], *ROUTERS[routers])
        found = classify(Evidence(observations=seen), Family.IPV4)

        assert found is not None
        assert not found.cgnat, (saying, routers)
        assert found.layers in {None, 0, 1}, (saying, routers)
        assert (found.layers == 0) is (network == "none"), (saying, routers)


def test_the_mapped_address_on_the_gateways_outside_is_the_only_nat() -> None:
    found = judged(ModelNat(), nat_pmp(OUTSIDE))

    assert (found.layers, found.cgnat) == (1, False)
    assert "pmp" in found.confidence["layers"].evidence
    assert "pmp" in found.confidence["cgnat"].evidence


@pytest.mark.parametrize("external", ["100.64.0.2", "100.127.255.254"])
def test_a_carriers_address_on_the_gateways_outside_is_a_carrier_grade_nat(external: str) -> None:
    assert behind(nat_pmp(external)) == (2, True)
    assert behind(upnp(external)) == (2, True)


@pytest.mark.parametrize("external", ["10.0.0.2", "172.16.9.9", "192.168.0.2", "192.0.0.170"])
def test_a_private_address_on_the_gateways_outside_is_a_double_nat_of_whomever(external: str) -> None:
    found = judged(ModelNat(), upnp(external))

    assert (found.layers, found.cgnat) == (2, None)
    assert external in found.undetermined["cgnat"]


def test_the_continuity_prefix_is_the_providers_translation() -> None:
    found = judged(ModelNat(), upnp("192.0.0.2"))

    assert (found.layers, found.cgnat) == (None, True)
    assert "DS-Lite" in found.undetermined["layers"]


def test_an_address_for_benchmarks_is_private_but_in_a_redacted_report() -> None:
    assert judged(ModelNat(pool=(REAL,)), upnp("198.18.0.2")).layers == 2
    assert judged(ModelNat(pool=(OUTSIDE,)), upnp("198.18.0.2")).layers is None


def test_another_public_address_leaves_it_open_and_names_what_it_may_be() -> None:
    found = judged(ModelNat(), nat_pmp("203.0.113.99"))

    assert (found.layers, found.cgnat) == (None, None)
    assert found.undetermined["layers"].endswith("a VPN, several lines, or a carrier's NAT on addresses of others")
    assert "203.0.113.99" in found.undetermined["cgnat"]


@pytest.mark.parametrize(
    "external",
    ["0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "2001:db8::1", "<b>", "192.168.1.9"],
)
def test_what_cannot_be_an_external_address_is_left_out(external: str) -> None:
    found = judged(ModelNat(), upnp(external))

    assert (found.layers, found.cgnat) == (None, None)
    assert found.undetermined["layers"] == "the gateway names an impossible external address"
    assert behind(upnp(external), nat_pmp(OUTSIDE)) == (1, False)


def test_a_gateway_that_contradicts_itself_decides_nothing_and_both_are_shown() -> None:
    found = judged(ModelNat(), nat_pmp("100.64.0.2"), upnp("10.0.0.2"))

    assert (found.layers, found.cgnat) == (None, None)
    assert "NAT-PMP 100.64.0.2, UPnP 10.0.0.2" in found.undetermined["layers"]


def test_of_two_addresses_that_which_servers_see_counts() -> None:
    assert behind(nat_pmp(OUTSIDE), upnp("10.0.0.2")) == (1, False)


def test_further_mapped_addresses_beside_the_gateways_own_leave_it_open() -> None:
    pool = (OUTSIDE, "203.0.113.51")
    found = judged(ModelNat(BEHAVIORS[2], pool=pool, pooling="arbitrary"), nat_pmp(OUTSIDE))

    assert (found.layers, found.cgnat) == (None, None)


def test_a_gateway_without_address_is_a_hint_in_words_only() -> None:
    found = judged(ModelNat(), nat_pmp(name="NETWORK_FAILURE"), upnp(None))

    assert (found.layers, found.cgnat) == (None, None)
    assert "as routers do behind a second NAT" in found.undetermined["layers"]


def test_a_pcp_server_behind_a_nat_that_is_itself_inside_means_two() -> None:
    assert behind(pcp("ADDRESS_MISMATCH")) == (2, None)
    assert behind(pcp("ADDRESS_MISMATCH", destination=TransportAddress("203.0.113.1", 5351))) == (None, None)


def test_routers_on_the_way_are_a_reason_and_no_answer() -> None:
    found = judged(ModelNat(), silence(), hop(GATEWAY, 1), hop("10.20.30.40", 2))

    assert (found.layers, found.cgnat) == (None, None)
    assert "hop 2, 10.20.30.40" in found.undetermined["layers"]
    assert "does not prove" in found.undetermined["cgnat"]


@pytest.mark.parametrize("router", ["203.0.113.254", GATEWAY, "0.0.0.0", "192.168.1.4"])
def test_public_routers_and_the_gateway_itself_are_no_hint(router: str) -> None:
    here = Environment(interfaces=(Interface(name="eth0", role="ethernet", addresses=("192.168.1.4",)),))
    found = judged(ModelNat(), silence(), hop(router, None), environment=here)

    assert "router" not in found.undetermined["layers"]


def test_the_first_hop_is_no_hint_whoever_it_is() -> None:
    assert "router" not in judged(ModelNat(), hop("10.0.0.1", 1)).undetermined["layers"]


def test_the_gateway_of_a_vpn_tells_nothing_of_the_provider() -> None:
    tunnel = Environment(interfaces=(Interface(name="eth0", role="vpn", addresses=("10.8.0.2",)),))

    assert judged(ModelNat(), nat_pmp("100.64.0.2"), environment=tunnel).cgnat is None


def test_without_a_nat_the_gateways_word_changes_nothing() -> None:
    assert judged(ModelNat(translates=False), nat_pmp("100.64.0.2")).layers == 0


def test_a_carriers_address_outside_needs_no_server_to_be_believed() -> None:
    found = judged(ModelNat(blocks_udp=True), nat_pmp("100.64.0.2"))

    assert (found.layers, found.cgnat) == (2, True)


def test_a_private_address_outside_needs_a_server_that_sees_another() -> None:
    assert judged(ModelNat(blocks_udp=True), nat_pmp("10.0.0.2")).layers is None


def test_a_server_inside_tells_nothing_of_the_carrier() -> None:
    seen = Probe(ModelNat(pool=("10.9.9.9",)), (ModelServer("stun:inside.test", "10.1.1.1"),)).run().seen
    found = classify(Evidence(observations=(*seen, nat_pmp("10.9.9.9"))), Family.IPV4)

    assert found is not None
    assert (found.layers, found.cgnat) == (1, None)


SHARED = "100.100.1.2"


def own(*addresses: str, role: str = "ethernet", container: bool = False) -> Environment:
    interface = msgspec.convert({"name": "eth0", "role": role, "addresses": addresses}, Interface)
    return Environment(interfaces=(interface,), container=container)


def test_a_carriers_address_of_this_computer_proves_it() -> None:
    assert judged(ModelNat(), environment=own(SHARED), local=SHARED).cgnat is True


@pytest.mark.parametrize(
    "environment",
    [own(SHARED, role="vpn"), own(SHARED, "fd7a:115c:a1e0::1"), own(SHARED, container=True)],
    ids=["named so", "Tailscale's IPv6 range beside it", "inside a container"],
)
def test_a_carriers_address_of_a_vpn_or_a_container_proves_nothing(environment: Environment) -> None:
    assert judged(ModelNat(), environment=environment, local=SHARED).cgnat is None


def test_the_gateways_public_address_outranks_a_lan_numbered_like_a_carriers() -> None:
    found = judged(ModelNat(), nat_pmp(OUTSIDE), environment=own(SHARED), local=SHARED)

    assert (found.layers, found.cgnat) == (1, False)


def test_a_lying_server_makes_no_second_nat() -> None:
    liar = ModelServer("stun:liar.test", "9.9.9.9", lie=lambda seen, _: TransportAddress("100.64.0.1", seen.port))
    seen = Probe(ModelNat(), (*plain(2), liar)).run().seen
    found = classify(Evidence(observations=(*seen, nat_pmp(OUTSIDE))), Family.IPV4)

    assert found is not None
    assert (found.layers, found.cgnat) == (1, False)


CARRIERS = ROUTERS["a carrier's routers"]
PRIVATE = ROUTERS["private routers"]
NO_ADDRESS = nat_pmp(name="NETWORK_FAILURE")
BLOCK = ModelNat(BEHAVIORS[2], ports="block")
SEVERAL = ModelNat(BEHAVIORS[2], pool=(OUTSIDE, "203.0.113.51", "203.0.113.52"), pooling="arbitrary")


def test_a_carriers_router_and_a_gateway_without_an_address_are_a_carrier_grade_nat_that_is_inferred() -> None:
    found = judged(ModelNat(), NO_ADDRESS, *CARRIERS)

    assert (found.layers, found.cgnat) == (2, True)
    assert found.inferred["cgnat"] == (
        "a router with a carrier's address is on the way (hop 2, 100.64.0.1) and the gateway says that it has no "
        "external address, although servers see a public one"
    )
    assert found.confidence["cgnat"].p_wrong == P_STRONG
    assert set(found.confidence["cgnat"].evidence) == {"hop-2", "hop-3", "pmp"}


@pytest.mark.parametrize("nat", [BLOCK, SEVERAL], ids=["ports from one block", "several external addresses"])
def test_a_carriers_router_and_a_carriers_way_with_ports_and_addresses_are_a_carrier_grade_nat(nat: ModelNat) -> None:
    silent, speaking = judged(deepcopy(nat), silence(), *CARRIERS), judged(deepcopy(nat), pcp(), *CARRIERS)

    assert (silent.layers, silent.cgnat) == (None, True)
    assert "whether the own router translates too" in silent.undetermined["layers"]
    assert (speaking.layers, speaking.cgnat) == (2, True)
    assert silent.confidence["cgnat"].p_wrong == P_WEAK


@pytest.mark.parametrize("nat", [BLOCK, SEVERAL], ids=["ports from one block", "several external addresses"])
def test_a_carriers_way_with_ports_and_addresses_is_no_sign_alone_or_with_a_private_router(nat: ModelNat) -> None:
    for routers in ROUTERS.values():
        if routers is not CARRIERS:
            found = judged(deepcopy(nat), pcp(), *routers)
            assert (found.layers, found.cgnat) == (None, None)


def test_a_private_router_and_a_gateway_without_an_address_are_a_double_nat_of_whomever() -> None:
    found = judged(ModelNat(), upnp(None), *PRIVATE)

    assert (found.layers, found.cgnat) == (2, None)
    assert "a second box here or the provider's" in found.undetermined["cgnat"]
    assert "hop 2, 10.0.0.1" in found.inferred["layers"]
    assert found.confidence["layers"].p_wrong == P_WEAK


@pytest.mark.parametrize("routers", [CARRIERS, PRIVATE])
@pytest.mark.parametrize(
    ("environment", "local"),
    [(own("192.168.1.4", role="vpn"), "192.168.1.4"), (own("192.168.1.4", "93.184.216.34"), None), (None, REAL)],
    ids=["through a VPN", "beside a public address", "from a public address"],
)
def test_nothing_is_inferred_through_a_vpn_or_on_a_host_with_a_public_address(
    routers: tuple[Observation, ...], environment: Environment | None, local: str | None
) -> None:
    found = judged(ModelNat(), NO_ADDRESS, *routers, environment=environment, local=local)

    assert (found.layers, found.cgnat) == (None, None)


def test_the_gateways_public_address_outranks_every_sign() -> None:
    assert behind(nat_pmp(OUTSIDE), upnp(None), *CARRIERS) == (1, False)
