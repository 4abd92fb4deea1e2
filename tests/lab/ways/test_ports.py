"""How NATs choose ports and addresses: every rule of the lab's NATs and of the kernel's, told for what it is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.coturn import coturn
from support.lab import behind
from support.netns import SERVER, SERVERS, Topology
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

MAPPINGS = ("eim", "adm", "apdm")
NOT_KEPT = (False, None)


def seen(nat: str) -> dict[str, Any]:
    # Where the mapping stays open, which is not the question here, it ends with 3.
    command = f"{RTCDIAG} nat-type --json --no-control -4 --server $RTCDIAG_LAB_STUN || [ $? = 3 ]"
    report = json.loads(behind(nat, "sh", "-c", command, options=("--with", "embedded")))
    ipv4: dict[str, Any] = report["nat"]["ipv4"]
    return ipv4


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize(
    ("port", "assignment", "deltas"),
    [
        ("random", ("random",), (None,)),
        ("sequential", ("sequential",), (1,)),
        ("sequential:7", ("sequential",), (7,)),
        ("block", ("block", None), (None,)),
        ("block:1024", ("block", None), (None,)),
    ],
)
def test_the_rule_of_the_ports_is_told(
    mapping: str, port: str, assignment: tuple[str | None, ...], deltas: tuple[int | None, ...]
) -> None:
    nat = seen(f"{mapping}/apdf delay=5ms port={port}")

    assert nat["port_assignment"] in assignment, nat["undetermined"]
    assert nat["port_delta"] in deltas, nat["undetermined"]
    assert nat["port_preservation"] is False
    assert nat["port_parity"] in NOT_KEPT


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_ports_that_are_kept_are_told(mapping: str) -> None:
    nat = seen(f"{mapping}/apdf delay=5ms port=preserving")

    assert nat["port_preservation"] is True
    assert nat["port_assignment"] in (("preserved",) if mapping == "eim" else ("random", None))


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("port", ["random", "sequential"])
def test_parity_that_is_kept_is_told_or_left_open(mapping: str, port: str) -> None:
    nat = seen(f"{mapping}/eif delay=5ms port={port} parity=yes")

    assert nat["port_parity"] is True, nat["undetermined"]
    assert nat["port_assignment"] == port


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_an_address_for_each_mapping_is_arbitrary_pooling(mapping: str) -> None:
    nat = seen(f"{mapping}/apdf delay=5ms port=random pool=4 pooling=arbitrary")

    assert nat["pooling"] == "arbitrary"
    assert len({address.rpartition(":")[0] for address in nat["mapped"]}) > 1


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_one_address_for_each_host_is_paired_pooling_with_the_chance_that_it_is_not(mapping: str) -> None:
    nat = seen(f"{mapping}/apdf delay=5ms port=random pool=4 pooling=paired")

    assert nat["pooling"] == "paired"
    assert 0 < nat["confidence"]["pooling"]["p_wrong"] < 0.01


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with Topology() as net:
        directory = tmp_path_factory.mktemp("coturn")
        with coturn(directory, listen=SERVERS[:2], relay=(SERVER,), prefix=net.internet.prefix):
            yield net


@pytest.mark.parametrize(
    ("how", "preservation", "assignment"),
    [("", True, "preserved"), ("random", False, "random"), ("fully-random", False, "random")],
)
def test_the_rules_of_the_kernels_masquerade_are_told(
    internet: Topology, how: str, preservation: bool, assignment: str
) -> None:
    router = internet.router("masquerade")
    router.nft(f"flush chain ip translate post\nadd rule ip translate post oifname wan masquerade {how}\n")
    client = internet.client(router)
    done = client.run([RTCDIAG, "nat-type", "--json", "--no-control", "--server", f"stun:{SERVER}"], timeout=30)
    nat = json.loads(done.stdout)["nat"]["ipv4"]

    assert (nat["port_preservation"], nat["port_assignment"]) == (preservation, assignment)
    assert nat["port_parity"] in NOT_KEPT
    assert nat["pooling"] == "paired"
