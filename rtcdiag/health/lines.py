"""JSON Lines of a health check read back: a target a line, and the summary on the last one."""

from collections.abc import Iterator

import msgspec

from rtcdiag.evidence import decode_value
from rtcdiag.health.result import HealthResult, HealthSummary, Round, decoder
from rtcdiag.report import ReportError, kind_of, read

_TARGET, _SUMMARY = "health-target", "health"
_summaries = msgspec.json.Decoder(HealthSummary, dec_hook=decode_value)


def is_lines(data: bytes) -> bool:
    """Tell whether the first line is all of a target."""
    first = data.lstrip().partition(b"\n")[0]
    try:
        return f'"{_TARGET}"'.encode() in first and kind_of(first)[0] == _TARGET
    except ReportError:
        return False


def decode_lines(data: bytes) -> Round:
    """Read the last round of JSON Lines; raise ReportError, with the number of the line, where one is no such line."""
    results: list[HealthResult] = []
    last: Round | None = None
    for item in _items(data):
        if isinstance(item, HealthResult):
            results.append(item)
        else:
            last, results = Round(item, tuple(results)), []
    if last is None or results:
        raise ReportError(
            "the last line is missing, which has the summary: the check was ended, or the copy is cut off"
        )
    return last


def _items(data: bytes) -> Iterator[HealthResult | HealthSummary]:
    """Yield what is on each line."""
    lines = data.rstrip().split(b"\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _item(line)
            except ReportError as error:
                cut = number == len(lines) and not line.rstrip().endswith(b"}")
                raise ReportError(f"line {number}{', the last one, is cut off' if cut else f': {error}'}") from None


def _item(line: bytes) -> HealthResult | HealthSummary:
    kind, data = kind_of(line)
    if kind == _TARGET:
        return read(decoder, data, "health check's target")
    if kind == _SUMMARY:
        return read(_summaries, data, "health check's summary")
    raise ReportError(f"no line of a health check, but of the kind {kind[:40]!r}")
