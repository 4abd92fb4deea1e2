"""A sign-in page in place of the web is named where it stands, is never named elsewhere, and is hostile input."""

from pathlib import Path

import pytest

from lab.detector.place import ASKED, ONE_ADDRESS, QUICK, Place, ask, errors, text_of
from rtcdiag.contacts import WEB_CHECKS
from support.portal import LEADS_TO

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("options", ASKED.values(), ids=ASKED)
def test_a_sign_in_page_that_takes_the_place_of_the_web_is_named(internet: Place, options: tuple[str, ...]) -> None:
    told = ask(internet.behind_a_portal("redirect"), *options)

    assert errors(told) == {"captive-portal"}
    assert (told.code, told["verdict"]["direct_p2p"], told["verdict"]["status"]) == (1, "inconclusive", "broken")
    assert LEADS_TO in told["verdict"]["summary"]
    assert {item["redirect_host"] for item in told.evidence("WebCheck")} == {LEADS_TO}
    assert "token" not in str(told)


@pytest.mark.parametrize("mode", ["login", "511"])
def test_a_sign_in_page_without_a_redirect_is_named(internet: Place, mode: str) -> None:
    assert errors(ask(internet.behind_a_portal(mode), *QUICK)) == {"captive-portal"}


def test_a_sign_in_page_that_lets_https_pass_is_named(internet: Place) -> None:
    told = ask(internet.behind_a_portal("redirect", passing="tcp dport 443 accept;"), *QUICK)

    assert errors(told) == {"captive-portal"}
    assert any(item["failure"] is None for item in told.evidence("Connect"))


@pytest.mark.parametrize("mode", ["login", "redirect"])
def test_a_sign_in_page_to_which_all_names_lead_is_named(internet: Place, mode: str) -> None:
    told = ask(internet.behind_made_up_names(mode), *QUICK)

    assert errors(told) == {"captive-portal"}


def test_made_up_names_without_a_page_are_named_as_that(internet: Place) -> None:
    told = ask(internet.behind_made_up_names(None), *QUICK)

    assert errors(told) == {"dns-all-names-alike"}


def test_a_sign_in_page_is_the_first_thing_that_a_person_reads(internet: Place) -> None:
    text = text_of(internet.behind_a_portal("redirect"))

    first = " ".join(text.splitlines()[:3])
    assert "sign-in page (captive portal)" in first
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 80


def test_a_report_sees_through_a_sign_in_page_too(internet: Place, tmp_path: Path) -> None:
    told = ask(internet.behind_a_portal("redirect"), "--reports-dir", str(tmp_path), *QUICK, command="report")

    assert errors(told) == {"captive-portal"}


@pytest.mark.parametrize("mode", ["proxy", "honest", "forbidden", "empty", "to-itself", "hang-up", "silent"])
def test_what_is_no_sign_in_page_is_not_called_one(internet: Place, mode: str) -> None:
    told = ask(internet.behind_a_portal(mode, passing="tcp dport != 80 accept;"), *QUICK)

    assert errors(told) == {"udp-blocked"}


def test_a_sign_in_page_is_not_asked_for_where_udp_is_answered(internet: Place) -> None:
    told = ask(internet.behind_a_portal("redirect", passing="meta l4proto udp accept;"))

    assert errors(told) == set()
    assert told.evidence("WebCheck") == []


@pytest.mark.parametrize("mode", ["big", "drip", "interim", "garbage", "escapes", "bomb", "many-fields"])
def test_whatever_the_page_sends_the_run_ends_and_nothing_of_it_is_shown(internet: Place, mode: str) -> None:
    client = internet.behind_a_portal(mode, passing="tcp dport != 80 accept;")
    told = ask(client, *QUICK)
    text = text_of(client, "-vv", *QUICK)

    assert told.evidence("Crash") == []
    assert errors(told) == {"captive-portal" if mode in PAGES else "udp-blocked"}
    assert told["duration_ms"] < 6000
    for shown in (str(told), text):
        assert not {"\x1b", "\x07", "hunter2", "<script>", "owned"} & {part for part in FORBIDDEN if part in shown}
    assert len(str(told.evidence("WebCheck"))) < 4000


PAGES = {"big", "escapes", "bomb"}
FORBIDDEN = ("\x1b", "\x07", "hunter2", "<script>", "owned")


def test_no_control_leaves_the_web_alone(internet: Place) -> None:
    told = ask(internet.behind_a_portal("redirect"), "--no-control", *ONE_ADDRESS)

    assert (told.evidence("WebCheck"), told.evidence("Resolution")) == ([], [])
    assert "captive-portal" not in told.codes()


def test_the_page_is_asked_for_where_the_user_says(internet: Place) -> None:
    client, second = internet.behind_a_portal("redirect"), internet.router("udp-blocked")
    internet.connect(client, "eth1", second)
    told = ask(client, "--interface", "eth1", *QUICK)

    assert errors(told) == {"udp-blocked"}
    assert all(item["status"] == item["expected_status"] for item in told.evidence("WebCheck"))
    assert errors(ask(client, "--interface", "eth0", *QUICK)) == {"captive-portal"}


def test_a_proxy_of_the_environment_is_noted_and_not_used(internet: Place) -> None:
    told = ask(internet.behind("udp-blocked"), *QUICK, env={"HTTP_PROXY": "http://kim:hunter2@203.0.113.99:3128"})

    assert errors(told) == {"udp-blocked"}
    assert "proxy-not-used" in told.codes("info")
    assert told["environment"]["proxies"] == ["HTTP_PROXY"]
    assert "hunter2" not in str(told)
    assert len(told.evidence("WebCheck")) == len(WEB_CHECKS)
