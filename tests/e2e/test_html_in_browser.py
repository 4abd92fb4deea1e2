"""The page in a real browser: a phone and a desktop, light and dark, without a network."""

import re
from pathlib import Path
from typing import Any

import pytest

from rtcdiag.formats import render
from rtcdiag.report import Report, decode
from support.chromium import framed, result_of, run
from support.hostile import HOSTILE, poisoned
from support.reports import REPORTS

pytestmark = pytest.mark.browser

METRICS = Path(__file__).with_name("page_metrics.js").read_text()
EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
PRINTED = ("healthy", "symmetric-nat", "udp-blocked")
SHEETS = 6
PAGE_OF_PDF = re.compile(rb"/Type\s*/Page\b")
WIDTHS = (400, 1280)
HOSTILE_NAMES = ("script", "attribute", "long word", "wide", "bidi")


def pages() -> dict[str, Report]:
    plain = {name: made() for name, made in REPORTS.items()}
    hostile = {f"hostile {name}": poisoned(plain["everything"], HOSTILE[name]) for name in HOSTILE_NAMES}
    return plain | {f"example {name}": example(name) for name in PRINTED} | hostile


def example(name: str) -> Report:
    return decode(EXAMPLES.joinpath(f"{name}.json").read_bytes())


def frames() -> str:
    """Return a page with every report in a frame of every width, and the script that measures them."""
    rendered = {name: render("html", report) for name, report in pages().items()}
    script = f"<script>window.alert = () => {{ window.alerted = 1; }};{METRICS}</script>"
    return framed(rendered, WIDTHS, script)


@pytest.fixture(scope="module", params=["dark", "light"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def measures(theme: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    directory = tmp_path_factory.mktemp("browser")
    result: list[dict[str, Any]] = result_of(frames(), theme, directory)
    assert len(result) == len(WIDTHS) * len(pages())
    return result


def failing(measures: list[dict[str, Any]], wrong: Any) -> list[tuple[str, str, Any]]:
    return [(item["name"], item["width"], wrong(item)) for item in measures if wrong(item)]


def test_the_page_never_scrolls_sideways(measures: list[dict[str, Any]]) -> None:
    assert failing(measures, lambda item: max(0, item["overflow"])) == []


def test_the_page_follows_the_theme_of_the_reader(measures: list[dict[str, Any]], theme: str) -> None:
    assert failing(measures, lambda item: (item["ground"] > 0.5) == (theme == "dark")) == []


def test_every_visible_text_has_a_contrast_of_four_and_a_half(measures: list[dict[str, Any]]) -> None:
    assert failing(measures, lambda item: item["contrast"] if item["contrast"][0] < 4.5 else None) == []


def test_the_page_requests_nothing_and_runs_nothing(measures: list[dict[str, Any]]) -> None:
    assert failing(measures, lambda item: item["requests"] or item["alerted"]) == []
    assert failing(measures, lambda item: item["scripts"] not in (["application/json"], ["application/gzip"])) == []


def test_the_page_has_one_heading_and_its_report_in_every_browser(measures: list[dict[str, Any]]) -> None:
    assert failing(measures, lambda item: item["headings"] != 1 or item["embedded"] < 500) == []


def test_no_words_leave_their_drawing_or_their_box(measures: list[dict[str, Any]]) -> None:
    assert failing(measures, lambda item: item["outside"]) == []
    assert failing(measures, lambda item: item["beyond"]) == []


def test_no_candidate_of_a_plain_report_hides_beyond_the_edge(measures: list[dict[str, Any]]) -> None:
    assert failing(measures, lambda item: item["sideways"] and not item["name"].startswith("hostile")) == []


@pytest.mark.parametrize("name", PRINTED)
def test_a_report_prints_on_six_sheets(name: str, tmp_path: Path) -> None:
    page, printed = tmp_path / "page.html", tmp_path / "page.pdf"
    page.write_text(render("html", example(name)), encoding="utf-8")
    run("--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri(), home=tmp_path)
    assert 1 <= len(PAGE_OF_PDF.findall(printed.read_bytes())) <= SHEETS
