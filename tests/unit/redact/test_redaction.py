"""Redacted reports tell nobody's network, and conclude the same."""

from functools import cache
from ipaddress import IPv4Address, IPv6Network
from itertools import combinations_with_replacement
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, scope_of
from rtcdiag.compare import Asked, compare
from rtcdiag.diagnosis import Run, diagnose, rediagnose
from rtcdiag.evidence import AuditScope, Evidence, Resolution, TurnConfig
from rtcdiag.formats import FORMATS, RenderOptions, render
from rtcdiag.formats.embedded import extract_json
from rtcdiag.redact import Key, Level, aligned, redacted
from rtcdiag.report import LEVELS, Report, decode, encode, evidence_of
from rtcdiag.synthesis import synthesized
from support.canary import exposed, leaks, real
from support.cases import audit, audit_config, blocked, browser, clock, gateway, ipv6, network, proxy, stun, tls, turn
from support.conclusions import conclusions
from support.evidence import answered, at, binding, run
from support.gateway import upnp
from support.nat_model import ModelNat, two_operators
from support.nat_probe import Probe
from support.reports import REPORTS

KEY = Key(b"a key of the tests", shared=True)
SUBJECTS = (network, blocked, clock, gateway, ipv6, proxy, tls, stun, turn, audit, audit_config, browser)
CASES = {sentence: case.evidence for subject in SUBJECTS for sentence, case in subject.CASES.items()}
EXAMPLES = Path(__file__).parents[3] / "reports" / "examples"
HIDING: tuple[Level, ...] = ("share", "strict")
SOME_KEYS = tuple(Key(bytes([number]) * 16) for number in range(12))
EVERY_LEVEL = pytest.mark.parametrize("level", HIDING)


def report_on(evidence: Evidence) -> Report:
    return diagnose(evidence, Run(id="x", command="report", started_at="2026-11-22T16:00:00.000Z", duration_ms=1.0))


def same(report: Report, level: Level, *keys: Key) -> None:
    again, _ = rediagnose(report)
    concluded = conclusions(again)
    for key in keys or (KEY,):
        told = redacted(again, level, key)
        assert conclusions(told) == concluded
        assert conclusions(rediagnose(told)[0]) == concluded


@pytest.mark.parametrize(("level", "told"), [("share", 330), ("strict", None)])
def test_local_time_is_told_only_where_names_are_too(level: Level, told: int | None) -> None:
    report = replace(report_on(next(iter(CASES.values()))), utc_offset_min=330)
    assert redacted(report, level, KEY).utc_offset_min == told
    later = replace(report, evidence=(*report.evidence, msgspec.Raw(b'{"kind":"Later","id":"x","t_ms":0}')))
    assert redacted(later, level, KEY).utc_offset_min == told


@EVERY_LEVEL
@pytest.mark.parametrize("name", REPORTS)
def test_a_redacted_report_concludes_the_same(name: str, level: Level) -> None:
    same(REPORTS[name](), level)


