"""What `rtcdiag report` says of whole networks: each of these looks like "it does not connect" to a user."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.ca import Authority
from support.coturn import coturn
from support.netns import NAME_SERVER, OTHER_SERVER, SERVER, SERVERS, Namespace, Topology
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

STUN = "stun:stun.example.org"
NAMES = {
    "stun.example.org": [SERVER],
    "turn.example.org": [SERVER],
    "other.example.net": [OTHER_SERVER],
    "down.example.net": ["198.51.100.77"],
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Topology]:
    directory = tmp_path_factory.mktemp("coturn")
    certificate = authority.issue("turn.example.org")
    with (
        Topology() as net,
        coturn(
            directory / "one",
            listen=SERVERS[:2],
            relay=[SERVER],
            certificate=certificate,
            tls_port=443,
            prefix=net.internet.prefix,
        ),
        coturn(directory / "two", listen=SERVERS[2:], relay=[OTHER_SERVER], prefix=net.internet.prefix),
    ):
        net.serve_names(NAMES)
        yield net


class Told(dict[str, Any]):
    """A report, its exit code beside it."""

    code: int

    @property
    def errors(self) -> set[str]:
        """The codes of its errors."""
        return {finding["code"] for finding in self["findings"] if finding["severity"] == "error"}

    @property
    def codes(self) -> set[str]:
        """The codes of all its findings."""
        return {finding["code"] for finding in self["findings"]}


def report(host: Namespace, directory: Path, *options: str) -> Told:
    command = [RTCDIAG, "report", "--json", "--reports-dir", str(directory / "reports"), *options]
    done = host.run(command, timeout=40)
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    told = Told(json.loads(done.stdout))
    told.code = done.returncode
    return told


def servers(*uris: str) -> list[str]:
    return [word for uri in uris for word in ("--server", uri)]


def test_a_computer_connected_to_nothing_has_no_network(internet: Topology, tmp_path: Path) -> None:
    told = report(internet.alone(), tmp_path)

    assert told.errors == {"no-network"}
    assert (told.code, told["verdict"]["direct_p2p"]) == (1, "inconclusive")


def test_no_network_is_said_of_a_literal_address_too(internet: Topology, tmp_path: Path) -> None:
    assert report(internet.alone(), tmp_path, "--server", f"stun:{SERVER}").errors == {"no-network"}


@pytest.mark.parametrize("fault", ["refused", "silent", "servfail"])
def test_a_resolver_that_does_not_answer_is_a_dns_failure(tmp_path: Path, fault: str) -> None:
    with Topology() as net, coturn(tmp_path / "c", listen=SERVERS[:2], relay=[SERVER], prefix=net.internet.prefix):
        if fault == "silent":
            net.internet.nft(
                f"table ip quiet {{ chain in {{ type filter hook input priority 0; ip daddr {NAME_SERVER} drop; }}; }}"
            )
        if fault == "servfail":
            net.serve_names({}, "--server=/example.org/127.0.0.9")
        told = report(net.client("masquerade"), tmp_path, *servers(STUN))

    assert told.errors == {"dns-fails"}
    assert told["verdict"]["direct_p2p"] == "inconclusive"


def test_a_literal_server_works_without_dns_and_the_verdict_stands_on_it(tmp_path: Path) -> None:
    with Topology() as net, coturn(tmp_path / "c", listen=SERVERS[:2], relay=[SERVER], prefix=net.internet.prefix):
        told = report(net.client("masquerade"), tmp_path, *servers(STUN, f"stun:{SERVER}"))

    assert told.errors == {"dns-fails"}
    assert told["verdict"]["direct_p2p"] == "depends-on-peer"


def test_one_name_that_does_not_exist_is_that_servers_fault(internet: Topology, tmp_path: Path) -> None:
    told = report(internet.client("masquerade"), tmp_path, *servers(STUN, "stun:missing.example.org"))

    (error,) = [finding for finding in told["findings"] if finding["severity"] == "error"]
    assert (error["code"], error["subject"]) == ("dns-name-not-found", "stun:missing.example.org")
    assert told["verdict"]["direct_p2p"] == "depends-on-peer"


def test_udp_blocked_is_told_from_a_server_that_is_down(internet: Topology, tmp_path: Path) -> None:
    told = report(internet.client("udp-blocked"), tmp_path, *servers(STUN, "stun:other.example.net"))

    assert told.errors == {"udp-blocked"}
    assert told.code == 1


def test_one_server_that_is_down_is_not_udp_blocked(internet: Topology, tmp_path: Path) -> None:
    told = report(internet.client("masquerade"), tmp_path, *servers(STUN, "stun:down.example.net"))

    (error,) = [finding for finding in told["findings"] if finding["severity"] == "error"]
    assert error["subject"] == "stun:down.example.net"
    assert "udp-blocked" not in told.codes
    assert told["verdict"]["direct_p2p"] == "depends-on-peer"


def test_udp_blocked_with_a_relay_over_tls_is_no_error(
    internet: Topology, tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "password").write_text("wonderland")
    told = report(
        internet.client("udp-blocked"),
        tmp_path,
        *servers(STUN, "stun:other.example.net", "turns:turn.example.org:443?transport=tcp"),
        *("--username", "alice", "--password-file", str(tmp_path / "password"), "--ca-file", str(authority.ca_file)),
    )

    assert told.errors == set()
    assert told["verdict"]["direct_p2p"] == "relay-needed"
    assert {row["direct"] for row in told["reach"]} == {"no"}
    assert told.code == 0


def test_a_healthy_home_network_has_nothing_to_fix(internet: Topology, tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "password").write_text("wonderland")
    told = report(
        internet.client("masquerade"),
        tmp_path,
        *servers(STUN, "stun:other.example.net", "turn:turn.example.org", "turns:turn.example.org:443"),
        *("--username", "alice", "--password-file", str(tmp_path / "password"), "--ca-file", str(authority.ca_file)),
    )

    assert {finding["code"] for finding in told["findings"] if finding["severity"] != "info"} == set()
    assert told["verdict"]["status"] == "healthy"
    assert {row["status"] for row in told["servers"]} == {"ok"}
    assert {row["peer"] for row in told["reach"] if row["direct"] == "no"} == {"symmetric", "udp-blocked"}


def test_behind_a_symmetric_nat_a_working_relay_is_not_accused(
    internet: Topology, tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "password").write_text("wonderland")
    told = report(
        internet.client("random"),
        tmp_path,
        *servers(STUN, "stun:other.example.net", "turn:turn.example.org"),
        *("--username", "alice", "--password-file", str(tmp_path / "password"), "--ca-file", str(authority.ca_file)),
    )

    assert {finding["code"] for finding in told["findings"] if finding["severity"] != "info"} == set()
    assert {row["peer"] for row in told["reach"] if row["direct"] == "yes"} == {
        "open",
        "full-cone",
        "address-restricted",
    }


def test_this_computers_own_firewall_is_named(internet: Topology, tmp_path: Path) -> None:
    client = internet.client("masquerade")
    client.nft("table inet own { chain out { type filter hook output priority 0; udp dport != 53 drop; }; }")
    told = report(client, tmp_path, *servers(STUN, "stun:other.example.net"))

    assert "local-firewall" in told.errors


def test_a_report_that_is_interrupted_is_still_written_and_says_so(internet: Topology, tmp_path: Path) -> None:
    client = internet.client("udp-blocked")
    asked = [RTCDIAG, "report", "--timeout", "20", "--reports-dir", str(tmp_path), *servers(STUN)]
    done = client.run(["timeout", "--signal=INT", "5", *asked], timeout=30)

    (saved,) = tmp_path.glob("*.json")
    assert json.loads(saved.read_text())["interrupted"] is True
    assert "Traceback" not in done.stderr
