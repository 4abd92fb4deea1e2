"""Every kind of page against the rules of axe-core: what keyboards, screen readers and weak eyes need."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from rtcdiag.compare import Asked, compare
from rtcdiag.diff import Asked as Since
from rtcdiag.diff import diff
from rtcdiag.formats import render
from rtcdiag.formats.comparison import html as comparison
from rtcdiag.formats.difference import html as difference
from rtcdiag.formats.options import RenderOptions
from support.chromium import framed, result_of
from support.hostile import HOSTILE, poisoned
from support.reports import REPORTS

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parent
AXE = FOLDER.parent / "support" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
EXAMPLES = FOLDER.parents[1] / "reports" / "examples"
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
    """Return the pages of two reports together."""
    one, other, at = REPORTS["healthy"](), REPORTS["symmetric"](), "2026-11-22T16:00:00.000Z"
    return {
        "comparison": comparison.render(compare(one, other, Asked(id="c", started_at=at)), RenderOptions()),
        "difference": difference.render(diff(one, other, Since(id="d", started_at=at)), RenderOptions()),
    }


@cache
def pages(of: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Return pages by their names, without the policy that would keep the rules out, too."""
    return {name: POLICY.sub("", page, count=1) for name, page in of().items()}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("of", [plain, hostile, examples, pairs])
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
