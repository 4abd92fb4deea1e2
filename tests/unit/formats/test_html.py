"""What the page holds, and what it must not."""

import base64
import gzip
import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files

import msgspec
import pytest

from rtcdiag.formats import render
from rtcdiag.formats.embedded import extract_json, packed
from rtcdiag.formats.fitting import LIMIT_BYTES
from rtcdiag.formats.html import ACTIONS
from rtcdiag.report import ReportError, decode, encode
from support import findings as known
from support.reports import REPORTS, crowded

EVERY_REPORT = pytest.mark.parametrize("name", REPORTS)
VOID = frozenset({"meta"})
DRAWN = frozenset({"svg", "rect", "line", "circle", "polyline", "text", "title", "desc"})


class Outline(HTMLParser):
    """Elements with their attributes, ids and links; complains of a page that is not well nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in DRAWN
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@cache
def page(name: str) -> str:
    return render("html", REPORTS[name]())


@cache
def outline_of(name: str) -> Outline:
    return Outline(page(name))


@EVERY_REPORT
def test_the_page_is_well_nested_with_one_heading_and_its_landmarks(name: str) -> None:
    outline = outline_of(name)

    for landmark in ("h1", "main", "header", "nav", "footer"):
        wanted = 1 if landmark != "header" else 1 + len(outline.all("article"))
        assert len(outline.all(landmark)) == wanted, landmark
    assert outline.elements[0] == ("html", {"lang": "en"})


@EVERY_REPORT
def test_ids_are_unique_and_every_link_of_the_page_leads_somewhere(name: str) -> None:
    outline = outline_of(name)
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    targets = {str(attributes["href"]).removeprefix("#") for attributes in outline.all("a")}

    assert len(ids) == len(set(ids))
    assert {target for target in targets if not target.startswith(("obs-", "finding-"))} <= set(ids)


def test_two_findings_of_one_code_share_one_target_for_links() -> None:
    report = crowded()
    twice = msgspec.structs.replace(report, findings=(report.findings[0], *report.findings[:2]))

    html = render("html", twice)

    assert html.count('id="finding-turn-made-up-failure-0"') == 1
    assert html.count("<article") == 2
    assert "The same of 1 other" in html


@EVERY_REPORT
def test_every_table_has_a_caption_and_scoped_headers(name: str) -> None:
    outline = outline_of(name)

    assert len(outline.all("table")) == len(outline.all("caption"))
    assert {attributes.get("scope") for attributes in outline.all("th")} <= {"col", "row"}


@EVERY_REPORT
def test_every_drawing_has_a_name_for_those_who_cannot_see_it(name: str) -> None:
    html = page(name)
    drawings = [attributes for attributes in outline_of(name).all("svg") if "role" in attributes]

    assert all(item.get("aria-label") or item.get("aria-labelledby") for item in drawings)
    for item in drawings:
        for reference in str(item.get("aria-labelledby") or "").split():
            assert f'id="{reference}"' in html


@EVERY_REPORT
def test_the_page_asks_for_nothing_outside_itself(name: str) -> None:
    html = page(name)

    assert "default-src 'none'" in html
    assert not re.findall(r"url\(|@import|<link|<img|<iframe|<base|<form|http-equiv=.refresh", html)
    assert len(outline_of(name).all("script")) == 1


@EVERY_REPORT
def test_the_page_is_small(name: str) -> None:
    assert len(page(name).encode()) <= LIMIT_BYTES


def test_a_report_with_thousands_of_observations_folds_its_tables() -> None:
    healthy = REPORTS["healthy"]()
    html = render("html", msgspec.structs.replace(healthy, evidence=healthy.evidence * 100))

    assert "more stand in the JSON" in html
    assert len(html.encode()) <= LIMIT_BYTES
    assert decode(extract_json(html)).evidence == decode(encode(healthy, indent=0)).evidence * 100


def test_a_report_of_very_many_servers_is_folded_to_a_page_that_says_what_is_left_out() -> None:
    report = crowded(250)

    html = render("html", report)

    assert len(html.encode()) <= LIMIT_BYTES
    assert "more servers with all stages in the JSON" in html
    assert len(decode(extract_json(html)).servers) == len(decode(extract_json(html)).findings) == 250


def test_the_banner_names_at_most_three_actions_by_who_must_act() -> None:
    html = render("html", crowded())
    banner = html[html.index('<div class="todo">') : html.index("<nav")]

    assert banner.count("<li>") == ACTIONS
    assert banner.count("Server operator can fix this") == 1


def test_what_is_only_worth_doing_is_not_called_a_fix() -> None:
    page_of_facts = render("html", msgspec.structs.replace(REPORTS["everything"](), findings=(known.SYMMETRIC,)))

    assert "Network admin can do this" in page_of_facts
    assert "can fix this" not in page_of_facts


def test_every_remedy_stands_with_its_finding() -> None:
    html = page("wrong-password")
    article = html[html.index("<article") : html.index("</article>")]

    assert "<dt>You</dt><dd>Compare" in article
    assert "<dt>Server operator</dt><dd>Check" in article


def test_the_broken_way_is_marked_by_sign_word_and_code() -> None:
    drawing = page("wrong-password").split("<svg")[1]

    assert "✗ udp FAIL allocate" in drawing
    assert "turn-credentials-rejected" in drawing
    assert 'class="way bad"' in drawing


def test_a_computer_without_a_route_has_a_broken_way_out() -> None:
    assert page("inconclusive").split("<svg")[1].count('class="way bad"') == 2


@pytest.mark.parametrize(("name", "badge"), [("healthy", "redaction: none"), ("everything", "redaction: share")])
def test_the_level_of_redaction_stands_above_the_verdict(name: str, badge: str) -> None:
    html = page(name)

    assert html.index(badge) < html.index("<h1>")


@pytest.mark.parametrize(
    ("started_at", "offset_min", "shown"),
    [
        ("2026-11-22T16:00:00.000Z", 330, "21:30 local time"),
        ("2026-11-22T16:00:00.000Z", 600, "2026-11-23 02:00 local time"),
        ("2026-11-22T16:00:00.000Z", -60, "15:00 local time"),
        ("2026-11-22T16:00:00.000Z", 0, ""),
        ("2026-11-22T16:00:00.000Z", 10**18, ""),
        ("9999-12-31T23:59:00.000Z", 120, ""),
        ("yesterday", 120, ""),
        ("2026-11-22T16:00:00.000Z", None, ""),
    ],
)
def test_local_time_stands_beside_utc_where_it_differs(started_at: str, offset_min: int | None, shown: str) -> None:
    report = msgspec.structs.replace(REPORTS["healthy"](), started_at=started_at, utc_offset_min=offset_min)
    told = re.findall(r"<span>([^<]* local time)</span>", "".join(render("html", report)))
    assert told == ([shown] if shown else [])


def test_the_digest_of_the_page_is_that_of_the_json_which_it_embeds() -> None:
    html = page("healthy")

    assert hashlib.sha256(extract_json(html)).hexdigest() in html


def test_a_page_that_a_browser_saved_again_still_gives_its_report_back() -> None:
    html = page("healthy")
    saved = html.replace(
        '<script type="application/json" id="rtcdiag-report">', "<SCRIPT ID='rtcdiag-report' TYPE='application/json'>\n"
    ).replace("</script>", "\n</SCRIPT >")

    assert extract_json(saved) == extract_json(html)


@pytest.mark.parametrize("html", ["", "<p>hello</p>", '<script id="other">{}</script>'])
def test_a_page_without_a_report_is_refused(html: str) -> None:
    with pytest.raises(ReportError, match="no report is embedded"):
        extract_json(html)


def test_a_page_that_is_cut_off_is_refused() -> None:
    html = page("healthy")

    with pytest.raises(ReportError, match="cut off"):
        extract_json(html[: html.index('"verdict":')])


def embedding(text: str) -> str:
    return f'<script type="application/gzip" id="rtcdiag-report">{text}</script>'


def test_a_compressed_report_is_read_back_whole_however_its_lines_were_broken() -> None:
    data = encode(REPORTS["healthy"](), indent=0)
    text = packed(data).text

    for shown in (text, text.replace("\n", "\r\n  "), "".join(text.split())):
        assert json.loads(extract_json(embedding(shown))) == json.loads(data)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("garbage!", "neither JSON nor gzip"),
        (base64.b64encode(b"no gzip").decode(), "neither JSON nor gzip"),
        (base64.b64encode(gzip.compress(b"{}" * 100)[:-8]).decode(), "cut off"),
        (base64.b64encode(gzip.compress(bytes(65 << 20))).decode(), "too long"),
    ],
    ids=["no base64", "no gzip", "cut off", "too long"],
)
def test_a_compressed_report_that_is_none_or_too_long_is_refused(text: str, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        extract_json(embedding(text))


def colors(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", css))


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize("ink", ["text", "muted", "link", "ok", "warn", "bad", "info", "none"])
def test_text_has_enough_contrast_on_every_ground_of_every_theme(theme: str, ink: str) -> None:
    css = files("rtcdiag.formats").joinpath("templates/style.css").read_text()
    light, dark, paper = (colors(part) for part in re.split(r"@media \(prefers-color-scheme|@media print", css))
    palette = {"light": light, "dark": light | dark, "print": light | paper}[theme]
    grounds = ["page", "card", "soft"] if ink in ("text", "muted") else ["page", "card"]

    for ground in [*grounds, *([f"{ink}-soft"] if f"{ink}-soft" in palette else [])]:
        assert contrast(palette[ink], palette[ground]) >= 4.5, ground
