"""A report to standard output and to files, each in its format."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import check_writable, make_directory, write_new, write_whole
from rtcdiag.cli.options import Output
from rtcdiag.cli.pair_options import PAIR_FORMATS
from rtcdiag.cli.streams import OutputError, colors, emit, say, shows_unicode
from rtcdiag.formats import FORMATS, RenderOptions, format_of, render

if TYPE_CHECKING:
    from rtcdiag.compare import Comparison
    from rtcdiag.diff import Difference
    from rtcdiag.report import Report, Verdict

Rendered = Callable[[str, RenderOptions], str]
"""The result in the format of a name."""


class Destination(NamedTuple):
    """One file to write."""

    format: str
    path: Path


def destinations(output: Output, formats: Mapping[str, str] = FORMATS) -> tuple[Destination, ...]:
    """Return the files of ``--output``; raise BadInputError where one has no format or could not be written."""
    _check_format(output)
    found = tuple(_destination(text, formats) for text in output.output or ())
    for item in found:
        check_writable(item.path, what="--output")
    if len({item.path.resolve() for item in found}) < len(found):
        raise BadInputError("--output names the same file twice")
    return found


def destinations_of_two(output: Output) -> tuple[Destination, ...]:
    """Return the same of what is made of two reports, which has fewer formats."""
    if output.format == "firewall" or any(_is_firewall(text) for text in output.output or ()):
        raise BadInputError("firewall: a format of one report (write rtcdiag show FILE --format firewall)")
    return destinations(output, {name: suffix for name, suffix in FORMATS.items() if name in PAIR_FORMATS})


def _is_firewall(text: str) -> bool:
    return text.startswith("firewall=") or text.endswith(FORMATS["firewall"])


def _check_format(output: Output) -> None:
    if output.as_json and output.format not in {None, "json"}:
        raise BadInputError(f"--json and --format {output.format} exclude each other")


def _destination(text: str, formats: Mapping[str, str]) -> Destination:
    name, equals, path = text.partition("=")
    if equals and name in formats:
        if not path:
            raise BadInputError(f"--output {text}: the file is missing (write {name}=FILE)")
        return Destination(name, Path(path))
    try:
        return Destination(format_of(text), Path(text))
    except ValueError:
        suffixes = ", ".join(formats.values())
        raise BadInputError(
            f"--output {text}: the suffix names no format (end it in one of {suffixes}, or write json={text})"
        ) from None


def deliver(report: "Report", output: Output, files: tuple[Destination, ...]) -> None:
    """Print a report, then write the files."""
    hand_over(report.verdict, lambda name, options: render(name, report, options), output, files)


def deliver_comparison(found: "Comparison", output: Output, files: tuple[Destination, ...]) -> None:
    """Print a comparison, then write the files."""
    from rtcdiag.formats.comparison import render as render_comparison

    hand_over(found.verdict, lambda name, options: render_comparison(name, found, options), output, files)


def deliver_difference(found: "Difference", output: Output, files: tuple[Destination, ...]) -> None:
    """Print the difference of two reports, then write the files."""
    from rtcdiag.formats.difference import render as render_difference

    hand_over(found.verdict, lambda name, options: render_difference(name, found, options), output, files)


def hand_over(verdict: "Verdict", rendered: Rendered, output: Output, files: tuple[Destination, ...]) -> None:
    """Print the result, then write the files: a full disk then takes only those."""
    name = "json" if output.as_json else output.format
    if output.quiet and name is None:
        emit(_quiet(verdict))
    else:
        emit(rendered(name or "text", terminal_options(output.verbose)), utf8=name not in {None, "text"})
    options = RenderOptions(verbosity=max(output.verbose, 1), width=100)
    for item in files:
        data = rendered(item.format, options).encode()
        with told_of(item.path):
            write_whole(item.path, data)


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into one line."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None


def _quiet(verdict: "Verdict") -> str:
    """Return the verdict in one line."""
    from rtcdiag.formats.safe import clean

    return f"{verdict.status}: {clean(verdict.summary)}\n"


def terminal_options(verbosity: int) -> RenderOptions:
    """Return what standard output can show."""
    return RenderOptions(
        width=max(40, shutil.get_terminal_size().columns),
        color=colors(sys.stdout),
        unicode=shows_unicode(sys.stdout),
        verbosity=verbosity,
    )


def prepare_pair(directory: Path) -> None:
    """Make sure that a report can be saved in a directory."""
    make_directory(directory, what="--reports-dir")


def save_pair(report: "Report", directory: Path, *, quiet: bool) -> None:
    """Save a report as JSON and HTML under a name of its own, and tell where."""
    _save(report.started_at, "", lambda name, options: render(name, report, options), directory, quiet=quiet)


def save_session(found: "Comparison", own: "Report", directory: Path, *, quiet: bool) -> None:
    """Save what came of a session, as JSON and HTML beside the own report of it, and tell where."""
    from rtcdiag.formats.comparison import render as render_comparison

    def rendered(name: str, options: RenderOptions) -> str:
        return render_comparison(name, found, options)

    _save(own.started_at, "-session", rendered, directory, quiet=quiet)


def _save(started_at: str, ending: str, rendered: Rendered, directory: Path, *, quiet: bool) -> None:
    at = datetime.fromisoformat(started_at)
    files = {FORMATS[name]: rendered(name, RenderOptions(verbosity=1)).encode() for name in ("json", "html")}
    with told_of(directory):
        paths = write_new(directory, f"rtcdiag-{at:%Y%m%dT%H%M%SZ}{ending}", files)
    if not quiet:
        say("Saved " + " and ".join(os.fspath(path) for path in paths))
