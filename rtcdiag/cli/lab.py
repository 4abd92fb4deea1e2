"""``rtcdiag lab``: NATs on this computer."""

from rtcdiag.cli.app import Entry, LazyGroup
from rtcdiag.cli.commands import group_app

COMMANDS = (
    Entry("run", "lab_run", "Run a command behind any NAT."),
    Entry("pair", "lab_pair", "Run a command on two computers, each behind its own NAT."),
    Entry("presets", "lab_presets", "The NATs that have a name."),
)


class LabGroup(LazyGroup):
    """What can be done in the lab."""

    entries = COMMANDS


app = group_app(
    LabGroup, "Put any command behind any NAT on this computer (Linux), with nothing of it left afterwards."
)
