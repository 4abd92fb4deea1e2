"""What a terminal shows."""

import re
from functools import cache

import msgspec
import pytest

from rtcdiag.formats import FORMATS, RenderOptions, render
from rtcdiag.formats.terminal import Paper, Section, fold
from rtcdiag.nat import Nat
from rtcdiag.report import Nats, evidence_of
from support.hostile import HOSTILE, TOGETHER, poisoned_report
from support.observations import at
from support.reports import REPORTS, crowded

LINES = 24
EVERY_REPORT = pytest.mark.parametrize("name", REPORTS)


@cache
def shown(name: str, **options: bool | int) -> str:
    return render("text", REPORTS[name](), msgspec.convert(options, RenderOptions))


@EVERY_REPORT
@pytest.mark.parametrize("verbosity", [0, 1, 2])
def test_the_verdict_stands_first_and_again_last(name: str, verbosity: int) -> None:
    lines = shown(name, verbosity=verbosity).splitlines()

    assert lines[0] == lines[-1]
    assert re.search(r"[A-Z]{5}.*confidence", lines[0])


@EVERY_REPORT
@pytest.mark.parametrize("unicode", [True, False])
def test_no_report_takes_more_than_a_screen_without_v(name: str, unicode: bool) -> None:
    assert len(shown(name, unicode=unicode).splitlines()) <= LINES


@pytest.mark.parametrize("text", TOGETHER.values(), ids=TOGETHER)
@pytest.mark.parametrize("name", ["everything", "candidates"])
def test_no_hostile_report_takes_more_than_a_screen(name: str, text: str) -> None:
    assert len(render("text", poisoned_report(name, text)).splitlines()) <= LINES


@pytest.mark.parametrize(("room", "whole"), [(2, False), (3, True)])
def test_only_room_that_is_left_shows_the_end_of_a_long_entry(room: int, whole: bool) -> None:
    paper = Paper(RenderOptions())
    entry = Section(label="Do this", rows=((paper.text("word " * 30 + "end"),),), noun="action")

    lines, left = fold(paper, [entry], room)

    assert (len(lines), lines[-1].plain.endswith("end"), left) == (room, whole, [])


def test_what_does_not_fit_is_counted_and_v_shows_it() -> None:
    brief = shown("crowded")

    left = int(re.search(r"More with -v:.* (\d+) servers", brief)[1])  # type: ignore[index]  # it has to match
    assert left + sum(f"turn:turn{number}." in section(brief, "Servers") for number in range(10)) == 10
    assert all(f"turn:turn{number}." in shown("crowded", verbosity=1) for number in range(10))


def section(text: str, label: str) -> str:
    """Return the lines of one labelled section."""
    return re.split(r"\n(?=\S)", text.split(f"\n{label}", 1)[1])[0]


def test_a_report_that_fits_says_nothing_of_more() -> None:
    assert "More with" not in shown("healthy")


def test_one_server_or_many_fold_to_the_same_height() -> None:
    assert {len(render("text", crowded(number)).splitlines()) for number in (10, 20, 40)} == {LINES}


@EVERY_REPORT
def test_without_color_there_is_no_escape_and_with_it_the_same_words(name: str) -> None:
    plain, colored = shown(name, verbosity=2), shown(name, verbosity=2, color=True)

    assert "\x1b" not in plain
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored).split() == plain.split()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("verbosity", [0, 1, 2])
def test_no_line_is_wider_than_the_terminal(width: int, verbosity: int) -> None:
    lines = shown("everything", width=width, verbosity=verbosity).splitlines()

    assert max(map(len, lines)) <= width


def test_a_tiny_width_is_taken_as_forty_columns() -> None:
    assert shown("healthy", width=1) == shown("healthy", width=40)


@pytest.mark.parametrize(
    ("name", "label"),
    [("symmetric", "NAT"), ("check-stun", "Servers"), ("wrong-password", "Servers"), ("candidates", "Candidates")],
)
def test_every_command_shows_what_was_asked_before_anything_else(name: str, label: str) -> None:
    labels = re.findall(r"\n([A-Z][A-Za-z]+(?: [a-z]+)?) {2,}", shown(name))

    assert labels[0] == label


def test_the_familiar_name_stands_in_brackets_beside_the_words_of_the_rfc() -> None:
    assert "IPv4  behind a NAT (symmetric NAT), " in shown("symmetric")
    assert "IPv4  behind a NAT (port-restricted cone), " in shown("healthy")
    assert "filtering  address-and-port-dependent" in shown("healthy")


@pytest.mark.parametrize(
    ("mapped", "words"), [("127.0.0.1:1", "this computer only"), ("10.0.0.7:1", "local network only")]
)
def test_no_server_outside_is_not_told_as_no_nat(mapped: str, words: str) -> None:
    near = Nat(behind_nat=False, mapping="endpoint-independent", mapped=(at(mapped),), local_only=True)
    report = msgspec.structs.replace(REPORTS["healthy"](), nat=Nats(ipv4=near))

    for name in FORMATS:
        text = render(name, report, RenderOptions(verbosity=1))
        assert name in ("json", "firewall") or words in text
        assert "no NAT" not in text.partition("Glossary</h2>")[0]


