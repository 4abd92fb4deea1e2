"""``--list-contacts`` tells the truth about whom a run contacts, and contacts no one."""

import json
from pathlib import Path

import pytest

from rtcdiag.cli import main
from rtcdiag.cli.contacts import WITH_CONTROL
from rtcdiag.cli.servers import default_servers
from rtcdiag.contacts import CONTROL_HOSTS, CONTROL_NAMES, STUN_SERVERS, WEB_CHECKS, Contact, WebContact, second_port
from rtcdiag.options import RunOptions
from rtcdiag.planning import plan
from rtcdiag.signaling.invitation import Invitation, Rendezvous

DEFAULTS = [contact.target for contact in STUN_SERVERS]
ASKED: list[Contact | WebContact] = [*CONTROL_HOSTS, *WEB_CHECKS, *CONTROL_NAMES]
CONTROL = [contact.target for contact in ASKED]
GATEWAY = "your default gateway"
ALONE = ("--no-control", "--no-gateway")
SECOND = ["stun:stun.nextcloud.com:443", "stun:stun.l.google.com:3478"]


def listed(capsysbinary: pytest.CaptureFixture[bytes], *args: str) -> list[str]:
    assert main([*args, "--list-contacts"]) == 0
    text = capsysbinary.readouterr().out.decode()
    assert main([*args, "--list-contacts", "--json"]) == 0
    rows = json.loads(capsysbinary.readouterr().out)
    assert all(line.startswith(row["target"]) for line, row in zip(text.splitlines(), rows, strict=True))
    return [row["target"] for row in rows]


