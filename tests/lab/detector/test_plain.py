"""Mapping behavior from ordinary servers; the filtering stays open, and the reason says how to learn it."""

from pathlib import Path

import pytest

from lab.detector.labs import NATS, Told, ask, classes, outside_line, truth

pytestmark = pytest.mark.lab

A, B, C = "203.0.113.10", "198.51.100.10", "192.0.2.10"
GOOGLE = "stun.l.google.com"
SERVERS = outside_line(f"honest@{A}:3478,19302", f"honest@{B}:3478", f"honest@{C}:3478")
CASES = {
    "one with two ports": [f"stun:{A}:3478", f"stun:{A}:19302", f"stun:{B}", f"stun:{C}"],
    "one that is known for its second port": [f"stun:{GOOGLE}:19302", f"stun:{B}", f"stun:{C}"],
    "one port each": [f"stun:{A}", f"stun:{B}", f"stun:{C}"],
    "two operators": [f"stun:{A}:3478", f"stun:{A}:19302", f"stun:{B}"],
    "one operator": [f"stun:{A}:3478", f"stun:{A}:19302"],
}
EIM = "endpoint-independent"


@pytest.fixture(scope="module", params=NATS)
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Told]]:
    directory = tmp_path_factory.mktemp("plain")
    told = ask(
        f"{request.param} delay=20ms",
        CASES,
        [SERVERS],
        directory,
        ready=[f"{A}:3478"],
        addresses=[C],
        names={GOOGLE: A},
    )
    return request.param, told


@pytest.mark.parametrize("case", ["one with two ports", "one that is known for its second port"])
def test_three_operators_and_a_second_port_tell_the_mapping_of_every_nat(
    behind: tuple[str, dict[str, Told]], case: str
) -> None:
    nat, told = behind

    assert told[case]["nat"]["mapping"] == truth(nat)[0], told[case]["nat"]["undetermined"]


def test_without_a_second_port_it_stays_open_whether_ports_count(behind: tuple[str, dict[str, Told]]) -> None:
    nat, told = behind[0], behind[1]["one port each"]["nat"]

    if truth(nat)[0] == EIM:
        assert told["mapping"] == EIM
    else:
        assert told["mapping_possible"] == ["address-dependent", "address-and-port-dependent"]
        assert "no two ports of one server address answered" in told["undetermined"]["mapping"]


def test_of_two_operators_that_differ_nobody_knows_who_is_right(behind: tuple[str, dict[str, Told]]) -> None:
    nat, told = behind[0], behind[1]["two operators"]["nat"]

    if truth(nat)[0] == EIM:
        assert told["mapping"] == EIM
    else:
        assert told["mapping"] == "undetermined"
        assert "a third operator, or one with RFC 5780" in told["undetermined"]["mapping"]


def test_one_address_tells_no_mapping(behind: tuple[str, dict[str, Told]]) -> None:
    nat, told = behind[0], behind[1]["one operator"]["nat"]

    if "/" in nat:
        assert told["mapping"] == "undetermined"
        assert "only one server address answered; two are needed" in told["undetermined"]["mapping"]


@pytest.mark.parametrize("case", CASES)
def test_the_filtering_stays_open_and_the_reason_says_what_would_tell_it(
    behind: tuple[str, dict[str, Told]], case: str
) -> None:
    told = behind[1][case]

    assert told["nat"]["filtering"] == "undetermined"
    assert told["nat"]["undetermined"]["filtering"] == (
        "no server that was asked can answer from another address (RFC 5780); name one that can, or a TURN server with "
        "credentials, whose relay can test it"
    )
    (hint,) = (item for item in told["findings"] if item["code"] == "no-nat-behavior-server")
    assert "TURN server with its credentials" in hint["remedy"]["you"]


def test_ports_of_one_address_are_one_operator_and_no_agreement(tmp_path: Path) -> None:
    told = ask("apdm/apdf", {"once": CASES["one operator"]}, [SERVERS], tmp_path, ready=[f"{A}:3478"], addresses=[C])

    assert classes(told["once"]) == ("undetermined", "undetermined")
