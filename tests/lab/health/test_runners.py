"""Runners that lack something themselves: what they lack is held against no server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.coturn import coturn
from support.netns import ALTERNATE, SERVER, SERVER6, Client, Topology
from support.process import RTCDIAG

pytestmark = pytest.mark.lab
_KNOWN = ("ipv4only.arpa", ["192.0.0.170", "192.0.0.171"])


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Yield an internet with one coturn of both families, and a name server that is reached over both."""
    with Topology() as net:
        net.serve_names({"both.example": [SERVER, SERVER6]}, f"--listen-address={SERVER6}")
        where = {"listen": (SERVER, SERVER6), "relay": (SERVER, SERVER6), "prefix": net.internet.prefix}
        with coturn(tmp_path_factory.mktemp("runners"), **where):  # type: ignore[arg-type]  # of a mixed dict
            yield net


def told(client: Client, tmp_path: Path, *uris: str) -> tuple[int, dict[str, dict[str, Any]]]:
    config = tmp_path / "servers.json"
    config.write_text(json.dumps([{"urls": uri, "username": "alice", "credential": "wonderland"} for uri in uris]))
    done = client.run([RTCDIAG, "health", config, "--json"], timeout=60)
    assert done.stderr == ""
    return done.returncode, {item["uri"]: item for item in json.loads(done.stdout)["targets"]}


def test_ipv4_is_skipped_and_no_failure_on_a_runner_of_ipv6_alone(net: Topology, tmp_path: Path) -> None:
    client = net.client("masquerade")
    client.ip(f"address delete {client.address}/24 dev eth0")
    client.resolve_by(SERVER6)
    code, found = told(client, tmp_path, "turn:both.example", "turns:both.example:5350", f"stun:{ALTERNATE}")
    both = {path["family"]: (path["status"], path["why"]) for path in found["turn:both.example"]["paths"]}
    assert both == {"ipv4": ("skipped", "this computer has no IPv4"), "ipv6": ("ok", None)}
    assert found["turn:both.example"]["status"] == "ok"
    assert found[f"stun:{ALTERNATE}"]["status"] == "skipped"
    # What fails over the family that is there still fails.
    assert (code, found["turns:both.example:5350"]["finding"]) == (1, "server-tcp-refused")


def test_a_runner_without_a_network_finds_no_server_well(net: Topology, tmp_path: Path) -> None:
    client = net.client("masquerade", ipv6=False)
    client.ip(f"address delete {client.address}/24 dev eth0")
    code, found = told(client, tmp_path, f"turn:{SERVER}")
    assert (code, found[f"turn:{SERVER}"]["finding"]) == (1, "no-network")


def test_a_dead_name_is_told_with_the_doubt_that_its_name_server_denies_every_name(tmp_path: Path) -> None:
    by_address = f"stun:{SERVER}"
    with Topology() as net:
        client = net.client("masquerade")
        with coturn(tmp_path / "coturn", listen=(SERVER,), relay=(SERVER,), prefix=net.internet.prefix):
            net.serve_names({})
            code, found = told(client, tmp_path, "turn:dead.example", "turn:gone.example.net", by_address)
    assert (code, found[by_address]["status"]) == (1, "ok")
    assert {uri: item["finding"] for uri, item in found.items() if uri != by_address} == {
        "turn:dead.example": "dns-name-not-found",
        "turn:gone.example.net": "dns-name-not-found",
    }
    assert "denies ipv4only.arpa too, which exists" in found["turn:dead.example"]["summary"]


@pytest.mark.parametrize("names", [dict([_KNOWN]), {"alive.example": [SERVER]}], ids=["a control", "another target"])
def test_a_dead_name_is_dead_where_the_name_server_knows_another(names: dict[str, list[str]], tmp_path: Path) -> None:
    with Topology() as net:
        net.serve_names(names)
        with coturn(tmp_path / "coturn", listen=(SERVER,), relay=(SERVER,), prefix=net.internet.prefix):
            alive = [f"stun:{name}" for name in names if name.startswith("alive")]
            code, found = told(net.client("masquerade"), tmp_path, "turn:dead.example", *alive)
    assert (code, found["turn:dead.example"]["finding"]) == (1, "dns-name-not-found")
