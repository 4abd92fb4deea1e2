"""The catalogue keeps what its readers rely on, and a consequence never stands beside its cause."""

import re
import runpy
import tomllib
from pathlib import Path
from string import Formatter

import msgspec
import pytest

from rtcdiag import findings
from rtcdiag.findings import ROLES, STAGES, Entry, Facts, Severity, catalogue, find, merged, silenced
from rtcdiag.rules import RULES
from support.cases import (
    audit,
    audit_config,
    blocked,
    browser,
    clock,
    gateway,
    ice,
    ipv6,
    network,
    proxy,
    quality,
    session,
    stun,
    tls,
    turn,
)

ROOT = Path(__file__).parents[2]
ROWS = (
    {f"C{n}" for n in range(1, 9)}
    | {f"A{n}" for n in range(1, 14)}
    | {f"N{n}" for n in range(1, 19)}
    | {f"T{n}" for n in range(1, 12)}
    | {f"L{n}" for n in range(1, 14)}
    | {f"R{n}" for n in range(1, 6)}
    | {f"D{n}" for n in range(1, 16)}
    | {f"S{n}" for n in range(1, 7)}
)
"""The lines of the failure table."""
NAT_CODES = {
    "nat-endpoint-dependent-mapping",
    "nat-port-dependent-filtering",
    "nat-tracks-unsolicited",
    "nat-carrier-grade",
    "nat-layered",
    "nat-arbitrary-pooling",
    "firewall-without-nat",
    "several-ways-out",
    "nat-no-hairpinning",
    "nat-internal-hairpinning",
    "nat-lifetime-short",
    "nat-lifetime-below-two-minutes",
    "nat-lifetime-measured",
    "fragments-lost-outbound",
    "fragments-lost-inbound",
    "nat-server-distrusted",
    "nat-servers-contradict",
}
"""Produced by tests/unit/rules/test_nat.py."""
HEALTH_CODES = {"health-threshold"}
"""Produced by tests/unit/health/test_judgement.py."""
SUBJECTS = (
    audit,
    audit_config,
    blocked,
    browser,
    clock,
    gateway,
    ice,
    ipv6,
    network,
    proxy,
    quality,
    session,
    tls,
    stun,
    turn,
)
CASES = [case for subject in SUBJECTS for case in subject.CASES.values()]
ENTRIES = catalogue().items()


def texts(entry: Entry) -> list[str]:
    return [entry.title, entry.meaning, *entry.remedy.values()]


def test_every_code_is_produced_by_a_case() -> None:
    found = {finding.code for case in CASES for rule in RULES for finding in rule(case.evidence)}
    assert found | NAT_CODES | HEALTH_CODES == set(catalogue())


def test_the_pieces_are_the_whole_file() -> None:
    text = (Path(findings.__file__).parent / "catalogue.toml").read_text(encoding="utf-8")

    assert msgspec.convert(tomllib.loads(text), dict[str, Entry]) == catalogue()


def test_there_are_many_codes_and_rows() -> None:
    rows = {entry.row for _, entry in ENTRIES if entry.row}
    assert len(catalogue()) >= 60
    assert rows <= ROWS
    assert len(rows) >= 60


@pytest.mark.parametrize(("code", "entry"), ENTRIES, ids=list(catalogue()))
def test_an_entry_is_complete(code: str, entry: Entry) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", code)
    assert entry.stage is None or entry.stage in STAGES
    assert set(entry.remedy) <= set(ROLES)
    assert entry.remedy or entry.severity is Severity.INFO
    assert all(text.strip() == text and text for text in texts(entry))
    assert not entry.title.endswith(".")
    assert entry.meaning.endswith(".")
    assert "\n" not in entry.title
    assert set(entry.silences) <= set(catalogue()) - {code}
    assert all(re.match(r"(RFC \d+|coturn option|eturnal option)", reference) for reference in entry.references)


def test_nothing_silences_in_a_circle() -> None:
    for code, entry in ENTRIES:
        assert not any(code in catalogue()[other].silences for other in entry.silences)


def test_every_fact_that_a_text_names_is_given_by_the_rule() -> None:
    for case in CASES:
        for finding in (finding for rule in RULES for finding in rule(case.evidence)):
            named = {name for text in texts(catalogue()[finding.code]) for _, name, _, _ in Formatter().parse(text)}
            assert named - {None, "subject"} <= set(finding.facts)
            assert not any("{" in text for text in (finding.title, finding.meaning, *finding.remedy.values()))


def test_titles_fit_a_line_and_meanings_a_paragraph() -> None:
    assert max(len(entry.title) for _, entry in ENTRIES) <= 100
    assert max(len(text) for _, entry in ENTRIES for text in texts(entry)) <= 420


def test_a_fact_that_is_missing_is_a_bug_that_shows() -> None:
    with pytest.raises(KeyError):
        find("server-software", subject="stun:a.example")


def test_an_unknown_code_is_a_bug_that_shows() -> None:
    with pytest.raises(KeyError):
        find("no-such-code")


def test_facts_are_spoken_and_kept_as_they_are() -> None:
    finding = find("server-udp-filtered", "obs-2", "", "obs-2", subject="stun:a", address="1.2.3.4:5", transport="udp")
    assert finding.facts["transport"] == "udp"
    assert finding.evidence == ("obs-2",)
    finding = find("dns-fails", names=["a.example", "b.example"], how="", beside="")
    assert "a.example, b.example" in finding.meaning
    assert "none" in find("dns-fails", names=[], how="", beside="").meaning


def test_a_hostile_fact_is_text_and_no_template() -> None:
    assert "{subject}" in find("server-software", subject="stun:a", software="{subject}").title


