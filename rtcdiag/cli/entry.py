"""The outermost frame of the program: whatever happens inside, it ends in an exit code and at most one line."""

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath
from traceback import extract_tb

from rtcdiag.cli.streams import OutputError, emit, printable, say, silence_closed_pipe

USAGE = 2
FAILED = 3
INTERRUPTED = 130


class BadInputError(Exception):
    """What the user gave cannot be used: one line that names the value, says why, and shows a corrected form."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line (``sys.argv`` by default) and return its exit code; print, and raise nothing."""
    try:
        with silence_closed_pipe():
            return _run(args)
    except BadInputError as error:
        if is_plugin(sys.argv[1:] if args is None else args):
            emit(f"TURN UNKNOWN - {printable(str(error))}\n")
            return FAILED
        say(f"rtcdiag: {error}")
        return USAGE
    except OutputError as error:
        say(f"rtcdiag: {error}")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a crash must not exit with 1, nor print what may be a secret
        say(f"rtcdiag: {_crash(error)}")
        return FAILED


def is_plugin(args: Sequence[str]) -> bool:
    """Whether a monitoring system runs this as a plug-in: to it 2 is critical, and bad usage unknown (3)."""
    return "--format=nagios" in args or any(pair == ("--format", "nagios") for pair in pairwise(args))


def _run(args: Sequence[str] | None) -> int:
    """Let typer run the command; its own refusals become one line."""
    from rtcdiag.cli.app import UsageError, app

    try:
        code = app(args, prog_name="rtcdiag", standalone_mode=False)
    except UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        raise BadInputError(error.format_message().rstrip(".") + hint) from None
    except SystemExit as end:
        # Typer ends so, with 1, when the reader of a help text has closed the pipe.
        return end.code if isinstance(end.code, int) and end.code != 1 else 0
    return code if isinstance(code, int) else 0


def _crash(error: Exception) -> str:
    """Name a crash by type and place; its message is left out, because it may hold anything."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "rtcdiag" in PurePath(frame.filename).parts]
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"internal error: {type(error).__name__}{where}. This is a bug in rtcdiag {_version()}, please report it"


def _version() -> str:
    from rtcdiag.version import __version__

    return f"{__version__} (Python {sys.version_info.major}.{sys.version_info.minor})"
