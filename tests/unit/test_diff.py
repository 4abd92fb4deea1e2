"""What changed between two reports: what is worse is told from what is not known, and noise from a change."""

import random
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rtcdiag.cli.entry import main
from rtcdiag.diagnosis import rediagnose
from rtcdiag.diff import Asked, Difference, decode, diff, encode
from rtcdiag.diff.latency import _p_same
from rtcdiag.formats.difference import FORMATS, render
from rtcdiag.formats.embedded import extract_json
from rtcdiag.formats.fitting import LIMIT_BYTES
from rtcdiag.formats.options import RenderOptions
from rtcdiag.redact import Key, Level, aligned, redacted
from rtcdiag.report import Options, Report
from rtcdiag.report import decode as decode_report
from rtcdiag.report import encode as encode_report
from rtcdiag.targets import parse_server
from support.hostile import TOGETHER, poisoned_report
from support.reports import REPORTS
from support.validity import validator

EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
NAMES = ("healthy", "symmetric-nat", "udp-blocked", "wrong-password", "expired-certificate")
ASKED = Asked(id="d", started_at="2026-11-22T17:00:00.000Z")


@cache
def example(name: str) -> Report:
    return rediagnose(decode_report(EXAMPLES.joinpath(f"{name}.json").read_bytes()))[0]


def between(before: Report, after: Report) -> Difference:
    return diff(before, after, ASKED)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_changed_between_a_report_and_itself(name: str) -> None:
    found = between(example(name), example(name))
    assert found.change == "same"
    assert (found.findings, found.network, found.candidates, found.servers) == ((), (), (), ())
    assert not any(item.beyond_noise for item in found.latency)


@pytest.mark.parametrize("name", ["wrong-password", "udp-blocked"])
def test_a_fault_is_worse_and_its_end_is_better(name: str) -> None:
    worse, better = between(example("healthy"), example(name)), between(example(name), example("healthy"))
    assert (worse.change, better.change) == ("worse", "better")
    new = {item.code for item in worse.findings if item.direction == "worse"}
    assert new == {item.code for item in better.findings if item.direction == "better"} != set()
    assert worse.verdict.because
    assert not better.verdict.because
    assert worse.verdict.summary.startswith("Worse: ")


def test_the_stage_that_broke_is_named_with_its_finding() -> None:
    every = between(example("healthy"), example("wrong-password")).servers
    found = [item for item in every if item.direction != "neither"]
    assert {(item.what, item.before, item.after, item.direction) for item in found} == {
        ("allocate", "ok", "failed", "worse")
    }
    assert {item.finding for item in found} == {"turn-credentials-rejected"}


def test_another_nat_is_told_axis_by_axis() -> None:
    found = [item for item in between(example("healthy"), example("symmetric-nat")).network if item.what == "mapping"]
    assert [(item.after, item.direction) for item in found] == [("address-and-port-dependent", "worse")]


def test_what_one_report_did_not_ask_is_neither_better_nor_worse() -> None:
    before, after = example("healthy"), example("wrong-password")
    turn = [uri for uri in before.options.targets if uri.startswith("turn")]
    fewer = replace(
        before,
        options=Options(targets=tuple(uri for uri in before.options.targets if uri not in turn)),
        servers=tuple(row for row in before.servers if row.uri not in turn),
    )
    new = [item for item in between(fewer, after).findings if item.code == "turn-credentials-rejected"]
    assert [(item.direction, item.why) for item in new] == [("neither", "A did not ask this server")]
    assert {item.after for item in between(fewer, after).servers if item.where in turn} == {"asked"}


@pytest.mark.parametrize("side", ["before", "after"])
def test_what_an_interrupted_report_does_not_say_is_neither_better_nor_worse(side: str) -> None:
    before, after = example("healthy"), example("wrong-password")
    cut = {"before": (replace(before, interrupted=True), after), "after": (before, replace(after, interrupted=True))}
    found = between(*cut[side])
    assert {item.direction for item in found.findings} == {"neither"}
    assert any("was interrupted" in note for note in found.notes)


def test_a_verdict_that_is_not_known_any_more_is_not_worse() -> None:
    before = example("healthy")
    verdict = replace(before.verdict, status="inconclusive", direct_p2p="inconclusive", by_family={})
    assert between(before, replace(before, verdict=verdict)).change == "changed"


