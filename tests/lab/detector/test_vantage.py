"""The filter from a TURN server's relays: with coturn at one address, one plain STUN server, and nobody's RFC 5780."""

from pathlib import Path

import pytest

from lab.detector.labs import NATS, PLAIN, TURN, TURN_2, Told, ask, classes, coturn_line, outside_line, truth

pytestmark = pytest.mark.lab

STUN = f"stun:{PLAIN}"
OVER_UDP, OVER_TCP = f"turn:{TURN}", f"turn:{TURN}?transport=tcp"
READY = (f"{PLAIN}:3478", f"{TURN}:3478")
CASES = {
    "over UDP": [STUN, OVER_UDP],
    "over TCP": [STUN, OVER_TCP],
    "over both": [STUN, OVER_UDP, OVER_TCP],
    "named before the plain server": [OVER_UDP, STUN],
}


def internet(directory: Path, *more: str) -> list[str]:
    return [coturn_line(directory, "turn", [TURN], [TURN], *more), outside_line(f"honest@{PLAIN}:3478")]


@pytest.fixture(scope="module", params=NATS)
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Told]]:
    directory = tmp_path_factory.mktemp("vantage")
    return request.param, ask(f"{request.param} delay=20ms", CASES, internet(directory), directory, ready=READY)


@pytest.mark.parametrize("case", CASES)
def test_every_nat_is_told_for_what_it_is(behind: tuple[str, dict[str, Told]], case: str) -> None:
    nat, told = behind

    assert classes(told[case]) == truth(nat), told[case]["nat"]["undetermined"]
    assert told[case]["nat"]["behind_nat"] == ("/" in nat)
    assert not told[case]["nat"]["distrusted"]


def test_no_allocation_is_left_behind(tmp_path: Path) -> None:
    ask("eim/apdf", {"once": [STUN, OVER_UDP]}, internet(tmp_path, "verbose"), tmp_path, ready=READY)
    log = (tmp_path / "turn" / "log").read_text(encoding="utf-8")

    assert log.count("new, realm") == log.count("lifetime=0") == 2, log[-3000:]


@pytest.mark.parametrize("nat", ["eim/eif", "eim/adf", "eim/apdf", "adm/adf", "apdm/eif", "apdm/apdf"])
def test_loss_makes_no_wrong_class(nat: str, tmp_path: Path) -> None:
    cases = {f"{number} {name}": uris for name, uris in CASES.items() for number in range(4)}
    told = ask(f"{nat} delay=20ms loss=5%", cases, internet(tmp_path), tmp_path, ready=READY)
    found = [classes(one) for one in told.values()]

    assert {mapping for mapping, _ in found} <= {truth(nat)[0], "undetermined"}
    assert {filtering for _, filtering in found} <= {truth(nat)[1], "undetermined"}
    assert sum(pair[1] == truth(nat)[1] for pair in found) > len(found) * 0.8


@pytest.mark.parametrize("nat", NATS)
def test_one_turn_server_with_two_addresses_is_enough(nat: str, tmp_path: Path) -> None:
    """With RFC 5780 over UDP, or only for its other address, which a test socket asks."""
    lines = [coturn_line(tmp_path, "turn", [TURN, TURN_2], [TURN])]
    cases = {"with RFC 5780": [f"turn:{TURN}"], "over TCP only": [f"turn:{TURN}?transport=tcp"]}
    told = ask(nat, cases, lines, tmp_path, ready=[f"{TURN}:3478"])

    assert classes(told["with RFC 5780"]) == truth(nat)
    assert told["over TCP only"]["nat"]["filtering"] == truth(nat)[1]


@pytest.mark.parametrize("nat", ["eim/eif", "adm/adf", "apdm/apdf"])
def test_relays_at_addresses_in_turn_are_no_obstacle(nat: str, tmp_path: Path) -> None:
    lines = [
        coturn_line(tmp_path, "turn", [TURN], ["203.0.113.20", "203.0.113.21"]),
        outside_line(f"honest@{PLAIN}:3478"),
    ]
    told = ask(nat, CASES, lines, tmp_path, ready=READY, addresses=["203.0.113.20", "203.0.113.21"])

    for case in CASES:
        assert classes(told[case]) == truth(nat), case


@pytest.mark.parametrize("nat", ["eim/adf", "apdm/apdf", "eim/eif"])
def test_it_works_where_udp_to_the_turn_port_is_blocked(nat: str, tmp_path: Path) -> None:
    ports = range(50000, 50008)
    relay = coturn_line(tmp_path, "turn", [TURN], [TURN], f"min-port={ports[0]}", f"max-port={ports[-1]}")
    lines = [relay, outside_line(f"honest@{PLAIN}:19302")]
    passing = ",".join(map(str, (19302, *ports)))
    cases = {"both": [f"stun:{PLAIN}:19302", OVER_UDP, OVER_TCP]}
    told = ask(f"{nat} udp={passing}", cases, lines, tmp_path, ready=[f"{PLAIN}:19302"])["both"]

    assert told["nat"]["filtering"] == truth(nat)[1], told["nat"]["undetermined"]


def test_a_server_that_denies_our_own_address_as_peer_leaves_it_open_and_says_so(tmp_path: Path) -> None:
    denied = internet(tmp_path, "denied-peer-ip=203.0.113.128-203.0.113.255")
    nat = ask("eim/apdf", {"once": [STUN, OVER_UDP]}, denied, tmp_path, ready=READY)["once"]["nat"]

    assert nat["filtering"] == "undetermined"
    assert "refuses to send to this network's own address (error 403)" in nat["undetermined"]["filtering"]


def test_without_another_server_it_is_left_open_and_says_so(tmp_path: Path) -> None:
    nat = ask("eim/apdf", {"once": [OVER_UDP]}, internet(tmp_path), tmp_path, ready=READY)["once"]["nat"]

    assert nat["filtering"] == "undetermined"
    assert "no server at another IP address than the relay's was named" in nat["undetermined"]["filtering"]


def test_a_quota_of_one_allocation_leaves_open_whether_ports_count(tmp_path: Path) -> None:
    lines = internet(tmp_path, "user-quota=1")
    open_nat = ask("eim/eif", {"once": [STUN, OVER_UDP]}, lines, tmp_path, ready=READY)["once"]
    strict = ask("eim/apdf", {"once": [STUN, OVER_UDP]}, lines, tmp_path, ready=READY)["once"]

    assert open_nat["nat"]["filtering"] == "endpoint-independent"
    assert strict["nat"]["filtering"] == "undetermined"
    assert "no second relay" in strict["nat"]["undetermined"]["filtering"]


def test_a_wrong_password_leaves_it_open_and_says_so(tmp_path: Path) -> None:
    lines = [
        coturn_line(tmp_path, "turn", [TURN], [TURN]),
        outside_line(f"honest@{PLAIN}:3478"),
    ]
    configuration = tmp_path / "turn" / "turnserver.conf"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(text.replace("wonderland", "nonsense"), encoding="utf-8")
    nat = ask("eim/apdf", {"once": [STUN, OVER_UDP]}, lines, tmp_path, ready=READY)["once"]["nat"]

    assert nat["filtering"] == "undetermined"
    assert "refused an allocation (error 401)" in nat["undetermined"]["filtering"]
