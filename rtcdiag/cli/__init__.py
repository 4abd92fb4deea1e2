"""The command line: parse, call, print, exit. No module here decides anything about networks."""

from rtcdiag.cli.entry import main

__all__ = ["main"]
