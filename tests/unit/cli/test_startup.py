"""What a command may not import: start-up time is a promise, and this is what it rests on."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"msgspec", "rich", "httpx", "aioice", "asyncio", "jinja2", "cryptography", "ssl", "socket", "pydantic"}


@pytest.mark.parametrize(
    "args", [["--version"], ["--help"], ["nat-type", "--list-contacts"], ["report", "--list-contacts", "--json"]]
)
def test_a_command_that_asks_no_one_imports_nothing_heavy(args: list[str]) -> None:
    # What the interpreter has by itself (under coverage, a socket) is not the command's doing.
    code = (
        "import sys; before = set(sys.modules); from rtcdiag.cli import main; "
        f"main({args!r}); print(*set(sys.modules) - before, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout
    assert HEAVY & set(ran.stderr.split()) == set()


def test_help_imports_no_command() -> None:
    code = "import sys; from rtcdiag.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in ran.stderr.split() if name.startswith("rtcdiag.cli.")}
    assert loaded == {f"rtcdiag.cli.{name}" for name in ("app", "entry", "streams")}


def test_the_client_of_a_rendezvous_does_not_import_the_command_line_of_its_library() -> None:
    code = "import sys; import rtcdiag.signaling.sse; print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "httpx" in ran.stderr.split()
    assert {"click", "rich", "pygments"} & set(ran.stderr.split()) == set()


def test_a_session_begins_before_anything_that_judges_or_redacts_is_imported(tmp_path: Path) -> None:
    # The other person waits for every import before the first checks.
    code = (
        "import sys; from rtcdiag.cli import connecting, main; "
        "connecting.run_session = lambda *_: sys.exit(print(*sys.modules, file=sys.stderr)); "
        "main(['connect', '--rendezvous', 'http://127.0.0.1:1', '--server', 'stun:127.0.0.1', '--quiet'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    loaded = set(ran.stderr.split())
    assert "rtcdiag.connect" in loaded
    judging = {"rtcdiag.rules", "rtcdiag.nat", "rtcdiag.redact", "rtcdiag.compare", "rtcdiag.report"}
    assert (judging | {"rich", "jinja2"}) & loaded == set()
