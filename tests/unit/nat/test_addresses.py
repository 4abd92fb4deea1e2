"""What mapped addresses tell: NAT or none, pooling, ports, rewriting, carrier-grade NAT."""

from random import Random
from typing import Literal

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Environment, Evidence, Interface
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from support.nat_model import INSIDE, ModelNat, ModelServer, plain, two_operators
from support.nat_probe import Probe

EIM, ADM, APDM = BEHAVIORS
POOL = ("203.0.113.50", "203.0.113.51", "203.0.113.52")


def judged(probe: Probe, environment: Environment | None = None) -> Nat:
    evidence = Evidence(observations=tuple(probe.seen), environment=environment or Environment())
    seen = classify(evidence, Family.IPV4)
    assert seen is not None
    return seen


def nat_seen(nat: ModelNat, *servers: ModelServer) -> Nat:
    return judged(Probe(nat, servers or two_operators()).run())


def test_an_unknown_local_address_leaves_open_whether_there_is_a_nat() -> None:
    seen = judged(Probe(ModelNat(), two_operators(), knows_local=False).run())

    assert seen.behind_nat is None
    assert "not known" in seen.undetermined["behind_nat"]
    assert (seen.pooling, seen.port_preservation, seen.port_assignment) == (None, None, None)
    assert seen.mapping == EIM


def test_an_unspecified_local_address_is_not_known() -> None:
    probe = Probe(ModelNat(translates=False), two_operators()).run()
    unbound = [msgspec.structs.replace(item, local=TransportAddress("0.0.0.0", 5000)) for item in probe.seen]

    assert classify(Evidence(observations=tuple(unbound)), Family.IPV4).behind_nat is None  # type: ignore[union-attr]  # asked


def test_servers_that_see_a_nat_and_servers_that_see_none_leave_it_open() -> None:
    liar = ModelServer("stun:liar.test", "9.9.9.9", lie=lambda seen, _: TransportAddress("203.0.113.99", seen.port))
    seen = nat_seen(ModelNat(translates=False), liar, *plain(1))

    assert seen.behind_nat is None
    assert "203.0.113.99" in seen.undetermined["behind_nat"]


def test_mapped_addresses_come_in_the_order_seen_and_once() -> None:
    seen = nat_seen(ModelNat(EIM))

    assert len(set(seen.mapped)) == len(seen.mapped) == 13, "one a socket"


@pytest.mark.parametrize("mapping", BEHAVIORS)
def test_arbitrary_pooling_is_seen(mapping: Behavior) -> None:
    seen = nat_seen(ModelNat(mapping, pool=POOL, pooling="arbitrary", random=Random(3)))  # noqa: S311  a model

    assert seen.pooling == "arbitrary"


def test_one_address_for_few_mappings_proves_no_pooling() -> None:
    probe = Probe(ModelNat(EIM), plain(2))
    probe.ask("m1", probe.servers[0], "mapping", probe.servers[0].primary)
    seen = judged(probe)

    assert seen.pooling is None
    assert seen.undetermined["pooling"] == "only 1 mapping was seen, all on one address"


def test_an_address_that_only_one_server_tells_is_no_pool() -> None:
    liar = ModelServer("stun:liar.test", "9.9.9.9", lie=lambda seen, _: TransportAddress("203.0.113.99", seen.port))
    seen = nat_seen(ModelNat(EIM), *plain(2), liar)

    assert seen.pooling is None
    assert "different IP addresses" in seen.undetermined["pooling"]


@pytest.mark.parametrize(("mapped", "alg"), [("absent", None), ("equal", False), ("garbled", True)])
def test_rewriting_is_told_by_the_two_mapped_addresses(
    mapped: Literal["absent", "equal", "garbled"], alg: bool | None
) -> None:
    seen = nat_seen(ModelNat(EIM), *(ModelServer(s.uri, s.ip, mapped=mapped) for s in plain(3)))

    assert seen.alg is alg
    assert seen.mapping == EIM
    assert ("alg" in seen.undetermined) is (alg is None)


def test_mapped_address_alone_serves_where_nothing_rewrites() -> None:
    seen = nat_seen(ModelNat(EIM), *(ModelServer(s.uri, s.ip, mapped="alone") for s in plain(3)))

    assert (seen.mapping, seen.behind_nat) == (EIM, True)


def inside(seen: TransportAddress, _random: Random) -> TransportAddress:
    return TransportAddress(INSIDE, seen.port)


def test_mapped_address_alone_that_is_the_local_one_proves_no_missing_nat() -> None:
    rewritten = (ModelServer(s.uri, s.ip, mapped="alone", lie=inside) for s in plain(3))
    seen = nat_seen(ModelNat(EIM, ports="kept"), *rewritten)

    assert (seen.mapping, seen.behind_nat) == ("undetermined", None)


def test_mapped_address_alone_is_not_believed_where_something_rewrites() -> None:
    servers = plain(3)
    seen = nat_seen(
        ModelNat(EIM),
        ModelServer(servers[0].uri, servers[0].ip, mapped="garbled"),
        *(ModelServer(s.uri, s.ip, mapped="alone") for s in servers[1:]),
    )

    assert seen.mapping == "undetermined"


@pytest.mark.parametrize("pool", [("100.64.1.1",), ("100.127.255.254",)])
def test_a_shared_address_outside_proves_a_carrier_grade_nat(pool: tuple[str, ...]) -> None:
    assert nat_seen(ModelNat(EIM, pool=pool)).cgnat is True


@pytest.mark.parametrize("role", ["ethernet", "vpn"])
@pytest.mark.parametrize("named", [True, False])
def test_a_shared_address_here_proves_it_but_for_a_vpns(role: Literal["ethernet", "vpn"], named: bool) -> None:
    probe = Probe(ModelNat(EIM), two_operators()).run()
    local = TransportAddress("100.100.1.2", 5000)
    probe.seen = [
        msgspec.structs.replace(item, local=local, interface="tailscale0" if named else None) for item in probe.seen
    ]
    interface = Interface(name="tailscale0", role=role, addresses=("100.100.1.2",))

    assert judged(probe, Environment(interfaces=(interface,))).cgnat is (True if role == "ethernet" else None)


def test_no_shared_address_excludes_no_carrier_grade_nat() -> None:
    seen = nat_seen(ModelNat(EIM))

    assert seen.cgnat is None
    assert "does not exclude" in seen.undetermined["cgnat"]


def test_one_server_that_claims_a_shared_address_proves_nothing() -> None:
    liar = ModelServer("stun:liar.test", "9.9.9.9", lie=lambda seen, _: TransportAddress("100.64.0.1", seen.port))

    assert nat_seen(ModelNat(EIM), *plain(2), liar).cgnat is None
