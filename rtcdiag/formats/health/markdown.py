"""Markdown: GitHub's step summary, a comment, a ticket."""

from collections.abc import Iterator

from rtcdiag.formats.health.words import ORDER, WORD, label, level, told
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import code_span, markdown
from rtcdiag.health.result import Round

_MOST_ROWS = 500
_MARK = {"ok": "✅", "warning": "⚠️", "failed": "❌", "not-tested": "❔", "skipped": "⏭️"}


def render(found: Round, options: RenderOptions) -> Iterator[str]:  # noqa: ARG001 - every format has this signature
    """Yield a table, those that ail first."""
    summary = found.summary
    yield f"## ICE servers: {summary.verdict.status}\n\n{markdown(summary.verdict.summary)}\n\n"
    if redacted := level(summary):
        yield f"*{redacted}*\n\n"
    yield "| | server | status | |\n|---|---|---|---|\n"
    left = _MOST_ROWS
    for status in ORDER:
        for result in found.results if summary.counts.get(status) and left > 0 else ():
            if result.status != status or left == 0:
                continue
            left -= 1
            said = markdown(told(result))
            yield f"| {_MARK[status]} | {code_span(label(result))} | {WORD[status]} | {said} |\n"
    more = sum(summary.counts.values()) - (_MOST_ROWS - left)
    if more:
        yield f"\n{more} more are not shown.\n"
    yield f"\nrtcdiag {summary.tool.version}, {summary.started_at}, {summary.duration_ms / 1000:.1f} s\n"
