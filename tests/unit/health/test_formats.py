"""Every format of a health check: right for its reader, and harmless whatever a server says."""

import json
import re
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as ET

import pytest
from junitparser import Failure, JUnitXml, Skipped

from rtcdiag.cli.health_options import HealthFormat
from rtcdiag.demands import Threshold
from rtcdiag.formats.health import HEALTH_FORMATS, render
from rtcdiag.formats.health.github import MOST, masks
from rtcdiag.formats.health.prometheus import FAMILIES
from rtcdiag.formats.options import RenderOptions
from rtcdiag.health import HealthResult, Round, unchecked
from support.evidence import answered, binding, failed, refused, run
from support.health import STARTED, TURN, health_target, healthy, result, round_of

EVIL = "evil|\x1b[31m\n::error::x\"'<b>&]]>%0A\u202e`"
OK = healthy()
FAULTY = run(TURN.target(), binding(TURN.uri, TURN.address, failed()))
BAD = result(FAULTY, health_target(name="fra"))
REFUSED = result(run(*TURN.up_to("allocate"), TURN.allocation(refused(TURN.address, 401, realm=EVIL, reason=EVIL))))
WARNED = result(run(*TURN.up_to("end")), thresholds={"binding_ms": Threshold(warning=10)})
LATER = unchecked(health_target(), depth="relay", started_at=STARTED, why="it was interrupted")
SOFT = result(run(*TURN.up_to("challenge"), TURN.challenge(answered(TURN.address, software=EVIL))))
ROUND = round_of(OK, BAD, REFUSED, WARNED, LATER, SOFT)


def text(name: str, found: Round = ROUND, **options: object) -> str:
    return "".join(render(name, found, RenderOptions(**options)))  # type: ignore[arg-type]  # of a mixed dict


def test_the_command_line_knows_every_format() -> None:
    assert get_args(HealthFormat) == tuple(HEALTH_FORMATS)


@pytest.mark.parametrize("name", HEALTH_FORMATS)
def test_no_format_passes_on_what_acts_in_a_terminal(name: str) -> None:
    for verbosity in (0, 1):
        shown = text(name, verbosity=verbosity)
        assert not any(char in shown for char in "\x1b\u202e\x00")


@pytest.mark.parametrize("name", HEALTH_FORMATS)
def test_every_format_is_written_of_a_run_without_targets(name: str) -> None:
    assert text(name, round_of())


def test_the_text_fits_a_screen_and_says_the_verdict_first_and_last() -> None:
    many = round_of(*[OK] * 300, *[BAD] * 300)
    lines = text("text", many).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0] == lines[-1] == "Servers  BROKEN  300 FAIL, 300 ok"
    assert any("more with -v" in line for line in lines)
    assert "FAIL" in next(line for line in lines[2:] if TURN.uri in line)


def test_the_text_shows_all_stages_with_v() -> None:
    shown = text("text", verbosity=1)
    assert "allocate ok" in shown.replace("\n", " ")
    assert "[server-no-answer]" in shown


def test_json_is_one_document_with_every_target_and_its_evidence() -> None:
    document = json.loads(text("json"))
    assert document["kind"] == "health"
    assert [item["status"] for item in document["targets"]] == [
        item.status for item in (OK, BAD, REFUSED, WARNED, LATER, SOFT)
    ]
    assert document["targets"][0]["evidence"][0]["kind"] == "Target"
    assert list(document)[:3] == ["kind", "schema_version", "id"]


def test_json_lines_are_a_target_each_and_the_summary_at_the_end() -> None:
    lines = [json.loads(line) for line in text("jsonl").splitlines()]
    assert [line["kind"] for line in lines] == ["health-target"] * 6 + ["health"]