@pytest.mark.parametrize("command", ["report", "nat-type", "candidates"])
@pytest.mark.parametrize("control", [True, False])
def test_the_listed_contacts_are_those_of_the_plan(
    command: str, control: bool, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    jobs = plan(command, default_servers(), RunOptions(control=control))
    asked = {server.uri for job in jobs for server in job.servers}
    asked |= set(SECOND) if command in WITH_CONTROL else set()
    asked |= set(CONTROL) if any(job.probe == "control" for job in jobs) else set()
    asked |= {GATEWAY} if any(job.probe == "gateway" for job in jobs) else set()
    assert set(listed(capsysbinary, command, *([] if control else ["--no-control"]))) == asked
    for probe in ("control", "web-check"):
        assert any(job.probe == probe for job in jobs) is (control and command in WITH_CONTROL)


def test_the_default_list_is_printed_in_its_order(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert listed(capsysbinary, "nat-type") == DEFAULTS + SECOND + CONTROL + 3 * [GATEWAY]


def test_the_gateway_is_listed_with_what_it_is_asked_unless_it_is_left_out(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert listed(capsysbinary, "report", "--no-gateway") == DEFAULTS + SECOND + CONTROL
    assert main(["nat-type", "--list-contacts"]) == 0
    text = capsysbinary.readouterr().out.decode()
    assert all(words in text for words in ("5351", "1900", "239.255.255.250", "HTTP"))


def test_second_ports_are_listed_of_servers_that_are_known_to_have_them_and_once(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    google = ["stun:stun.l.google.com:19302", "stun:stun.l.google.com:3478"]
    named = [part for uri in ("stun:stun1.l.google.com:3478", "stun:a.example") for part in ("--server", uri)]

    assert google[1] in listed(capsysbinary, "nat-type", "--server", google[0])
    assert "stun:stun1.l.google.com:19302" in listed(capsysbinary, "report", *named)
    assert listed(capsysbinary, "nat-type", "--server", google[0], "--server", google[1], *ALONE) == google
    assert listed(capsysbinary, "check-stun", google[0], "--no-control") == google[:1]


def test_a_second_port_is_the_other_of_two_and_of_no_third() -> None:
    assert second_port("stun.l.google.com", 19302) == 3478
    assert second_port("stun.l.google.com", 3478) == 19302
    assert second_port("stun.l.google.com", 5349) is None
    assert second_port("stun.example.org", 3478) is None


def test_servers_that_the_user_names_take_the_place_of_the_default_list(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert listed(capsysbinary, "nat-type", "--server", "stun:a.example") == [
        "stun:a.example",
        *CONTROL,
        *3 * [GATEWAY],
    ]
    assert listed(capsysbinary, "nat-type", "--server", "stun:127.0.0.1") == ["stun:127.0.0.1"]
    assert listed(capsysbinary, "check-stun", "stun:a.example") == ["stun:a.example"]


def test_a_server_without_a_name_needs_the_nat64_to_be_looked_up_where_there_is_no_ipv4(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    (name,) = (contact.target for contact in CONTROL_NAMES)
    assert listed(capsysbinary, "check-stun", "stun:203.0.113.10") == ["stun:203.0.113.10", name]
    assert listed(capsysbinary, "check-stun", "stun:203.0.113.10", "--no-control") == ["stun:203.0.113.10"]
    assert listed(capsysbinary, "check-stun", "stun:[2001:db8::10]") == ["stun:[2001:db8::10]"]


def test_a_proxy_is_listed_without_its_login_where_it_is_used(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://ann:hunter2@proxy.example:3128")
    tcp = ("check-turn", "turn:a.example?transport=tcp")
    assert listed(capsysbinary, *tcp) == [tcp[1], "http://proxy.example:3128"]
    assert listed(capsysbinary, *tcp, "--proxy", "https://other.example") == [tcp[1], "https://other.example:443"]
    assert listed(capsysbinary, *tcp, "--proxy", "none") == [tcp[1]]
    assert listed(capsysbinary, "check-turn", "turn:a.example") == ["turn:a.example"]
    assert listed(capsysbinary, "check-stun", "stuns:a.example") == ["stuns:a.example"]
    monkeypatch.setenv("no_proxy", "example")
    assert listed(capsysbinary, *tcp) == [tcp[1]]


def test_a_service_is_listed_and_not_asked_and_shows_nothing_that_may_be_a_key(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    url = "https://ann.example:8443/key-hunter2?apiKey=hunter2"
    assert listed(capsysbinary, "check-turn", "--ice-servers", url) == ["https://ann.example:8443"]


def test_who_may_be_asked_for_the_time_is_listed_where_credentials_carry_one(
    capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("north")
    asked = ("turn:a.example", "--secret-file", str(tmp_path / "secret"))
    assert listed(capsysbinary, "check-turn", *asked) == ["turn:a.example", "https://a.example/"]
    assert listed(capsysbinary, "check-turn", *asked, "--no-control") == ["turn:a.example"]
    assert "https://dns.google/" in listed(capsysbinary, "report", "--server", *asked)
    assert listed(capsysbinary, "check-turn", "turn:a.example", "--username", "1893456000:ann")[1:] == [
        "https://a.example/"
    ]


def test_control_hosts_are_no_servers_and_at_least_one_needs_no_resolver() -> None:
    assert {contact.use for contact in CONTROL_HOSTS} == {"control"}
    assert {contact.use for contact in STUN_SERVERS} == {"nat-behavior", "binding"}
    assert any(contact.target[0].isdigit() for contact in CONTROL_HOSTS)


def test_web_checks_are_plain_http_and_of_different_operators() -> None:
    assert all(contact.target == f"http://{contact.host}{contact.path}" for contact in WEB_CHECKS)
    assert len({contact.operator for contact in WEB_CHECKS}) == len(WEB_CHECKS) > 2
    assert {bool(contact.content) for contact in WEB_CHECKS} == {True, False}


@pytest.mark.parametrize("servers", [(), ("--server", "stun:stun.example.com")], ids=["default list", "named"])
@pytest.mark.parametrize(
    "meeting",
    [
        ("--rendezvous", "https://rtc.example.com:8443"),
        (str(Invitation.to(Rendezvous("https://rtc.example.com:8443"), "A" * 22)),),
    ],
    ids=["making a room", "joining one"],
)
def test_the_rendezvous_is_listed_without_room_and_key(
    meeting: tuple[str, ...], servers: tuple[str, ...], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    without = listed(capsysbinary, "connect", *servers)
    also = set(listed(capsysbinary, "connect", *meeting, *servers)) - set(without)
    assert also == {"https://rtc.example.com:8443"}
