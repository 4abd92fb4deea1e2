"""The options of ``rtcdiag health``, and what they mean."""

import re
from collections import namedtuple
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_type_hints

import typer

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import OUTPUT, RESULT, Network, Servers
from rtcdiag.demands import FIGURES, Depth, Threshold, Thresholds

if TYPE_CHECKING:
    from rtcdiag.health import Required

CHECKS = "What is checked"
HealthFormat = Literal["text", "json", "jsonl", "junit", "markdown", "prometheus", "github", "gitlab", "nagios"]
MIN_WATCH_S, MAX_WATCH_S = 1.0, 86400.0
MOST_RETRIES = 10
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def part_of(group: Any, *names: str) -> Any:
    """Return a group with some of another one's options, so that each is written once."""
    hints = get_type_hints(group, include_extras=True)
    defaults = [group._field_defaults[name] for name in names]
    part: Any = namedtuple("Part", names, defaults=defaults)  # type: ignore[misc]  # noqa: PYI024 - fields of run time
    part.__annotations__ = {name: hints[name] for name in names}
    return part


if TYPE_CHECKING:
    HealthServers = Servers
    HealthNetwork = Network
else:
    HealthServers = part_of(Servers, "username", "password_file", "secret_file", "ca_file", "sni", "no_input")
    HealthNetwork = part_of(Network, "timeout", "ipv4", "ipv6", "interface", "bind", "list_contacts")


class HealthOutput(NamedTuple):
    """What to write, and where."""

    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.", rich_help_panel=OUTPUT)] = False
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help="The same as --format jsonl: a line for each target, as soon as it is known.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    format: Annotated[
        HealthFormat | None,
        typer.Option("--format", help="What to print on standard output: text unless set.", rich_help_panel=OUTPUT),
    ] = None
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="[FORMAT=]FILE",
            help="Also write a file, in the format of its suffix; may be repeated.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    otlp: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Also send the metrics to this OpenTelemetry collector (OTLP over HTTP; needs the extra otlp).",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print the verdict in one line and no progress.", rich_help_panel=OUTPUT),
    ] = False
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            help="Show every target, stage by stage.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = 0


class Checks(NamedTuple):
    """What is demanded of the servers."""

    depth: Annotated[
        Depth | None,
        typer.Option(
            help="How deep: a Binding, an allocation too, data through the relay too (unless set), packets at the rate "
            "of a call too.",
            rich_help_panel=CHECKS,
        ),
    ] = None
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIGURE=WARNING[,CRITICAL]",
            help="From where on a figure is a warning, and from where on an error; may be repeated.",
            rich_help_panel=CHECKS,
        ),
    ] = None
    require_servers: Annotated[
        str,
        typer.Option(metavar="all|any|N", help="How many servers have to work.", rich_help_panel=RESULT),
    ] = "all"
    deadline: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="End the whole run, or each round, by then.", rich_help_panel=CHECKS),
    ] = None
    retries: Annotated[
        int, typer.Option(metavar="N", help="Try a target that failed so often again.", rich_help_panel=CHECKS)
    ] = 0
    watch: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Check again and again, so far apart (30s, 5m); say what changed.",
            rich_help_panel=CHECKS,
        ),
    ] = None
    token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="The bearer token for CONFIG, where it is a URL.", rich_help_panel=CHECKS),
    ] = None


class HealthJudgement(NamedTuple):
    """What counts as a failure."""

    fail_on: Annotated[
        Literal["error", "warning", "never"],
        typer.Option(help="Exit with 1 from this severity on.", show_default=True, rich_help_panel=RESULT),
    ] = "error"


def format_name(output: HealthOutput) -> str:
    """Return the format of standard output; raise BadInputError where two are asked for."""
    asked = [name for name, is_asked in (("json", output.as_json), ("jsonl", output.jsonl)) if is_asked]
    asked += [output.format] if output.format is not None else []
    if len(set(asked)) > 1:
        raise BadInputError(f"standard output has one format, and not {' and '.join(dict.fromkeys(asked))}")
    return asked[0] if asked else "text"


def required(text: str) -> "Required":
    """Return how many servers have to work."""
    if text in ("all", "any"):
        return "all" if text == "all" else "any"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 10**6:
        return int(text)
    raise BadInputError(f"--require-servers {text}: not all, any, or a number from 1 on")


def retries(number: int) -> int:
    """Return how often to try again."""
    if not 0 <= number <= MOST_RETRIES:
        raise BadInputError(f"--retries {number}: not from 0 to {MOST_RETRIES}")
    return number


def watch_s(text: str | None) -> float | None:
    """Return how far apart the rounds begin, in seconds; None for one round."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smh]?)", text)
    if found is None:
        raise BadInputError(f"--watch {text}: not a duration (write 30s or 5m)")
    seconds = float(found[1]) * _UNITS[found[2]]
    if not MIN_WATCH_S <= seconds <= MAX_WATCH_S:
        raise BadInputError(f"--watch {text}: not between {MIN_WATCH_S:g}s and {MAX_WATCH_S / 3600:g}h")
    return seconds


def thresholds(texts: list[str] | None) -> Thresholds:
    """Return the thresholds of the command line."""
    return dict(_threshold(text) for text in texts or ())


def _threshold(text: str) -> tuple[str, Threshold]:
    name, equals, limits = text.partition("=")
    if name not in FIGURES or not equals:
        raise BadInputError(f"--threshold {text}: no figure (write FIGURE=WARNING,CRITICAL; {', '.join(FIGURES)})")
    warning, _, critical = limits.partition(",")
    found = Threshold(warning=_limit(text, warning), critical=_limit(text, critical))
    if found.warning is None and found.critical is None:
        raise BadInputError(f"--threshold {text}: no limit (write {name}=300,800)")
    if found.warning is not None and found.critical is not None:
        low = FIGURES[name].low_is_bad
        if (found.warning < found.critical) if low else (found.warning > found.critical):
            raise BadInputError(f"--threshold {text}: the second has to be {'below' if low else 'above'} the first")
    return name, found


def _limit(text: str, number: str) -> float | None:
    if not number:
        return None
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e9:  # so is NaN refused
        raise BadInputError(f"--threshold {text}: {number[:20]!r} is not a number from 0 to 1000000000")
    return value
