"""GitHub Actions: workflow commands that become annotations, at the line of the configuration that they are about."""

from collections.abc import Iterable, Iterator

from rtcdiag.formats.health.words import label, level, told
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import clean
from rtcdiag.health.result import HealthResult, Round

MOST = 10
"""GitHub shows so many annotations of a level for one step."""
_LEVELS = {"failed": "error", "warning": "warning"}


def render(found: Round, options: RenderOptions) -> Iterator[str]:
    """Yield the commands, and a line for the log."""
    counts = dict.fromkeys(_LEVELS.values(), 0)
    for result in found.results:
        kind = _LEVELS.get(result.counts_as)
        if kind is None:
            continue
        counts[kind] += 1
        if counts[kind] <= MOST - 1:
            yield command(kind, f"{label(result)}: {told(result)}", _properties(result, options))
    for kind, number in counts.items():
        if number > MOST - 1:
            yield command(kind, f"{number - MOST + 1} more servers; see the step summary", {"title": "rtcdiag"})
    summary = found.summary
    redacted = f" ({words})" if (words := level(summary)) else ""
    notice = f"{summary.verdict.status}: {summary.verdict.summary}{redacted}"
    yield command("notice", notice, {"title": "rtcdiag health"})


def _properties(result: HealthResult, options: RenderOptions) -> dict[str, str]:
    place = {"file": options.source, "line": str(result.line or 1)} if options.source else {}
    return {**place, "title": f"rtcdiag: {result.finding or result.status}"}


def command(name: str, message: str, properties: dict[str, str] | None = None) -> str:
    """Return one workflow command."""
    told_ = ",".join(f"{key}={_property(value)}" for key, value in (properties or {}).items())
    return f"::{name}{' ' if told_ else ''}{told_}::{_data(clean(message, limit=4000))}\n"


def masks(secrets: Iterable[str]) -> Iterator[str]:
    """Yield what makes GitHub put asterisks for each of these in its log."""
    for secret in secrets:
        yield f"::add-mask::{_data(secret)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clean(text, limit=1000)).replace(":", "%3A").replace(",", "%2C")
