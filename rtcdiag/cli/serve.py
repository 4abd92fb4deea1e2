"""``rtcdiag serve``: the servers that the program can be."""

from rtcdiag.cli.app import Entry, LazyGroup
from rtcdiag.cli.commands import group_app

COMMANDS = (
    Entry("stun", "serve_stun", "A STUN server with RFC 5780, and a TURN relay where users are given."),
    Entry("signal", "serve_signal", "The rendezvous over which two people run rtcdiag connect."),
    Entry("exporter", "serve_exporter", "A Prometheus exporter that checks the servers of a configuration."),
)


class ServeGroup(LazyGroup):
    """The servers."""

    entries = COMMANDS


app = group_app(ServeGroup, "Run one of the program's own servers.")
