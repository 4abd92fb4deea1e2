"""Why nothing is answered over UDP: each reason has a name of its own, and none has that of another."""

import pytest

from lab.detector.place import ASKED, NO_UDP, ONE, ONE_ADDRESS, QUICK, Answer, Place, ask, errors, place, wall
from support.netns import NAME_SERVER

pytestmark = pytest.mark.lab

# --- UDP ---


@pytest.mark.parametrize("options", ASKED.values(), ids=ASKED)
def test_udp_that_is_dropped_while_tcp_passes_is_blocked(internet: Place, options: tuple[str, ...]) -> None:
    told = ask(internet.behind(rules=wall(NO_UDP)), *options)

    assert errors(told) == {"udp-blocked"}
    assert told.code == 1


def test_silence_that_tcp_proves_is_not_waited_out(internet: Place) -> None:
    told = ask(internet.behind(rules=wall(NO_UDP)))
    bindings = [item for item in told["evidence"] if item["kind"] == "Binding"]
    answered = [item for item in bindings if item["transport"] == "tcp" and item["exchange"].get("answers")]

    assert len(answered) >= 3
    silent = [item["duration_ms"] for item in bindings if item["transport"] == "udp"]
    assert max(silent) < told["options"]["thresholds"]["timeout_ms"]


@pytest.mark.parametrize("how", ["", "with icmpx admin-prohibited"])
def test_udp_that_a_router_refuses_aloud_is_blocked_by_that_router(internet: Place, how: str) -> None:
    client = internet.behind(rules=wall(f"meta l4proto udp ip daddr != {NAME_SERVER} reject {how}"))
    told = ask(client, *QUICK)

    assert errors(told) == {"udp-blocked"}
    (finding,) = [item for item in told["findings"] if item["code"] == "udp-blocked"]
    gateway = client.address.rpartition(".")[0] + ".1"
    assert f"{gateway} said" in finding["meaning"]
    assert f"UDP is blocked by {gateway} between" in told["verdict"]["summary"]


def test_udp_that_passes_on_the_ports_of_the_web_only_is_blocked(internet: Place) -> None:
    told = ask(internet.behind(rules=wall("udp dport != { 53, 443 } drop")), *QUICK)

    assert errors(told) == {"udp-blocked"}


def test_one_port_that_is_closed_is_named_and_udp_is_not(internet: Place) -> None:
    told = ask(internet.behind(rules=wall("udp dport 3478 drop")))

    assert errors(told) == {"udp-port-silent"}
    (finding,) = [item for item in told["findings"] if item["code"] == "udp-port-silent"]
    assert finding["facts"]["port"] == 3478


def test_udp_is_blocked_where_of_tcp_only_the_web_passes(internet: Place) -> None:
    told = ask(internet.behind(rules=wall(NO_UDP, "tcp dport != { 80, 443 } drop")), *QUICK)

    assert errors(told) == {"udp-blocked"}


# --- names ---

RESOLVERS = {
    "says nothing": "drop",
    "is not there": "reject",
    "is out of reach": "reject with icmpx host-unreachable",
}


@pytest.mark.parametrize("options", [(), ONE], ids=["the default list", "one name"])
@pytest.mark.parametrize("how", RESOLVERS.values(), ids=RESOLVERS)
def test_a_resolver_that_does_not_answer_is_a_dns_failure(internet: Place, how: str, options: tuple[str, ...]) -> None:
    told = ask(internet.behind(rules=wall(f"ip daddr {NAME_SERVER} {how}")), *options, *QUICK)

    assert errors(told) == {"dns-fails"}
    assert (told.code, told["verdict"]["direct_p2p"]) == (1, "inconclusive")


@pytest.mark.parametrize("options", [(), ONE], ids=["the default list", "one name"])
@pytest.mark.parametrize("answer", ["refused", "no such name", "server failure", "nobody is asked"])
def test_a_resolver_without_an_address_for_any_name_is_a_dns_failure(
    internet: Place, answer: Answer, options: tuple[str, ...]
) -> None:
    told = ask(internet.with_resolver(answer), *options, *QUICK)

    assert errors(told) == {"dns-fails"}


