"""The list for whoever runs the firewall: what failed for want of a rule, and nothing else."""

import re
from pathlib import Path

import msgspec
import pytest

from rtcdiag.cli.entry import main
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.evidence import Evidence
from rtcdiag.findings import catalogue
from rtcdiag.formats import render
from rtcdiag.formats.openings import _PLACES, _PROXY, _RELAY_PORTS, openings
from rtcdiag.report import Level, Redaction, Report, decode
from support.cases import blocked, network, proxy, turn
from support.reports import REPORTS

EXAMPLES = Path(__file__).parents[3] / "reports" / "examples"
LINE = re.compile(r"^  (out|in) +(UDP|TCP) +(\S+) +ports? (\S+) *(.*)$", re.MULTILINE)


def report_on(evidence: Evidence) -> Report:
    return diagnose(evidence, Run(id="x", command="report", started_at="2026-11-22T16:00:00.000Z", duration_ms=1.0))


def lines(report: Report) -> list[tuple[str, ...]]:
    return [match[:4] for match in LINE.findall(render("firewall", report))]


def test_every_finding_that_makes_a_rule_is_in_the_catalogue_and_asks_somebody_for_it() -> None:
    for code in (*_PLACES, *_PROXY, _RELAY_PORTS):
        assert {"network_admin", "server_operator", "you"} & catalogue()[code].remedy.keys()


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("level", ["none", "share"])
def test_all_but_the_rules_fits_a_terminal(name: str, level: Level) -> None:
    report = msgspec.structs.replace(REPORTS[name](), interrupted=True, redaction=Redaction(level=level))
    text = render("firewall", report)
    assert [line for line in text.splitlines() if len(line) > 80 and not LINE.match(line)] == []


@pytest.mark.parametrize("name", ["healthy", "symmetric", "check-stun"])
def test_where_nothing_failed_that_a_rule_would_mend_one_line_says_so(name: str) -> None:
    text = render("firewall", REPORTS[name]())
    assert LINE.findall(text) == []
    assert len(re.findall(r"^Nothing to open", text, re.MULTILINE)) == 1


def test_a_wrong_password_opens_nothing_and_is_named() -> None:
    assert "other causes (turn-credentials-rejected" in render("firewall", REPORTS["wrong-password"]())


def test_no_answer_is_not_called_nothing_failed() -> None:
    report = REPORTS["inconclusive"]()
    bare = msgspec.structs.replace(report, findings=(), servers=())
    assert "got no answer" in render("firewall", bare)


def test_blocked_udp_is_listed_by_address_once_with_the_names_behind_it() -> None:
    report = decode(EXAMPLES.joinpath("udp-blocked.json").read_bytes())
    failed = {
        ("out", "UDP", row.address.host, str(row.address.port))
        for row in report.servers
        if row.address and row.transport == "udp" and row.status == "failed"
    }
    assert failed
    assert sorted(lines(report)) == sorted(failed)
    text = render("firewall", report)
    assert "UDP out to any address" in text
    assert "[udp-blocked" in text


CASES = {**blocked.CASES, **network.CASES, **proxy.CASES, **turn.CASES}


@pytest.mark.parametrize("sentence", CASES)
def test_what_worked_is_never_listed(sentence: str) -> None:
    report = report_on(CASES[sentence].evidence)
    works = {
        (row.transport, row.address.host, str(row.address.port))
        for row in report.servers
        if row.address and row.status == "ok" and row.via is None
    }
    codes = {finding.code for finding in report.findings}
    for item in openings(report):
        assert set(item.codes) <= codes
        if item.place != "server":
            own = {"UDP": ("udp", "dtls"), "TCP": ("tcp", "tls")}[item.protocol]
            assert not {(name, item.host, item.ports) for name in own} & works


def test_a_proxy_that_forbids_is_told_what_to_allow() -> None:
    found = [
        item
        for case in proxy.CASES.values()
        for item in openings(report_on(case.evidence))
        if item.codes == ("proxy-forbids-connect",)
    ]
    assert found
    assert {(item.place, item.protocol, item.ports) for item in found} == {("proxy", "TCP", "3478")}


def test_closed_relay_ports_are_the_servers_and_a_range_with_honest_words() -> None:
    case = next(case for case in turn.CASES.values() if "turn-relay-ports-unreachable" in case.codes)
    text = render("firewall", report_on(case.evidence))
    assert "At the server's own firewall" in text
    assert "ports 49152-65535" in text
    assert "unless told otherwise" in text


def test_a_redacted_list_says_that_its_addresses_are_none(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text(render("json", REPORTS["udp-blocked"]()), encoding="utf-8")
    assert main(["show", str(saved), "--format", "firewall", "--redact", "share"]) == 0
    out = capfd.readouterr().out
    assert out.startswith("Firewall rules for what failed  (redacted: share)")
    assert "Public addresses are pseudonyms here" in out
    for words in (["compare", str(saved), str(saved)], ["diff", str(saved), str(saved)]):
        assert main([*words, "--format", "firewall"]) == 2
        out, err = capfd.readouterr()
        assert (out, "'firewall' is not one of" in err) == ("", True)