def test_junit_reads_it_back(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(text("junit"), encoding="utf-8")
    suites = list(JUnitXml.fromfile(str(path)))
    assert len(suites) == 6
    for suite, found in zip(suites, (OK, BAD, REFUSED, WARNED, LATER, SOFT), strict=True):
        failures = [item for case in suite for item in case.result if isinstance(item, Failure)]
        assert bool(failures) == (found.status == "failed")
        assert suite.failures == len(failures)
        assert suite.tests == len(list(suite))
        assert suite.skipped == len([item for case in suite for item in case.result if isinstance(item, Skipped)])
    assert {item.type for case in suites[1] for item in case.result if isinstance(item, Failure)} == {
        "server-no-answer"
    }
    assert next(case for case in suites[0] if case.name.endswith("allocate")).time >= 0


def test_junit_fails_a_target_that_only_broke_a_limit() -> None:
    found = result(run(*TURN.up_to("end")), thresholds={"binding_ms": Threshold(critical=10)})
    tree = ET.fromstring(text("junit", round_of(found)))  # noqa: S314 - of our own
    assert [item.get("type") for item in tree.iter("failure")] == ["health-threshold"]


def test_github_points_at_the_line_and_nothing_escapes_its_command() -> None:
    lines = text("github", source="a,b:c.json").splitlines()
    assert all(re.match(r"::(error|warning|notice) ", line) for line in lines)
    assert lines[0].startswith("::error file=a%2Cb%3Ac.json,line=7,title=rtcdiag%3A server-no-answer::fra (turn:")
    assert len(lines) == 4


def test_github_gets_no_more_annotations_than_it_shows() -> None:
    lines = text("github", round_of(*[BAD] * 50)).splitlines()
    assert sum(line.startswith("::error") for line in lines) == MOST
    assert "41 more servers" in lines[MOST - 1]


def test_a_mask_is_one_line_whatever_the_secret_is() -> None:
    assert list(masks(["a%b\nc"])) == ["::add-mask::a%25b%0Ac\n"]


def test_gitlab_gets_an_issue_for_each_that_ails() -> None:
    issues = json.loads(text("gitlab", source="servers.json"))
    assert [issue["severity"] for issue in issues] == ["critical", "critical", "minor", "info", "info"]
    assert all(re.fullmatch("[0-9a-f]{64}", issue["fingerprint"]) for issue in issues)
    assert issues[0]["location"] == {"path": "servers.json", "lines": {"begin": 7}}
    assert issues[0]["check_name"] == "server-no-answer"
    again = json.loads(text("gitlab", source="servers.json"))
    assert [issue["fingerprint"] for issue in again] == [issue["fingerprint"] for issue in issues]


PERF = re.compile(r"'[a-z_]+'=[\d.]+(ms|s|%)?(;[\d.:]*){0,4}")


def test_nagios_has_one_bar_and_performance_data_of_the_right_form() -> None:
    first, *more = text("nagios").splitlines()
    assert "|" not in text("nagios", round_of(result(FAULTY, health_target(name="a|b")))).splitlines()[1]
    said, bar, performance = first.partition(" | ")
    assert bar
    assert said.startswith("TURN CRITICAL - 2/6 failed: ")
    assert "|" not in said + "".join(more)
    assert all(PERF.fullmatch(word) for word in performance.split(" "))
    assert "'working'=2;;;0;6" in performance
    assert re.search(r"'allocate_ms'=[\d.]+ms;300;;0", performance) or "allocate_ms" not in performance
    assert more[0].startswith("FAIL ")


@pytest.mark.parametrize(
    ("found", "word"),
    [(round_of(OK), "OK"), (round_of(WARNED), "WARNING"), (round_of(BAD), "CRITICAL"), (round_of(LATER), "UNKNOWN")],
)
def test_nagios_says_the_state(found: Round, word: str) -> None:
    assert text("nagios", found).startswith(f"TURN {word} - ")


SAMPLE = re.compile(r'([a-z_]+)(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? (NaN|-?[\d.e+-]+)')


def test_prometheus_keeps_each_metric_together_and_every_line_is_one() -> None:
    names = []
    for line in text("prometheus").splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        names.append(match[1])
    order = list(dict.fromkeys(names))
    assert names == sorted(names, key=order.index)
    assert {family.name for family in FAMILIES} >= set(order) - {
        "rtcdiag_health_targets",
        "rtcdiag_health_requirement_met",
        "rtcdiag_health_duration_seconds",
        "rtcdiag_health_last_run_timestamp_seconds",
    }


def test_prometheus_says_nothing_of_the_success_of_what_was_not_tested() -> None:
    shown = text("prometheus", round_of(OK, result_named(LATER)))
    assert shown.count("rtcdiag_probe_success{") == 1
    assert "rtcdiag_probe_success{" + f'target="{TURN.uri}"' in shown


def result_named(found: HealthResult) -> HealthResult:
    return found


def test_markdown_has_those_that_ail_first() -> None:
    rows = [line for line in text("markdown").splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[2] for row in rows[:3]] == ["FAIL", "FAIL", "warning"]
