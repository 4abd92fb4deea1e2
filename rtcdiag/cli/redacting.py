"""``--redact`` and ``--redaction-key-file``: checked before anybody is asked, done before anything is written."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import LevelName, Redacting

if TYPE_CHECKING:
    from msgspec import Struct

    from rtcdiag.redact import Key, Series
    from rtcdiag.redact.redaction import Result
    from rtcdiag.report import Report

    Part = TypeVar("Part", bound=Struct)

_KEY_BYTES = 4096
Redact = Callable[["Report"], "Report"]


def redactor(given: Redacting) -> Redact:
    """Return what redacts reports as the options say; BadInputError for a key that is none, or is of no use."""
    if not _redacts(given):
        return lambda report: report
    key = key_of(given.redaction_key_file)
    return lambda report: redact(report, given.redact, key)


def _redacts(given: Redacting) -> bool:
    """Tell whether anything is to be redacted; BadInputError for a key that is of no use."""
    if given.redact == "none" and given.redaction_key_file is not None:
        raise BadInputError("--redaction-key-file: what it is for is not given (add --redact share)")
    return given.redact != "none"


def redact_result(found: "Result", given: Redacting) -> "Result":
    """Return what was concluded of two reports, redacted as the options say, which `redactor` has checked."""
    from rtcdiag.redact import redacted_result

    return redacted_result(found, given.redact, key_of(given.redaction_key_file))


class PairRedactor:
    """Redacts two reports so that equal addresses stay equal in both, where they can be compared at all."""

    def __init__(self, given: Redacting) -> None:
        """Take what the options say; BadInputError for a key that is none, or is of no use."""
        # Where nothing is redacted, nothing of it is imported either: the first checks of a session would wait for it.
        self._key = key_of(given.redaction_key_file, shared=True) if _redacts(given) else None
        self.level = given.redact

    def one(self, report: "Report") -> "Report":
        """Return a report as it is when it is the first of two."""
        return report if self._key is None else redact(report, self.level, self._key)

    def two(self, first: "Report", second: "Report") -> "tuple[Report, Report]":
        """Return both redacted."""
        one = self.one(first)
        return one, _in_pseudonyms_of(one, self.one(second))


def series_of(given: Redacting) -> "Series":
    """Return what redacts the results of one run as they come; BadInputError as for reports."""
    from rtcdiag.redact import Series

    redactor(given)
    return Series(given.redact, key_of(given.redaction_key_file))


def redact_part(found: "Part", series: "Series") -> "Part":
    """Return one result of a run redacted; OutputError where pseudonyms run out."""
    try:
        return series.redacted(found)
    except OverflowError as error:
        from rtcdiag.cli.streams import OutputError

        raise OutputError(f"the results cannot be redacted: {error}") from None


def _in_pseudonyms_of(one: "Report", two: "Report") -> "Report":
    from rtcdiag.cli.streams import OutputError
    from rtcdiag.redact import aligned

    try:
        return aligned(one, two)
    except OverflowError as error:
        raise OutputError(f"the reports cannot be compared by address: {error}") from None


def key_of(name: str | None, *, shared: bool = False) -> "Key":
    """Return the key in a file, else one that nobody has; ``shared``: two reports of this run are redacted with it."""
    import secrets

    from rtcdiag.cli.files import read_bytes
    from rtcdiag.redact import MIN_BYTES, Key

    if name is None:
        return Key(secrets.token_bytes(32), shared=shared)
    data = read_bytes(name, what="--redaction-key-file", limit=_KEY_BYTES).strip()
    if len(data) < MIN_BYTES:
        example = f"head -c 32 /dev/urandom | base64 > {name}"
        raise BadInputError(f"--redaction-key-file {name}: shorter than {MIN_BYTES} bytes (make one: {example})")
    return Key(data, shared=True)


def redact(report: "Report", level: LevelName, key: "Key") -> "Report":
    """Return the redacted report; OutputError where pseudonyms run out."""
    from rtcdiag.cli.streams import OutputError
    from rtcdiag.redact import redacted

    try:
        return redacted(report, level, key)
    except OverflowError as error:
        raise OutputError(f"the report cannot be redacted: {error}") from None
