"""Which port and which address: RFC 4787 sections 4.1 and 4.2, RFC 7422."""

from ipaddress import IPv4Network, ip_address
from statistics import mean

import pytest

from rtcdiag.lab import mappings
from rtcdiag.lab.spec import Addresses
from support.middleboxes import ADDRESSES, EXTERNAL, HOST, OTHER_HOST, SERVER, Box, End, tcp, udp

A = (SERVER, 3478)
POOL = [str(address) for address in ADDRESSES.external]


def remotes(count: int) -> list[End]:
    return [(SERVER, 1000 + index) for index in range(count)]


def test_a_port_is_kept_while_nobody_else_has_it() -> None:
    box = Box("eim/apdf port=preserving ports=40000-40999")
    assert box.mapped((HOST, 5000), A) == (EXTERNAL, 5000)
    collided = box.mapped((OTHER_HOST, 5000), A)
    assert collided[1] in range(40000, 41000)
    assert box.mapped((OTHER_HOST, 5001), A) == (EXTERNAL, 5001)


def test_a_port_that_became_free_is_kept_again() -> None:
    box = Box("eim/apdf lifetime=30s")
    box.mapped((HOST, 5000), A)
    box.now_s = 31
    assert box.mapped((OTHER_HOST, 5000), A) == (EXTERNAL, 5000)


def test_random_ports_fill_their_range_evenly() -> None:
    box = Box("apdm/apdf port=random ports=20000-59999")
    ports = [box.mapped((HOST, 5000), remote)[1] for remote in remotes(2000)]
    assert len(set(ports)) == 2000
    assert all(20000 <= port <= 59999 for port in ports)
    assert 39000 < mean(ports) < 41000
    assert sum(port < 30000 for port in ports) in range(430, 570)


@pytest.mark.parametrize("step", [1, 2, -3])
def test_sequential_ports_are_a_step_apart_and_start_anew_at_the_end_of_the_range(step: int) -> None:
    box = Box(f"apdm/apdf port=sequential:{step} ports=30000-30999")
    ports = [box.mapped((HOST, 5000), remote)[1] for remote in remotes(300)]
    assert {(one - other) % 1000 for one, other in zip(ports[1:], ports, strict=False)} == {step % 1000}
    assert all(30000 <= port <= 30999 for port in ports)


def test_sequential_ports_go_on_when_earlier_ones_are_free_again() -> None:
    box = Box("eim/eif port=sequential:2 lifetime=30s")
    _, first = box.mapped((HOST, 5000), A)
    box.now_s = 31
    _, second = box.mapped((HOST, 5000), A)
    assert (second - first) % 64512 == 2


def test_a_sequential_port_in_use_is_passed_over() -> None:
    box = Box("apdm/apdf port=sequential ports=30000-30002")
    assert {box.mapped((HOST, 5000), remote)[1] for remote in remotes(3)} == {30000, 30001, 30002}