def test_a_name_that_does_not_exist_is_one_servers_fault(internet: Place) -> None:
    told = ask(internet.behind(), *ONE, "--server", "stun:missing.example.org")

    assert told.codes("error") == {"dns-name-not-found"}
    assert told["verdict"]["direct_p2p"] == "depends-on-peer"


def test_a_name_that_does_not_exist_is_no_dns_failure_where_it_is_the_only_one(internet: Place) -> None:
    assert errors(ask(internet.behind(), "--server", "stun:missing.example.org")) == {"dns-name-not-found"}


def test_a_server_by_its_address_is_classified_while_names_fail(internet: Place) -> None:
    told = ask(internet.with_resolver("server failure"), *ONE, *ONE_ADDRESS)

    assert told.codes("error") == {"dns-fails"}
    assert told["verdict"]["direct_p2p"] == "depends-on-peer"


# --- no network ---

CABLE = ("link add eth0 type veth peer name far", "link set eth0 up", "link set far up")
LOST = {
    "no interface": (),
    "an interface that is down": ("link add eth0 type veth peer name far", "address add 192.168.1.2/24 dev eth0"),
    "no route": (*CABLE, "address add 192.168.1.2/24 dev eth0"),
    "only a link-local address": (
        *CABLE,
        "address add 169.254.7.7/16 dev eth0",
        "route add default dev eth0",
    ),
}


@pytest.mark.parametrize("options", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("lines", LOST.values(), ids=LOST)
def test_a_computer_without_a_network_is_told_so(
    internet: Place, lines: tuple[str, ...], options: tuple[str, ...]
) -> None:
    host = internet.alone()
    if lines:
        host.ip(*lines)
    told = ask(host, *options, *QUICK)

    assert errors(told) == {"no-network"}
    assert told.code == 1


def test_a_router_that_reaches_nothing_says_so(internet: Place) -> None:
    client = internet.behind(rules=wall(f"ip daddr != {NAME_SERVER} reject with icmpx host-unreachable"))
    told = ask(client)

    assert errors(told) == {"no-answer-at-all"}
    assert "said that it cannot reach" in told["findings"][0]["meaning"]


def test_a_router_that_is_not_there_is_not_called_blocked_udp(internet: Place) -> None:
    host = internet.alone()
    host.ip(
        *CABLE,
        "address add 192.168.1.2/24 dev eth0",
        "route add default via 192.168.1.1",
    )
    assert errors(ask(host, *ONE_ADDRESS, *QUICK)) <= {"no-answer-at-all", "server-no-answer"}
    assert errors(ask(host, *ONE, *QUICK)) <= {"dns-fails", "no-answer-at-all"}


# --- this computer's firewall ---

OWN = {
    "drops": "udp dport != 53 drop",
    "refuses": "udp dport != 53 reject",
    "refuses with a prohibition": "udp dport != 53 reject with icmpx admin-prohibited",
    "drops one user's": "meta skuid 0 udp dport != 53 drop",
}


@pytest.mark.parametrize("options", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("rule", OWN.values(), ids=OWN)
def test_this_computers_own_firewall_is_named(internet: Place, rule: str, options: tuple[str, ...]) -> None:
    told = ask(internet.behind(own=wall(rule, hook="output")), *options)

    assert errors(told) == {"local-firewall"}
    assert [item["code"] for item in told["findings"]].count("local-firewall") == 1
    assert told.code == 1


def test_a_filter_in_front_of_a_public_host_is_a_firewall_and_no_nat() -> None:
    own = wall("ct state != { established, related } drop", hook="input")
    with place() as net:
        told = ask(net.behind("no-nat", own=own), *ONE)
    nat = told["nat"]["ipv4"]

    assert (nat["behind_nat"], nat["firewall"], nat["filtering"]) == (False, True, "address-and-port-dependent")
    assert "firewall-without-nat" in told.codes("info")
    assert errors(told) == set()