@pytest.mark.parametrize("number", range(len(CASES) // 8))
def test_every_eighth_case_of_the_rules_is_judged_the_same_when_redacted(number: int) -> None:
    same(report_on([*CASES.values()][number * 8]), "strict")


@pytest.mark.slow
@EVERY_LEVEL
@pytest.mark.parametrize("sentence", CASES)
def test_every_case_of_the_rules_is_judged_the_same_when_redacted(sentence: str, level: Level) -> None:
    same(report_on(CASES[sentence]), level)
    plain = CASES[sentence]
    if not (plain.of(TurnConfig) or plain.of(AuditScope)):  # which know the documentation ranges by value
        same(real(report_on(plain)), level)


@given(secret=st.binary(min_size=16, max_size=32), number=st.integers(0, 10_000))
def test_no_key_makes_a_redacted_report_conclude_anything_else(secret: bytes, number: int) -> None:
    cases = [*ipv6.CASES.values(), *gateway.CASES.values()]
    same(real(report_on(cases[number % len(cases)].evidence)), "strict", Key(secret))


@EVERY_LEVEL
@pytest.mark.parametrize("form", FORMATS)
def test_no_format_tells_an_address_or_name_of_the_original(form: str, level: Level) -> None:
    told = redacted(exposed(), level, Key(b"x" * 16))
    for report in (told, rediagnose(told)[0]):
        text = render(form, report, RenderOptions(verbosity=2))
        assert not list(leaks(text, names=level == "strict"))
        assert not list(leaks(text.lower(), names=level == "strict"))


def test_the_canaries_would_be_seen() -> None:
    assert len(list(leaks(render("json", exposed()), names=True))) >= 8


@EVERY_LEVEL
def test_what_is_not_public_stays_with_all_ports(level: Level) -> None:
    report = real(REPORTS["healthy"]())
    told = redacted(report, level, KEY)
    before, after = (sorted(row.address for row in item.candidates) for item in (report, told))
    assert [item.port for item in before] != []
    assert {item for item in before if item.scope is not Scope.GLOBAL} <= set(after)
    assert sorted(item.port for item in before) == sorted(item.port for item in after)


def test_pseudonyms_are_of_the_documentation_ranges_and_keep_neighbors() -> None:
    from ipaddress import ip_address

    from rtcdiag.redact.addresses import Addresses, Known

    ips = [ip_address(text) for text in ("81.2.69.7", "81.2.69.8", "81.2.70.7", "2a01:4f8::1", "2a01:4f8::abcd:1:2:3")]
    made = [Addresses(Known(all=frozenset(ips), named=frozenset(ips)), KEY, again=False).of(ip) for ip in ips]
    four = [str(ip).rpartition(".")[0] for ip in made[:3]]
    assert four[0] == four[1] != four[2]
    assert set(four) <= {"192.0.2", "198.51.100", "203.0.113"}
    assert all(str(ip).startswith("2001:db8:") for ip in made[3:])
    assert int(made[3]) >> 64 == int(made[4]) >> 64
    assert len({*made, *ips}) == 10
    assert all(scope_of(ip) is Scope.GLOBAL for ip in made)


@given(st.sets(st.ip_addresses(), max_size=60), st.binary(min_size=16, max_size=16))
def test_every_address_has_a_pseudonym_of_its_own_scope_and_family(ips: set[IPAddress], secret: bytes) -> None:
    from rtcdiag.redact.addresses import Addresses, Known

    mapping = Addresses(Known(all=frozenset(ips), named=frozenset(ips)), Key(secret), again=False)
    made = [mapping.of(ip) for ip in ips]
    assert len(set(made)) == len(ips)
    assert [(ip.version, scope_of(ip)) for ip in made] == [(ip.version, scope_of(ip)) for ip in ips]


def test_more_networks_than_there_are_ranges_still_have_an_own_pseudonym_for_each_address() -> None:
    from rtcdiag.redact.addresses import Addresses, Known

    mapping = Addresses(Known(all=frozenset(), named=frozenset()), KEY, again=False)
    assert len({mapping.of(IPv4Address((20 << 24) + (number << 8) + 9)) for number in range(700)}) == 700


@EVERY_LEVEL
@pytest.mark.parametrize("name", REPORTS)
def test_to_redact_twice_is_to_redact_once(name: str, level: Level) -> None:
    once = redacted(REPORTS[name](), level, KEY) if name != "everything" else redacted(exposed(), level, KEY)
    assert encode(redacted(once, level, Key(b"another key!!!!!"))) == encode(once)
    assert encode(redacted(once, "none", KEY)) == encode(once)


def test_a_shared_report_can_be_redacted_strictly_and_not_back() -> None:
    shared = redacted(exposed(), "share", KEY)
    strict = redacted(shared, "strict", KEY)
    assert not list(leaks(encode(strict).decode(), names=True))
    assert strict.redaction.key_id == KEY.id
    assert redacted(strict, "share", KEY).redaction.level == "strict"
    assert redacted(shared, "strict", Key(b"some other key!!")).redaction.key_id is None


def test_a_report_that_only_says_that_it_is_redacted_is_redacted() -> None:
    lying = replace(exposed(), redaction=replace(exposed().redaction, level="share"))
    assert not list(leaks(encode(redacted(lying, "share", KEY)).decode(), names=False))


@EVERY_LEVEL
def test_evidence_of_a_later_version_is_left_out_and_the_verdict_stays(level: Level) -> None:
    piece = b'{"kind":"Telepathy","id":"obs-900","t_ms":4.5,"thought":"81.2.69.77 of acme-corp.de"}'
    report = exposed()
    report = replace(report, evidence=(*report.evidence, msgspec.Raw(piece)))
    told = redacted(report, level, KEY)
    assert told.redaction.withheld == 1
    assert bytes(told.evidence[-1]) == b'{"kind":"Withheld","id":"obs-900","t_ms":4.5,"what":"Telepathy"}'
    assert not list(leaks(encode(told).decode(), names=level == "strict"))
    assert conclusions(told) == conclusions(report)
    assert rediagnose(told) == (told, 1)
    assert "1 piece of evidence were left out" in render("text", told)
    assert encode(redacted(told, level, KEY)) == encode(told)


def test_a_page_is_redacted_with_the_report_inside() -> None:
    told = redacted(decode(extract_json(render("html", exposed()))), "strict", KEY)
    assert told.redaction.level == "strict"
    assert not list(leaks(render("html", told), names=True))


def test_a_key_never_prints_and_another_gives_other_pseudonyms() -> None:
    assert "key" not in repr(Key(b"0123456789abcdef-key")).lower().replace("key(…)", "")
    one, two = (redacted(exposed(), "share", Key(secret)) for secret in (b"1" * 16, b"2" * 16))
    assert encode(one) != encode(two)
    assert one.redaction.key_id is two.redaction.key_id is None


def asked() -> Asked:
    return Asked(id="c", started_at="2026-11-22T17:00:00.000Z")


@cache
def example(name: str) -> Report:
    return rediagnose(real(decode((EXAMPLES / f"{name}.json").read_bytes())))[0]


@cache
def told_example(name: str, level: Level) -> Report:
    return redacted(example(name), level, KEY)


def both(name: str, other: str) -> tuple[Report, Report]:
    return example(name), replace(example(other), id="other")


NETWORKS = ("healthy", "symmetric-nat", "udp-blocked")
PAIRS = [*combinations_with_replacement(NETWORKS, 2)]


@EVERY_LEVEL
@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_two_reports_with_one_key_compare_as_they_did(name: str, other: str, level: Level) -> None:
    one, two = both(name, other)
    plain = compare(one, two, asked())
    a, b = told_example(name, level), replace(told_example(other, level), id="other")
    found = compare(a, aligned(a, b), asked())
    assert (found.direct, found.relayed) == (plain.direct, plain.relayed)
    assert found.verdict.status == plain.verdict.status
    told = {
        family: (each.direct, each.relayed, each.path, each.same_address) for family, each in found.families.items()
    }
    assert told == {
        family: (each.direct, each.relayed, each.path, each.same_address) for family, each in plain.families.items()
    }


def test_two_reports_without_a_key_do_not_say_whether_they_share_an_address() -> None:
    one, two = both("symmetric-nat", "symmetric-nat")
    a, b = (redacted(report, "share", Key(secret)) for report, secret in ((one, b"1" * 16), (two, b"2" * 16)))
    assert compare(one, two, asked()).families["ipv4"].same_address is True
    assert compare(a, aligned(a, b), asked()).families["ipv4"].same_address is None


def mapped(report: Report) -> frozenset[object]:
    assert report.nat.ipv4 is not None
    return frozenset(address.ip for address in report.nat.ipv4.mapped)


def test_equal_addresses_of_two_reports_are_told_by_their_tags_and_not_by_their_pseudonyms() -> None:
    one, two = both("symmetric-nat", "symmetric-nat")
    text = encode(two).decode()
    elsewhere, _ = rediagnose(decode(text.replace("81.2.69.", "99.1.2.").encode()))
    a = redacted(one, "share", KEY)
    for report, equal in ((two, True), (elsewhere, False)):
        b = aligned(a, redacted(report, "share", KEY))
        assert (mapped(a) == mapped(b)) is equal
        assert bool(mapped(a) & mapped(b)) is equal
        assert conclusions(b) == conclusions(report)


def test_the_levels_are_ordered() -> None:
    assert LEVELS == ("none", "share", "strict")
    assert evidence_of(redacted(exposed(), "none", KEY))[1] == 0
    assert redacted(exposed(), "none", KEY).redaction.level == "none"


@EVERY_LEVEL
def test_no_foundation_is_left_from_which_an_address_could_be_found_out(level: Level) -> None:
    report = decode(EXAMPLES.joinpath("healthy.json").read_bytes())
    told = redacted(report, level, KEY)
    before, after = ([row.foundation for row in each.candidates] for each in (report, told))
    assert len(set(before)) > 1
    assert not set(before) & set(after)
    assert [before.index(item) for item in before] == [after.index(item) for item in after]
    assert all(row.sdp.startswith(f"candidate:{row.foundation} ") for row in told.candidates)


@EVERY_LEVEL
def test_of_a_nonce_nothing_is_left_but_the_mark_of_the_rfc(level: Level) -> None:
    from rtcdiag.redact.addresses import Addresses, Known
    from rtcdiag.redact.mapping import Mapping, Words
    from rtcdiag.redact.roles import Role

    addresses = Addresses(Known(all=frozenset(), named=frozenset()), KEY, again=False)
    mapping = Mapping(addresses, KEY, again=False, words=Words() if level == "strict" else None)
    assert mapping.text("NONCE 51024507… (40 bytes)", Role.ATTRIBUTES) == "NONCE (not shown)"
    assert mapping.text("NONCE obMatJos… (40 bytes)", Role.ATTRIBUTES) == "NONCE obMatJos… (40 bytes)"


@EVERY_LEVEL
@pytest.mark.parametrize("external", ["198.18.0.2", "198.19.200.7", "93.184.216.35", "100.64.0.9", "192.0.0.2"])
@pytest.mark.parametrize("pool", ["93.184.216.34", "203.0.113.7"])
def test_the_gateways_word_counts_as_it_did(pool: str, external: str, level: Level) -> None:
    seen = Probe(ModelNat(pool=(pool,)), two_operators()).run().seen
    report = diagnose(
        Evidence(observations=(*seen, upnp(external))),
        Run(id="x", command="nat-type", started_at="2026-11-22T16:00:00.000Z", duration_ms=1.0),
    )
    assert report.nat.ipv4 is not None
    same(report, level)


@pytest.mark.parametrize(
    ("local", "mapped"),
    [
        ("[fd00::216:3eff:fe12:3456]:4000", "[2a01:4f8::216:3eff:fe12:3456]:4000"),
        ("[fd01:203:405:1::1234]:4000", "[2001:db8:1:d550::1234]:4000"),
        ("[fd01:203:405:1::1234]:4000", "[2001:db8:1:1:d54f::1234]:4000"),
        ("[2a01:4f8:9::9:1234:5678]:4000", "[2a02:8108:9::9:1234:5678]:4000"),
        ("[fd00::2]:4000", "[2a01:4f8::2]:4000"),
        ("[fd00::2]:4000", "[2a01:4f8::77]:4000"),
    ],
)
def test_a_translated_prefix_is_told_as_it_was_whatever_the_key(local: str, mapped: str) -> None:
    server = "[2a01:4f8:20::20]:3478"
    seen = binding("stun:stun.example.org", server, answered(server, xor_mapped=at(mapped)), local=at(local))
    before = report_on(run(seen))
    assert before.nat.ipv6 is not None
    same(before, "strict", *SOME_KEYS)


@pytest.mark.parametrize("prefix", ["64:ff9b::/96", "64:ff9b:1:7::/64", "2a01:4f8:64::/96", "2a01:4f8::/32"])
def test_a_nat64_and_its_prefix_are_told_as_they_were_whatever_the_key(prefix: str) -> None:
    network, dns = IPv6Network(prefix), IPv4Address("192.0.0.170")

    def under(address: TransportAddress | None) -> TransportAddress | None:
        inside = address.ip if address is not None and isinstance(address.ip, IPv4Address) else None
        return TransportAddress(synthesized(network, inside), address.port) if address and inside else address

    looked_up = Resolution(
        t_ms=0.0, host="ipv4only.arpa", family=Family.IPV6, addresses=(str(synthesized(network, dns)),)
    )
    seen = [
        replace(
            item,
            local=at("[2a02:8108::7]:4000"),
            destination=under(item.destination),
            answer_from=under(item.answer_from),
            exchange=replace(
                item.exchange,
                answers=tuple(replace(answer, source=under(answer.source)) for answer in item.exchange.answers),
            ),
        )
        for item in Probe(ModelNat(), two_operators()).run().seen
    ]
    before = report_on(Evidence(observations=(looked_up, *seen)))
    assert before.nat.ipv4 is not None
    assert before.nat.ipv4.nat64
    same(before, "strict", *SOME_KEYS[:6])
