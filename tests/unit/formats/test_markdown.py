"""What a ticket shows."""

import re
from html.parser import HTMLParser

import pytest
from cmarkgfm import github_flavored_markdown_to_html  # type: ignore[import-untyped]  # it has no types
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # it has no types

from rtcdiag.formats import RenderOptions, render
from support.hostile import HOSTILE, poisoned_report
from support.reports import REPORTS


def ticket(name: str, verbosity: int = 0) -> str:
    return render("markdown", REPORTS[name](), RenderOptions(verbosity=verbosity))


def test_the_verdict_is_the_heading_and_what_to_do_comes_next() -> None:
    text = ticket("wrong-password")

    assert text.startswith("## TURN: BROKEN\n")
    assert text.index("### Do this") < text.index("### Findings") < text.index("### Servers")


def test_values_of_the_wire_are_code() -> None:
    assert "| `turn:turn.example.com:3478` | `198.51.100.20:3478` | udp | **FAIL allocate** |" in ticket(
        "wrong-password"
    )


def test_the_familiar_name_stands_in_brackets() -> None:
    assert "behind a NAT (symmetric NAT), " in ticket("symmetric")


def test_transactions_are_left_out_of_a_ticket_unless_asked_for() -> None:
    assert "### Transactions" not in ticket("healthy")
    assert "### Transactions" in ticket("healthy", verbosity=2)


def test_an_interrupted_run_says_so() -> None:
    assert "interrupted" in ticket("crash")


def test_what_is_not_there_has_no_heading() -> None:
    assert "###" not in ticket("empty").replace("### This computer", "")


ALLOWED = {"h2", "h3", "p", "em", "strong", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}


class Rendered(HTMLParser):
    """What GitHub makes of a ticket, with raw HTML let through so that any would be seen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.text, self.in_cell = "", False
        self.feed(github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.in_cell:
            self.rows[-1][-1] += data


@pytest.mark.parametrize("name", REPORTS)
def test_github_shows_every_table_of_a_ticket_with_all_of_its_cells(name: str) -> None:
    report = REPORTS[name]()
    page = Rendered(render("markdown", report))
    assert page.tags <= ALLOWED
    for row in report.servers:
        assert any(row.uri in cells[0] for cells in page.rows if cells)
    for item in report.not_tested:
        assert [item.what, item.why] in [[cell.strip() for cell in cells] for cells in page.rows]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_github_makes_nothing_of_what_a_server_sends(text: str) -> None:
    page = Rendered(render("markdown", poisoned_report("everything", text), RenderOptions(verbosity=2)))
    assert page.tags <= ALLOWED
    plain = " ".join(text.split())
    if text.isprintable() and 0 < len(text) < 100 and not set(text) & set("`@!{") and text == plain:
        assert plain in " ".join(page.text.split())


@pytest.mark.parametrize(
    "text", ["{code}", "{color:red}x{color}", "!http://evil.example/x.png!", "a {panel:title=x}", "x!y.png|width=1!"]
)
def test_jiras_own_markup_stays_text_in_prose_and_in_values(text: str) -> None:
    written = render("markdown", poisoned_report("everything", text), RenderOptions(verbosity=2))
    assert not re.search(r"(?<!\\)\{[a-z]", written)
    assert not re.search(r"(?<!\\)![A-Za-z/.]", written)


@pytest.mark.parametrize("name", REPORTS)
def test_a_ticket_reads_well_where_tables_are_not_known(name: str) -> None:
    text = render("markdown", REPORTS[name]())
    assert all(line.isprintable() for line in text.split("\n"))
    assert "<br" not in text
    assert not re.search(r"^\|\s*\|$|^\|(\s*\|)+$", text, re.MULTILINE)
    assert not re.search(r"\n{3,}", text)
    for block in text.split("\n\n"):
        assert not re.search(r"^(?!\|).*\n\|", block, re.MULTILINE)