def test_a_server_that_works_is_shown_beside_many_that_fail() -> None:
    report = msgspec.structs.replace(crowded(12), servers=(*crowded(12).servers, REPORTS["healthy"]().servers[0]))

    first, second, *_ = [line for line in render("text", report).splitlines() if re.search(r"[✓✗] .* udp", line)]
    assert "✗ FAIL" in first
    assert "✓ ok" in second


def test_a_change_reads_as_a_sentence_whatever_it_is() -> None:
    words = "DEPENDS ON PEER with this change here: the firewall lets UDP out"

    assert words in " ".join(shown("udp-blocked").split())


def test_the_chain_of_a_turn_server_names_times_the_broken_stage_and_its_finding() -> None:
    chain = " ".join(section(shown("wrong-password"), "Servers").split())

    assert "challenge ok 12 ms → allocate FAIL 41 ms [turn-credentials-rejected] → 5 not tested" in chain


def test_a_whole_chain_is_shown_without_v() -> None:
    report = msgspec.structs.replace(REPORTS["wrong-password"](), servers=REPORTS["healthy"]().servers[3:])

    assert "release ok" in render("text", report)


def test_whom_one_could_reach_is_shown_only_where_it_was_asked() -> None:
    report = msgspec.structs.replace(REPORTS["wrong-password"](), reach=REPORTS["healthy"]().reach)

    assert "Direct with" not in render("text", report)


def test_words_stand_beside_every_symbol_and_ascii_has_symbols_of_its_own() -> None:
    assert "✗ FAIL allocate" in shown("wrong-password")
    assert "x FAIL allocate" in shown("wrong-password", unicode=False)


def test_a_command_that_did_not_ask_about_direct_paths_is_headed_by_its_own_answer() -> None:
    assert shown("wrong-password").startswith("TURN  BROKEN  (confidence high, not redacted)\n")
    assert shown("check-stun").startswith("STUN  DEGRADED  (confidence medium, not redacted)\n")


def test_v_shows_every_remedy_with_its_role() -> None:
    text = shown("wrong-password", verbosity=1)

    assert "[you] Compare username" in text
    assert "[server operator] Check user=" in text


def test_vv_shows_every_transaction() -> None:
    text = shown("everything", verbosity=2)

    evidence, _ = evidence_of(REPORTS["everything"]())
    assert set(re.findall(r"\n  (obs-\d+) ", text)) == {item.id for item in evidence.observations}
    assert "Transactions" not in shown("everything", verbosity=1)


def test_an_interrupted_run_says_so() -> None:
    assert "interrupted" in shown("crash")


@pytest.mark.parametrize("verbosity", [0, 1, 2])
def test_the_level_of_redaction_stands_in_the_first_line(verbosity: int) -> None:
    first = shown("everything", verbosity=verbosity).partition("\n")[0]
    assert first.endswith("confidence high, redacted: share)")
    assert shown("healthy", verbosity=verbosity).partition("\n")[0].endswith("not redacted)")


def test_evidence_from_a_newer_version_is_said_to_be_missing() -> None:
    report = msgspec.structs.replace(REPORTS["healthy"](), evidence=(msgspec.Raw(b'{"kind":"Telepathy"}'),))

    assert "1 piece of evidence" in render("text", report)
    assert "1 piece of evidence" in render("text", report, RenderOptions(verbosity=2))
    assert "1 piece of evidence" in render("html", report)
    assert "1 piece of evidence" in render("markdown", report)


def test_sections_that_a_command_does_not_produce_are_absent() -> None:
    assert not re.search("NAT|Candidates|Direct with|Findings", shown("check-stun"))


@pytest.mark.parametrize("width", range(40, 60))
def test_a_cut_line_fits_even_with_wide_characters(width: int) -> None:
    paper = Paper(RenderOptions(width=width))

    lines = paper.wrap(paper.text("全角 文字 " * 100), most=2)

    assert len(lines) == 2
    assert all(line.cell_len <= width for line in lines)
    assert lines[-1].plain.endswith("…")


def test_a_run_that_gathered_no_candidates_says_nothing_of_them() -> None:
    report = msgspec.structs.replace(REPORTS["candidates"](), candidates=())

    assert "type " not in render("text", report)


def test_peers_of_whom_nothing_is_known_are_not_counted_as_no() -> None:
    assert "? not known  address-restricted cone" in shown("everything", width=200)


@pytest.mark.parametrize("name", ["long word", "wide", "hyperlink"])
def test_ascii_means_the_tables_too_and_nothing_in_them_is_cut(name: str) -> None:
    text = render("text", poisoned_report("everything", HOSTILE[name]), RenderOptions(unicode=False, verbosity=1))

    assert text.isascii()


def test_the_code_of_a_finding_stays_where_its_title_is_cut_short() -> None:
    paper = Paper(RenderOptions())

    lines = paper.wrap(paper.text("word " * 40 + " [turn-credentials-rejected]"), most=2)

    assert len(lines) == 2
    assert lines[-1].plain.endswith("…  [turn-credentials-rejected]")
    assert lines[-1].cell_len <= 80


def test_where_all_servers_work_a_turn_server_is_among_the_few_that_are_shown() -> None:
    assert " turn:" in section(shown("healthy"), "Servers")
