"""Modules have one purpose, and are short enough to be read at once."""

from pathlib import Path

import rtcdiag

MOST_LINES = 300


def test_no_module_is_longer_than_300_lines() -> None:
    modules = [path for folder in rtcdiag.__path__ for path in Path(folder).rglob("*.py")]

    assert modules
    assert {path.name: n for path in modules if (n := len(path.read_text().splitlines())) > MOST_LINES} == {}