def with_samples(report: Report, *samples: float) -> Report:
    rows = tuple(replace(row, quality={"rtt_ms": list(samples)}) for row in report.servers[:1])
    return replace(report, servers=rows)


@pytest.mark.parametrize(
    ("before", "after", "beyond"),
    [
        ((10, 11, 12, 13, 14), (30, 31, 32, 33, 34), True),
        ((10, 11, 12, 13, 34), (30, 31, 32, 33, 14), False),
        ((10, 11, 12, 13), (30, 31, 32, 33), None),
        ((10,), (300,), None),
        ((10.0, 10.1, 10.2, 10.3, 10.4), (10.5, 10.6, 10.7, 10.8, 10.9), False),
        ((100, 101, 102, 103, 104), (105, 106, 107, 108, 109), False),
        ((10, 11, 12, 13, 14), (10, 11, 12, 13, 14), False),
    ],
)
def test_a_round_trip_time_changed_where_its_own_samples_say_so(
    before: tuple[float, ...], after: tuple[float, ...], beyond: bool | None
) -> None:
    one = example("healthy")
    (found,) = between(with_samples(one, *before), with_samples(one, *after)).latency
    assert found.beyond_noise is beyond


def test_only_a_much_longer_round_trip_is_worse() -> None:
    one = example("healthy")
    base, later, much = (with_samples(one, *(at + step for step in range(5))) for at in (10, 25, 60))
    assert [between(base, other).latency[0].direction for other in (later, much)] == ["neither", "worse"]
    assert [between(base, other).change for other in (later, much)] == ["changed", "worse"]
    assert between(much, base).change == "better"


