"""Reports read back from files: JSON, or the HTML in which one is embedded."""

from typing import TYPE_CHECKING

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import read_bytes
from rtcdiag.report import Report, ReportError, decode, kind_of

if TYPE_CHECKING:
    from rtcdiag.compare import Comparison
    from rtcdiag.diff import Difference
    from rtcdiag.health import Round

MAX_BYTES = 64 << 20
"""How long a report may be; the longest that a run writes has some hundred kilobytes."""


def read_report(name: str) -> Report:
    """Return the report in a file (``-`` is standard input); raise BadInputError for anything else."""
    found = read_saved(name)
    if isinstance(found, Report):
        return found
    from rtcdiag.health import Round

    if isinstance(found, Round):
        raise BadInputError(
            f"report {name}: the result of a health check, not one person's report (rtcdiag show shows it)"
        )
    what = "the difference" if found.kind == "diff" else "a comparison"
    raise BadInputError(f"report {name}: {what} of two reports, not one person's report (rtcdiag show shows it)")


def read_saved(name: str) -> "Report | Comparison | Difference | Round":
    """Return the report, comparison, difference or health check in a file; raise BadInputError for anything else."""
    data = read_bytes(name, what="report", limit=MAX_BYTES).removeprefix(b"\xef\xbb\xbf")
    try:
        return _decoded(_json(data))
    except ReportError as error:
        raise BadInputError(f"report {name}: {error}") from None


def _decoded(data: bytes) -> "Report | Comparison | Difference | Round":
    from rtcdiag.health.lines import decode_lines, is_lines

    if is_lines(data):
        return decode_lines(data)
    match kind_of(data)[0]:
        case "compare" | "connect":
            from rtcdiag.compare import decode as decode_comparison

            return decode_comparison(data)
        case "diff":
            from rtcdiag.diff import decode as decode_difference

            return decode_difference(data)
        case "health":
            from rtcdiag.health.result import decode as decode_round

            return decode_round(data)
        case _:
            return decode(data)


def _json(data: bytes) -> bytes:
    if not data.lstrip().startswith(b"<"):
        return data
    from rtcdiag.formats.embedded import extract_json

    try:
        return extract_json(data.decode())
    except UnicodeDecodeError as error:
        raise ReportError(f"no report is embedded in this HTML, which is not UTF-8 ({error.reason})") from None