def test_a_host_gets_its_ports_from_a_block_of_its_own() -> None:
    box = Box("apdm/apdf port=block:100 ports=10000-19999")
    blocks = {
        host: {(box.mapped((host, 5000), remote)[1] - 10000) // 100 for remote in remotes(60)}
        for host in (HOST, OTHER_HOST)
    }
    assert blocks == {HOST: {4}, OTHER_HOST: {5}}


def test_hosts_of_two_networks_have_blocks_of_their_own_too() -> None:
    networks = (IPv4Network("192.168.1.0/24"), IPv4Network("192.168.2.0/24"))
    box = Box("apdm/apdf port=block:1000", addresses=Addresses(inside=networks, external=ADDRESSES.external))
    hosts = [str(network[number]) for network in networks for number in (2, 3)]
    assert len({(box.mapped((host, 5000), A)[1] - 1024) // 1000 for host in hosts}) == 4


def test_a_port_that_went_to_another_host_stays_there_when_the_first_one_comes_back() -> None:
    box = Box("eim/eif lifetime=30s")
    box.mapped((HOST, 5000), A)
    box.now_s = 31
    assert box.mapped((OTHER_HOST, 5000), A) == (EXTERNAL, 5000)
    assert box.mapped((HOST, 5000), A) != (EXTERNAL, 5000)
    seen = box.into(udp(A, (EXTERNAL, 5000)))
    assert seen is not None
    assert seen.destination == (OTHER_HOST, 5000)


def test_a_block_that_is_full_gives_nothing_more() -> None:
    box = Box("apdm/apdf port=block:10")
    for remote in remotes(10):
        box.mapped((HOST, 5000), remote)
    with pytest.raises(AssertionError):
        box.mapped((HOST, 5000), A)
    assert box.mapped((OTHER_HOST, 5000), A)


@pytest.mark.parametrize("assignment", ["preserving", "random", "sequential", "block"])
def test_parity_is_preserved_when_asked_for(assignment: str) -> None:
    box = Box(f"apdm/apdf parity=yes port={assignment}")
    for local in (5000, 5001):
        assert {box.mapped((HOST, local), remote)[1] % 2 for remote in remotes(40)} == {local % 2}


def test_paired_pooling_keeps_a_host_on_one_address_for_all_protocols() -> None:
    box = Box("apdm/apdf port=random pool=4 pooling=paired")
    used = {host: {box.mapped((host, 5000), remote)[0] for remote in remotes(40)} for host in (HOST, OTHER_HOST)}
    assert [len(addresses) for addresses in used.values()] == [1, 1]
    assert used[HOST] != used[OTHER_HOST]
    seen = box.out(tcp((HOST, 5000), A))
    assert seen is not None
    assert {seen.source[0]} == used[HOST]


def test_arbitrary_pooling_spreads_a_host_over_all_addresses() -> None:
    box = Box("apdm/apdf port=random pool=4 pooling=arbitrary")
    assert {box.mapped((HOST, 5000), remote)[0] for remote in remotes(60)} == set(POOL)


def test_arbitrary_pooling_keeps_a_mapping_on_its_address() -> None:
    box = Box("eim/eif pool=4 pooling=arbitrary")
    assert len({box.mapped((HOST, 5000), remote)[0] for remote in remotes(60)}) == 1


def test_no_more_addresses_are_used_than_said() -> None:
    box = Box("apdm/apdf pool=2 pooling=arbitrary")
    assert {box.mapped((HOST, 5000), remote)[0] for remote in remotes(60)} == set(POOL[:2])


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [
        ("eim/eif pool=5", ADDRESSES),
        ("eim/eif", Addresses(inside=(), external=ADDRESSES.external)),
        (
            "eim/eif v6=nat66",
            Addresses(inside=ADDRESSES.inside, external=ADDRESSES.external, inside6=ADDRESSES.inside6),
        ),
    ],
)
def test_too_few_addresses_are_a_clear_error(spec: str, addresses: Addresses) -> None:
    with pytest.raises(ValueError, match="needs"):
        Box(spec, addresses=addresses)


def test_a_table_is_bounded_and_takes_new_mappings_when_old_ones_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mappings.MOST_MAPPINGS == 8192
    monkeypatch.setattr(mappings, "MOST_MAPPINGS", 100)
    box = Box("apdm/apdf port=random lifetime=30s")
    for index in range(100):
        box.mapped((HOST, 5000), (SERVER, 1 + index))
    with pytest.raises(AssertionError):
        box.mapped((OTHER_HOST, 5000), A)
    box.now_s = 31
    assert box.mapped((OTHER_HOST, 5000), A)


def test_a_filter_is_bounded_and_forgets_the_oldest() -> None:
    box = Box("eim/apdf")
    many = [(str(ip_address(SERVER) + 1 + index % 50), 1000 + index) for index in range(1025)]
    for remote in (*many[:1024], many[0], many[1024]):
        mapped = box.mapped((HOST, 5000), remote)
    assert [box.accepts(many[index], mapped) for index in (0, 1, 2, 1024)] == [True, False, True, True]


def test_the_same_seed_chooses_the_same_and_another_seed_does_not() -> None:
    def chosen(seed: int) -> list[End]:
        box = Box("apdm/apdf port=random pool=4 pooling=arbitrary", seed=seed)
        return [box.mapped((HOST, 5000), remote) for remote in remotes(20)]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_losses_do_not_change_the_ports() -> None:
    def chosen(spec: str) -> dict[End, End]:
        box = Box(spec)
        seen = [box.out(udp((HOST, 5000), remote)) for remote in remotes(50)]
        return {one.destination: one.source for one in seen if one}

    lossless, lossy = chosen("symmetric"), chosen("symmetric loss=50%")
    assert 0 < len(lossy) < 50
    assert lossy.items() <= lossless.items()