def test_what_rules_set_replaces_the_catalogue() -> None:
    facts: Facts = {"address": "1.2.3.4:5", "transport": "udp", "others": "other hosts do"}
    plain = find("server-silent", subject="stun:a", **facts)
    other = find("server-silent", subject="stun:a", stage="binding", severity=Severity.INFO, **facts)
    assert (plain.stage, plain.severity) == ("connect", Severity.ERROR)
    assert (other.stage, other.severity) == ("binding", Severity.INFO)


def test_a_cause_silences_its_consequence_on_the_same_path_only() -> None:
    here: Facts = {"address": "198.51.100.10:3478", "transport": "udp"}
    there: Facts = {"address": "198.51.100.20:3478", "transport": "udp"}
    relay: Facts = {"relayed": "10.0.0.1:1", "scope": "private"}
    cause = find("turn-relay-private-address", subject="turn:a", **here, **relay)
    mine = find("turn-relays-no-data", subject="turn:a", **here, family="ipv4", sent=5)
    other_address = find("turn-relays-no-data", subject="turn:a", **there, family="ipv4", sent=5)
    other_server = find("turn-relays-no-data", subject="turn:b", **here, family="ipv4", sent=5)
    assert silenced((mine, cause, other_address, other_server)) == (cause, other_address, other_server)


HERE: Facts = {"address": "198.51.100.10:3478", "transport": "udp"}
THERE: Facts = {"address": "198.51.100.20:3478", "transport": "udp"}


def test_the_first_broken_stage_of_a_path_owns_the_later_ones() -> None:
    cause = find("message-integrity-invalid", subject="turn:a", **HERE)
    later = find("turn-permission-silent", subject="turn:a", request="CreatePermission", peer="1.2.3.4:5", **HERE)
    mild = find("turn-short-lifetime", subject="turn:a", stage="refresh", lifetime_s=3, **HERE)
    elsewhere = find("turn-permission-silent", subject="turn:a", request="x", peer="1.2.3.4:5", **THERE)
    before = find("stun-loss", subject="turn:a", lost=1, sent=5, **HERE)
    assert silenced((cause, later, mild, elsewhere, before)) == (cause, mild, elsewhere, before)


def test_a_warning_owns_nothing() -> None:
    cause = find("message-integrity-missing", subject="turn:a", **HERE)
    later = find("turn-permission-silent", subject="turn:a", request="CreatePermission", peer="1.2.3.4:5", **HERE)
    assert silenced((cause, later)) == (cause, later)


def test_missing_credentials_own_the_login_and_not_a_server_that_is_down() -> None:
    cause = find("turn-credentials-missing", subject="turn:a")
    login = find("turn-challenge-incomplete", subject="turn:a", lacks="NONCE", **HERE)
    down = find("server-udp-refused", subject="turn:a", causes="", stage="binding", **HERE)
    open_relay = find("turn-no-authentication", subject="turn:a", **HERE)
    assert silenced((cause, login, open_relay)) == (cause, open_relay)
    assert silenced((cause, login, down)) == (cause, down)


def test_two_allocations_of_one_path_are_one_finding() -> None:
    a, b = (
        find("turn-relay-private-address", name, subject="turn:a", relayed=f"10.0.0.1:{port}", scope="private", **HERE)
        for name, port in (("obs-1", 1), ("obs-2", 2))
    )
    (one,) = merged((a, b))
    assert (one.facts, one.evidence) == (a.facts, ("obs-1", "obs-2"))


def test_the_most_severe_of_one_code_and_path_stands() -> None:
    mild = find("turn-quota-reached", "obs-1", subject="turn:a", severity=Severity.INFO, **HERE)
    grave = find("turn-quota-reached", "obs-2", subject="turn:a", **HERE)
    assert [finding.severity for finding in merged((mild, grave))] == [Severity.ERROR]


def test_addresses_that_ail_alike_are_one_finding_that_names_them() -> None:
    facts: Facts = {"transport": "udp", "others": "other hosts do"}
    addresses = [f"198.51.100.{number}:3478" for number in range(1, 7)]
    dead = tuple(
        find("server-silent", f"obs-{address}", subject="turn:a", address=address, **facts) for address in addresses
    )
    (one,) = merged(dead)
    assert one.facts == {"address": addresses[0], "addresses": addresses, **facts}
    assert f"at {', '.join(addresses[:4])}, 2 more over UDP" in one.title
    assert len(one.evidence) == 6


def test_what_differs_in_more_than_the_address_stays_apart() -> None:
    v4 = find("turn-relays-no-data", subject="turn:a", family="ipv4", sent=5, **HERE)
    v6 = find("turn-relays-no-data", subject="turn:a", family="ipv6", sent=5, **HERE)
    other = find("turn-relays-no-data", subject="turn:b", family="ipv4", sent=5, **HERE)
    crashes = tuple(find("probe-crashed", probe="p", error="E", where=where) for where in "ab")
    assert merged((v4, v6, other, *crashes)) == (v4, v6, other, *crashes)


def test_a_cause_in_the_network_silences_its_consequence_at_every_server() -> None:
    cause = find("no-network", tried=2)
    lookups = tuple(find("dns-lookup-failed", subject=f"stun:{host}", host=host) for host in "ab")
    assert silenced((*lookups, cause)) == (cause,)


def test_a_closed_port_explains_nothing_at_another_port() -> None:
    cause = find("udp-port-silent", port=3478, destinations=2, hosts=2, beside="", said="")
    here = find("server-udp-filtered", subject="stun:a", **HERE)
    there = find("server-udp-filtered", subject="stun:a", address="198.51.100.10:3479", transport="udp")
    assert silenced((cause, here, there)) == (cause, there)


def test_the_page_of_findings_is_current() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "findings"))["page"]()
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == page, "run scripts/findings"
