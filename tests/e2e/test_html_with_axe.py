"""Every kind of page against the rules of axe-core: what keyboards, screen readers and weak eyes need."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from rtcdiag.browser.shown import shown
from rtcdiag.compare import Asked, compare
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.diff import Asked as Since
from rtcdiag.diff import diff
from rtcdiag.evidence import Evidence
from rtcdiag.formats import render
from rtcdiag.formats.comparison import html as comparison
from rtcdiag.formats.difference import html as difference
from rtcdiag.formats.options import RenderOptions
from rtcdiag.report import Report
from support.cases.browser import CASES
from support.chromium import framed, result_of
from support.halves import direct, no_path, relayed
from support.hostile import HOSTILE, poisoned, poisoned_report
from support.reports import REPORTS

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parent
AXE = FOLDER.parent / "support" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
EXAMPLES = FOLDER.parents[1] / "reports" / "examples"
PAGE = FOLDER.parents[1] / "rtcdiag" / "browser" / "page"
ENDINGS = (
    "a browser gathers what this program does, under a name",
    "DTLS with a browser fails",
    "a browser may use nothing",
)
WIDTHS = (400, 1280)
HOSTILE_NAMES = ("script", "long word", "wide", "bidi", "empty")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def plain() -> dict[str, str]:
    return {name: render("html", made()) for name, made in REPORTS.items()}


def hostile() -> dict[str, str]:
    worst = REPORTS["everything"]()
    return {name: render("html", poisoned(worst, HOSTILE[name])) for name in HOSTILE_NAMES}


def examples() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.html"))}


def pairs() -> dict[str, str]:
    """Return the pages of two reports together, and of sessions."""
    one, other, at = REPORTS["healthy"](), REPORTS["symmetric"](), "2026-11-22T16:00:00.000Z"
    worst = poisoned_report("everything", HOSTILE["wide"])
    asked, since = Asked(id="c", started_at=at), Since(id="d", started_at=at)
    compared = {
        "comparison": compare(one, other, asked),
        "connected": direct(),
        "relayed": relayed(),
        "no path": no_path(),
    }
    changed = {"difference": diff(one, other, since), "hostile difference": diff(one, worst, since)}
    return {
        **{name: comparison.render(found, RenderOptions()) for name, found in compared.items()},
        **{name: difference.render(found, RenderOptions()) for name, found in changed.items()},
    }


def live() -> dict[str, str]:
    """Return the page that ``connect --browser`` serves: as it begins, and with each kind of result in it."""
    page, style, script = (PAGE.joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    page = page.replace('<link rel="stylesheet" href="page.css">', f"<style>{style}</style>")
    begins = "main().catch((error) => fail(error.message));"
    assert begins in script
    shows = {"begun": ""} | {name: f"show({json.dumps(shown(_report(CASES[name].evidence)))});" for name in ENDINGS}
    listed = 'list("here", {"type": "host", "protocol": "udp", "host": "192.168.1.4", "port": 50000});'
    return {
        name: page.replace(
            _LOADED, f"<script>onload = () => {{ {listed} {work} }}; {script.replace(begins, '')}</script>"
        )
        for name, work in shows.items()
    }


_LOADED = '<script src="page.js" defer></script>'


def _report(evidence: Evidence) -> Report:
    return diagnose(evidence, Run(id="x", command="connect", started_at="2026-11-22T16:00:00.000Z", duration_ms=1.0))


@cache
def pages(of: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Return pages by their names, without the policy that would keep the rules out, too."""
    return {name: POLICY.sub("", page, count=1) for name, page in of().items()}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("of", [plain, hostile, examples, pairs, live])
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_breaks_a_rule_of_axe(of: Callable[[], dict[str, str]], theme: str, width: int, tmp_path: Path) -> None:
    source = AXE.read_text(encoding="utf-8").replace("</script", "<\\/script")
    judge = (FOLDER / "page_axe.js").read_text(encoding="utf-8")
    script = f'<script type="text/plain" id="axe">{source}</script><script>{judge}</script>'
    found = result_of(
        framed(pages(of), (width,), script), theme, tmp_path, "--virtual-time-budget=600000", timeout_s=280
    )

    assert [item["name"] for item in found] == list(pages(of))
    assert min(item["passes"] for item in found) >= (1 if theme == "dark" else 20)
    assert {item["name"]: item["violations"] for item in found if item["violations"]} == {}
