"""What holds for every format on every report, plain and hostile."""

import re
import string
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

import rtcdiag.formats
from rtcdiag.formats import FORMATS, RenderOptions, format_of, render
from rtcdiag.formats.embedded import extract_json
from rtcdiag.report import Report, decode, encode
from support.hostile import HOSTILE, TOGETHER, poisoned, poisoned_report
from support.reports import REPORTS

EVERY_REPORT = pytest.mark.parametrize("name", REPORTS)
TAGS = frozenset(
    re.findall(
        r"\S+",
        """a article b body caption circle code dd desc details div dl dt figure footer h1 h2 h3 head header html li
        line main meta nav ol p polyline rect script section small span style summary svg table tbody td text th
        thead time title tr ul""",
    )
)


class Page(HTMLParser):
    """The elements and attributes of a page, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def harmless_text(report: Report) -> None:
    text = render("text", report, RenderOptions(verbosity=2))
    assert all(line.isprintable() and cell_len(line) <= 80 for line in text.split("\n"))
    assert render("text", report, RenderOptions(unicode=False)).isascii()


def harmless_markdown(report: Report) -> None:
    text = render("markdown", report, RenderOptions(verbosity=2))
    assert all(line.isprintable() for line in text.split("\n"))
    assert "<" not in outside_code(text)
    for block in text.split("\n\n"):
        widths = {line.replace("\\|", "").count("|") for line in block.split("\n") if line.startswith("|")}
        assert len(widths) <= 1


def outside_code(text: str) -> str:
    """Return Markdown without its code spans; a span never holds a backtick."""
    return "".join(text.replace("\\`", "").split("`")[::2])


def harmless_html(report: Report) -> None:
    html = render("html", report)
    page = Page(html)
    assert all(line.isprintable() for line in html.split("\n"))
    assert set(page.tags) <= TAGS
    assert page.tags.count("script") == 1
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset", "style")]
    assert all(value and value.startswith("#") for name, value in page.attributes if name == "href")
    assert plain(extract_json(html)) == plain(encode(report))


def plain(data: bytes) -> Any:
    return msgspec.json.decode(data)


def harmless_json(report: Report) -> None:
    text = render("json", report)
    assert all(line.isprintable() for line in text.split("\n"))
    assert plain(text.encode()) == plain(encode(report))


def harmless_list(report: Report) -> None:
    text = render("firewall", report)
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.startswith("Firewall rules for what failed")
    assert render("firewall", report, RenderOptions(unicode=False)).isascii()


CHECKS = {
    "text": harmless_text,
    "json": harmless_json,
    "html": harmless_html,
    "markdown": harmless_markdown,
    "firewall": harmless_list,
}


def test_every_format_is_checked_for_hostile_strings() -> None:
    assert set(CHECKS) == set(FORMATS)


def test_every_module_with_a_render_function_is_registered() -> None:
    folder = Path(rtcdiag.formats.__file__).parent
    found = {
        path.stem for path in folder.glob("*.py") if "\ndef render(" in path.read_text() and path.stem != "__init__"
    }

    assert found == set(FORMATS)


@EVERY_REPORT
@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_renders_every_report_harmlessly(format_name: str, name: str) -> None:
    CHECKS[format_name](REPORTS[name]())


@pytest.mark.parametrize("text", TOGETHER.values(), ids=TOGETHER)
@pytest.mark.parametrize("format_name", FORMATS)
def test_hostile_strings_in_every_place_of_a_report_come_out_harmless(format_name: str, text: str) -> None:
    CHECKS[format_name](poisoned_report("everything", text))


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("format_name", FORMATS)
def test_each_hostile_string_alone_comes_out_harmless(format_name: str, text: str) -> None:
    CHECKS[format_name](poisoned_report("everything", text))


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.text(string.punctuation + "\n\x1b\u202e a1"))
def test_any_string_in_every_place_of_a_report_comes_out_harmless(text: str) -> None:
    report = poisoned(REPORTS["everything"](), text)
    for check in CHECKS.values():
        check(report)


@EVERY_REPORT
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_saved_report_renders_like_the_live_one(format_name: str, name: str) -> None:
    live = REPORTS[name]()
    saved = decode(encode(live))

    assert render(format_name, saved) == render(format_name, live)


@EVERY_REPORT
def test_a_report_from_html_renders_to_the_same_html(name: str) -> None:
    html = render("html", REPORTS[name]())

    assert render("html", decode(extract_json(html))) == html


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_ends_in_one_newline(format_name: str) -> None:
    text = render(format_name, REPORTS["healthy"]())

    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.json", "json"), ("a.HTML", "html"), ("b/c.md", "markdown"), (Path("x.y.txt"), "text")],
)
def test_a_suffix_names_its_format(path: str | Path, name: str) -> None:
    assert format_of(path) == name


@pytest.mark.parametrize("path", ["report", "report.pdf", "json", ".json"])
def test_a_path_without_a_known_suffix_is_refused_with_those_that_are(path: str) -> None:
    with pytest.raises(ValueError, match=r"\.txt, \.json, \.html, \.md"):
        format_of(path)


def test_an_unknown_format_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="text, json, html, markdown"):
        render("pdf", REPORTS["empty"]())


def test_no_format_pays_for_the_libraries_of_another() -> None:
    program = "import sys, rtcdiag.formats.json; sys.exit(bool({'rich', 'jinja2'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
