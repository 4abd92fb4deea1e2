"""Every kind of page against the rules of axe-core: what keyboards, screen readers and weak eyes need."""

import re
from functools import cache
from pathlib import Path

import pytest

from rtcdiag.compare import Asked, compare
from rtcdiag.formats import render
from rtcdiag.formats.comparison import html as comparison
from rtcdiag.formats.options import RenderOptions
from support.chromium import framed, result_of
from support.hostile import HOSTILE, poisoned
from support.reports import REPORTS

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parent
AXE = FOLDER.parent / "support" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
EXAMPLES = FOLDER.parents[1] / "reports" / "examples"
WIDTHS = (400, 1280)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@cache
def pages() -> dict[str, str]:
    """Return every page by its name, without the policy that would keep the rules out, too."""
    plain = {name: made() for name, made in REPORTS.items()}
    told = {name: render("html", report) for name, report in plain.items()}
    told |= {
        f"hostile {name}": render("html", poisoned(plain["everything"], HOSTILE[name]))
        for name in ("script", "long word", "wide", "bidi", "empty")
    }
    told |= {f"example {path.stem}": path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.html"))}
    pair = compare(plain["healthy"], plain["symmetric"], Asked(id="b", started_at="2026-11-22T16:00:00.000Z"))
    told["comparison"] = comparison.render(pair, RenderOptions())
    return {name: POLICY.sub("", page, count=1) for name, page in told.items()}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_breaks_a_rule_of_axe(theme: str, width: int, tmp_path: Path) -> None:
    source = AXE.read_text(encoding="utf-8").replace("</script", "<\\/script")
    script = (
        f'<script type="text/plain" id="axe">{source}</script><script>{(FOLDER / "page_axe.js").read_text()}</script>'
    )
    found = result_of(framed(pages(), (width,), script), theme, tmp_path, "--virtual-time-budget=600000")

    assert [item["name"] for item in found] == list(pages())
    assert min(item["passes"] for item in found) > 20
    assert {item["name"]: item["violations"] for item in found if item["violations"]} == {}