@given(st.integers(0, 10_000))
def test_samples_of_one_line_are_seldom_called_changed(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - samples, no secret
    trials = [_p_same(*(tuple(rng.expovariate(0.1) for _ in range(6)) for _ in "ab")) for _ in range(20)]
    assert sum(value is not None and value < 0.01 for value in trials) <= 4


def test_the_rank_sum_probabilities_are_those_of_the_tables() -> None:
    assert _p_same((1, 2, 3, 4, 5), (6, 7, 8, 9, 10)) == pytest.approx(2 / 252)
    assert _p_same((1, 2, 3, 4, 6), (5, 7, 8, 9, 10)) == pytest.approx(4 / 252)
    assert _p_same(tuple(range(20)), tuple(range(20))) == pytest.approx(1.0, abs=0.02)
    assert (_p_same(tuple(range(20)), tuple(range(100, 120))) or 1.0) < 1e-6


@pytest.mark.parametrize("level", ["share", "strict"])
def test_redacted_reports_of_one_key_differ_as_they_did(level: Any) -> None:
    key = Key(b"0123456789abcdef", shared=True)
    before, after = example("healthy"), example("wrong-password")
    a, b = (redacted(report, level, key) for report in (before, after))
    plain, found = between(before, after), between(a, aligned(a, b))
    assert found.change == plain.change
    for name in ("findings", "network", "candidates", "servers", "latency"):
        one, two = getattr(plain, name), getattr(found, name)
        assert [getattr(item, "direction", None) for item in one] == [getattr(item, "direction", None) for item in two]


def test_servers_whose_names_are_hidden_apart_are_not_compared() -> None:
    before, after = example("healthy"), example("wrong-password")
    a, b = (redacted(report, "strict", Key(secret)) for report, secret in ((before, b"1" * 16), (after, b"2" * 16)))
    found = between(a, b)
    assert (found.servers, found.latency) == ((), ())
    assert found.change == "worse"
    assert any("servers are not compared" in note for note in found.notes)


@pytest.mark.parametrize(("hidden", "other"), [("share", "share"), ("share", None), (None, "share")])
def test_servers_named_by_addresses_that_were_hidden_apart_are_not_compared(
    hidden: Level | None, other: Level | None
) -> None:
    plain = named_by_addresses(example("healthy"))
    assert any(row.server for row in plain.candidates if row.type == "relay")
    a = redacted(plain, hidden, Key(b"1" * 16)) if hidden else plain
    b = redacted(plain, other, Key(b"2" * 16)) if other else plain
    found = between(a, b)
    assert found.change == "same", found.verdict.summary
    assert (found.candidates, found.servers, found.findings) == ((), (), ())
    assert any("public address in place of a name" in note for note in found.notes)


def named_by_addresses(report: Report) -> Report:
    """Return a report whose servers had no names."""
    text = encode_report(report).decode()
    for host in {server.host for uri in report.options.targets if not (server := parse_server(uri)).ip_literal}:
        row = next(row for row in report.servers if row.address and parse_server(row.uri).host == host)
        assert row.address is not None
        text = text.replace(host, str(row.address.host))
    return rediagnose(decode_report(text.encode()))[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_difference_is_as_the_schema_says_and_reads_back(name: str) -> None:
    found = between(example("healthy"), example(name))
    validator().validate(msgspec.json.decode(encode(found)))
    assert decode(encode(found)) == found
    assert decode(extract_json(render("html", found))) == found


@pytest.mark.parametrize("text", TOGETHER)
def test_no_format_shows_what_is_hostile(text: str) -> None:
    found = between(REPORTS["healthy"](), poisoned_report("everything", TOGETHER[text]))
    for name in FORMATS:
        for verbosity in (0, 2):
            shown = render(name, found, RenderOptions(verbosity=verbosity))
            assert all(line.isprintable() for line in shown.split("\n"))
            assert name != "html" or "<script>alert" not in shown
            assert name != "markdown" or "<" not in "".join(shown.replace("\\`", "").split("`")[::2])
    assert render("text", found).count("\n") <= 24


@pytest.mark.parametrize(
    ("before", "after", "code"), [("healthy", "wrong-password", 1), ("wrong-password", "healthy", 0)]
)
def test_the_exit_code_says_whether_it_is_worse(
    before: str, after: str, code: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one, two = (str(EXAMPLES / f"{name}.{form}") for name, form in ((before, "json"), (after, "html")))
    saved = str(tmp_path / "diff.json")
    assert main(["diff", one, two, "--output", saved, "--redact", "strict"]) == code
    out = capfd.readouterr().out
    assert "redacted: strict" in out.partition("\n")[0]
    assert "example.org" not in out + Path(saved).read_text(encoding="utf-8")
    assert main(["show", saved]) == 0
    assert capfd.readouterr().out.partition("\n")[0] == out.partition("\n")[0]


def test_bad_input_is_one_line_and_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good, bad = str(EXAMPLES / "healthy.json"), tmp_path / "bad.json"
    bad.write_bytes(encode_report(example("healthy"))[:500])
    for pair in ((good, str(bad)), (str(bad), good), (good, str(tmp_path / "none")), ("-", "-")):
        assert main(["diff", *pair]) == 2
        out, err = capfd.readouterr()
        assert (out, err.count("\n")) == ("", 1)


def test_a_page_of_very_many_changes_is_folded_and_keeps_them_all_in_its_json() -> None:
    found = between(example("healthy"), example("wrong-password"))
    many = tuple(replace(item, why=f"{n} {item.why}") for n in range(2000) for item in found.findings)
    servers = tuple(replace(item, where=f"{n} {item.where}") for n in range(1000) for item in found.servers)
    big = replace(found, findings=many, servers=servers, latency=found.latency * 1000)
    html = render("html", big)
    assert len(html.encode()) <= LIMIT_BYTES
    assert "stand in the JSON" in html
    assert decode(extract_json(html)) == big


@pytest.mark.parametrize("form", ["text", "html", "markdown"])
def test_verdicts_are_in_words_and_not_those_of_the_json(form: str) -> None:
    shown = render(form, between(example("healthy"), example("udp-blocked")), RenderOptions(verbosity=1, width=200))
    shown = shown.partition("<script")[0]
    assert "relay needed" in shown
    assert "relay-needed" not in shown
    assert "depends-on-peer" not in shown


def test_round_trips_of_too_few_samples_are_not_called_unchanged() -> None:
    few = between(with_samples(example("healthy"), 20.0, 21.0), with_samples(example("healthy"), 60.0, 61.0))
    assert few.verdict.summary.startswith("Nothing changed for certain")
    assert "was 20 ms (too few samples to tell)" in " ".join(render("text", few, RenderOptions(width=200)).split())
    near = between(with_samples(example("healthy"), 20.0, 21.0), with_samples(example("healthy"), 20.2, 21.1))
    assert near.verdict.summary == "Nothing changed."


def test_a_relay_of_a_server_that_only_one_report_asked_is_neither_better_nor_worse() -> None:
    found = between(example("healthy"), example("expired-certificate"))

    relays = [item for item in found.candidates if item.what.startswith("relay")]
    assert relays
    assert {item.direction for item in relays} == {"neither"}
