"""Saved reports: read from JSON and from HTML, and refused with one line where they are none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rtcdiag.cli.entry import BadInputError, main
from rtcdiag.cli.saved import read_report, read_saved
from rtcdiag.compare import Comparison, compare
from rtcdiag.formats import render
from rtcdiag.formats.comparison import render as render_comparison
from rtcdiag.report import Report, encode
from support.halves import FAR_SYMMETRIC, SYMMETRIC, direct, relayed
from support.homes import ASKED
from support.reports import REPORTS


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("form", ["json", "html"])
def test_a_report_comes_back_from_its_file_as_it_was(make: Callable[[], Report], form: str, tmp_path: Path) -> None:
    path = tmp_path / "saved"
    path.write_text(render(form, make()), encoding="utf-8")
    assert encode(read_report(str(path))) == encode(make())


WHOLE = encode(REPORTS["healthy"]())
PAGE = render("html", REPORTS["healthy"]()).encode()
BAD: list[tuple[bytes, str]] = [
    (b"", "not JSON, or cut off"),
    (WHOLE[: len(WHOLE) // 2], "not JSON, or cut off"),
    (b"hello", "not JSON, or cut off"),
    (b"{}", "not a report: Object missing required field"),
    (b"[]", "not a report: Expected `object`"),
    (b'{"facts":' + b"[" * 100_000, "not JSON, or cut off"),
    (b"\xff\xfe{}", "not JSON, or cut off"),
    (WHOLE.replace(b'"kind": "report"', b'"kind": "health"', 1), "not a health check: Object missing required field"),
    (b'{"kind": "compare", "schema_version": "1.0"}', "not a comparison: Object missing required field"),
    (WHOLE.replace(b'"1.0"', b'"2.0"', 1), "schema version '2.0' is not 1.x"),
    (b"<html><p>hello", "no report is embedded in this HTML, or it is cut off before the report"),
    (PAGE[: PAGE.index(b'"verdict":')], "this HTML is cut off inside the report that it embeds"),
    (b"<\xff", "no report is embedded in this HTML, which is not UTF-8"),
]


@pytest.mark.parametrize(("data", "why"), BAD, ids=range(len(BAD)))
def test_what_is_no_report_is_refused_with_its_name_and_the_reason(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "saved"
    path.write_bytes(data)
    with pytest.raises(BadInputError) as caught:
        read_report(str(path))
    assert str(caught.value).startswith(f"report {path}: {why}")


@pytest.mark.parametrize("other", ["json", "html"])
def test_one_report_is_not_compared_with_itself(other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "one.json", tmp_path / f"two.{other}"
    for path in (one, two):
        path.write_text(render(path.suffix[1:], REPORTS["healthy"]()), encoding="utf-8")
    assert main(["compare", str(one), str(two)]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == f"rtcdiag: {one} and {two}: one and the same report (compare takes those of two people)\n"


COMPARISONS = {
    "two networks": lambda: compare(SYMMETRIC.report(), FAR_SYMMETRIC.report(), ASKED),
    "a session": direct,
    "a session through a relay": relayed,
}


@pytest.mark.parametrize("name", ["json", "html"])
@pytest.mark.parametrize("make", COMPARISONS.values(), ids=COMPARISONS)
def test_a_comparison_is_read_back_from_json_and_from_html(
    make: Callable[[], Comparison], name: str, tmp_path: Path
) -> None:
    path = tmp_path / "saved"
    path.write_text(render_comparison(name, make()), encoding="utf-8")

    assert read_saved(str(path)) == make()


def test_a_comparison_is_no_report_of_one_person(tmp_path: Path) -> None:
    path = tmp_path / "saved"
    path.write_text(render_comparison("html", direct()), encoding="utf-8")

    with pytest.raises(BadInputError, match="a comparison of two reports, not one person's report"):
        read_report(str(path))
