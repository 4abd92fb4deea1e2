"""Where a health check goes: standard output and files, each in its format, and what GitHub wants besides."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import check_writable, write_pieces
from rtcdiag.cli.health_options import HealthOutput, format_name
from rtcdiag.cli.outputs import terminal_options, told_of
from rtcdiag.cli.streams import OutputError, emit, say
from rtcdiag.config import HealthConfig
from rtcdiag.formats.health import HEALTH_FORMATS, render
from rtcdiag.formats.health.jsonl import line
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import clean
from rtcdiag.health import HealthResult, Round
from rtcdiag.health.watching import Flip

_PIECE_CHARS = 1 << 16
_SUMMARY_BYTES = 1 << 20
"""What GitHub takes of a step's summary."""
_SHORTEST_MASK = 4
_METRICS = "/v1/metrics"
"""Of OTLP over HTTP."""


class File(NamedTuple):
    """One file to write."""

    format: str
    path: Path


class Outlet:
    """What the options say about output."""

    def __init__(self, output: HealthOutput, config: str | None) -> None:
        """Check all of it; raise BadInputError. ``config`` is None where its name is not to be told."""
        self.format = format_name(output)
        self._output, self._config = output, config
        self._files = tuple(map(_file, output.output or ()))
        for item in self._files:
            check_writable(item.path, what="--output")
        self._endpoint = endpoint(output.otlp) if output.otlp is not None else None
        if len({item.path.resolve() for item in self._files}) < len(self._files):
            raise BadInputError("--output names the same file twice")

    @property
    def wants_evidence(self) -> bool:
        """Whether anything is written that has the evidence in it."""
        return bool({"json", "jsonl"} & {self.format, *(item.format for item in self._files)})

    @property
    def is_live(self) -> bool:
        """Whether results are printed as they come."""
        return self.format == "jsonl"

    def mask(self, config: HealthConfig | None) -> None:
        """Tell GitHub what must not show in its log, before anything is printed; nobody else is told."""
        if self.format != "github" or os.environ.get("GITHUB_ACTIONS") != "true" or config is None:
            return
        from rtcdiag.formats.health.github import masks

        secrets = {item.secret.value for item in config.targets if item.secret}
        secrets |= {item.server.credential.password for item in config.targets if item.server.credential}
        emit("".join(masks(sorted(one for one in secrets if len(one) >= _SHORTEST_MASK))), utf8=True)

    def at_once(self, result: HealthResult) -> None:
        """Print a result that is not to wait for the others."""
        if self.is_live:
            emit(line(result), utf8=True)

    def tell(self, found: Round, flips: Iterable[Flip], *, dated: bool = False) -> None:
        """Print the round, and say what changed; ``dated``: text begins with when it was."""
        self._print(found, f"{found.summary.started_at} " if dated else "")
        for flip in flips:
            code = f" [{flip.finding}]" if flip.finding else ""
            word = "recovered" if flip.recovers else "changed"
            say(f"{found.summary.started_at} {word}: {clean(flip.uri)}: {flip.before} -> {flip.now}{code}")

    def write(self, found: Round) -> None:
        """Write the files and send the metrics; raise OutputError."""
        for item in self._files:
            with told_of(item.path):
                write_pieces(item.path, render(item.format, found, self._options(width=100, verbosity=1)))
        if self._endpoint is not None:
            self._send(found, self._endpoint)
        if self.format == "github":
            self._step_summary(found)

    def _print(self, found: Round, when: str) -> None:
        if self.is_live:
            emit(line(found.summary), utf8=True)
        elif self.format == "text" and self._output.quiet:
            emit(f"{when}{found.summary.verdict.status}: {clean(found.summary.verdict.summary)}\n")
        else:
            if when and self.format == "text":
                emit(f"{when.rstrip()}\n")
            options = terminal_options(self._output.verbose)
            for piece in _joined(render(self.format, found, self._with_source(options))):
                emit(piece, utf8=self.format != "text")

    def _options(self, *, width: int, verbosity: int) -> RenderOptions:
        return self._with_source(RenderOptions(width=width, verbosity=verbosity))

    def _with_source(self, options: RenderOptions) -> RenderOptions:
        from msgspec.structs import replace

        named = self._config is not None and Path(self._config).is_file()
        return replace(options, source=self._config if named else None)

    def _send(self, found: Round, url: str) -> None:
        from rtcdiag.otlp import SendError, send

        try:
            send(found, url)
        except SendError as error:
            raise OutputError(f"--otlp {url}: {clean(str(error))}") from None

    def _step_summary(self, found: Round) -> None:
        name = os.environ.get("GITHUB_STEP_SUMMARY")
        if not name:
            return
        text = "".join(render("markdown", found, self._options(width=100, verbosity=0)))
        with told_of(Path(name)), Path(name).open("ab") as file:
            file.write(text.encode()[:_SUMMARY_BYTES])


def endpoint(text: str) -> str:
    """Return where metrics are posted, for a collector's address; raise BadInputError."""
    from importlib.util import find_spec
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        is_url = False
    if not is_url or not text.isprintable() or " " in text:
        raise BadInputError(f"--otlp {clean(text)}: no URL (write http://HOST:4318)")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadInputError("--otlp takes a URL and no credentials: OTEL_EXPORTER_OTLP_HEADERS is for these")
    if any(find_spec(name) is None for name in ("opentelemetry", "requests")):
        raise BadInputError("--otlp needs an extra: pip install '.[otlp]' in a checkout of rtcdiag")
    return text if parts.path.endswith(_METRICS) else text.rstrip("/") + _METRICS


def _file(text: str) -> File:
    name, equals, path = text.partition("=")
    if equals and name in HEALTH_FORMATS:
        if not path:
            raise BadInputError(f"--output {text}: the file is missing (write {name}=FILE)")
        return File(name, Path(path))
    suffix = Path(text).suffix.lower()
    found = next((known for known, own in HEALTH_FORMATS.items() if own and own == suffix), None)
    if found is None:
        suffixes = ", ".join(filter(None, HEALTH_FORMATS.values()))
        raise BadInputError(
            f"--output {text}: the suffix names no format (end it in one of {suffixes}, or write json={text})"
        )
    return File(found, Path(text))


def _joined(pieces: Iterator[str]) -> Iterator[str]:
    """Join small pieces, for each is flushed when it is printed."""
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE_CHARS:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
