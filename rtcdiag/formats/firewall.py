"""A hand-off to whoever runs a firewall: which host, port, protocol and direction to open, and on what that rests."""

from collections.abc import Iterator
from textwrap import wrap

from rtcdiag.findings import Severity
from rtcdiag.formats.openings import RELAY_RANGE, Opening, Place, needs_udp, openings
from rtcdiag.formats.options import RenderOptions
from rtcdiag.formats.safe import ascii_only, clean
from rtcdiag.formats.words import redaction
from rtcdiag.report import Report

_HEADINGS: dict[Place, str] = {
    "this-computer": "On this computer, let out (and answers in). Its own firewall forbids it:",
    "this-network": "In this network, let out (and answers in). It does not get out here:",
    "this-network-or-server": "In this network, let out (and answers in). From here it cannot be told\n"
    "whether this network or the server's own firewall drops it, or nobody listens\n"
    "there:",
    "proxy": "On the proxy of this network, allow CONNECT to:",
    "server": "At the server's own firewall or security group, let in from everywhere:",
}
_WIDER = (
    "Wider, and only for direct calls: UDP out to any address, ports 1024-65535,",
    "and answers in. Peers can be anywhere, so no list of them exists; without it,",
    "calls go through a relay.",
)
_RELAYS = (
    f"Ports {RELAY_RANGE} are what relays use unless told otherwise (coturn: min-port",
    "to max-port). Callers need none of them open here: they send to the TURN",
    "server's own port.",
)


def render(report: Report, options: RenderOptions) -> str:
    """Return the list as plain text: one line a rule."""
    lines = [*_head(report), "", *_rules(report)]
    shown = [clean(line, limit=2000) for line in lines]
    return "\n".join(shown if options.unicode else map(ascii_only, shown)) + "\n"


def _head(report: Report) -> list[str]:
    lines = [f"Firewall rules for what failed  ({redaction(report.redaction.level)})"]
    lines += [f"From rtcdiag {report.command}, {report.started_at}", f"Report {report.id}"]
    if report.redaction.level != "none":
        lines += ["Public addresses are pseudonyms here: make this list from the report that is", "not redacted."]
    if report.interrupted:
        lines.append("The run was interrupted: what it did not get to is not listed.")
    return lines


def _rules(report: Report) -> Iterator[str]:
    found = openings(report)
    if not found:
        yield from wrap(_nothing(report), 80, break_long_words=False, break_on_hyphens=False)
        return
    for place, heading in _HEADINGS.items():
        here = [item for item in found if item.place == place]
        if here:
            yield from (*heading.split("\n"), *_table(here), "")
    if needs_udp(report):
        yield from (*_WIDER, "")
    if any(item.ports == RELAY_RANGE for item in found):
        yield from (*_RELAYS, "")
    yield "What each code means: rtcdiag explain CODE. What was not tested is not listed."


def _table(items: list[Opening]) -> Iterator[str]:
    """Yield a line each, in columns."""
    rows = [(item.direction, item.protocol, item.host, _ports(item.ports), _behind(item)) for item in items]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True))
        yield f"  {'  '.join(cells)}  {row[4]}".rstrip()


def _ports(ports: str) -> str:
    return f"ports {ports}" if "-" in ports else f"port {ports}"


def _behind(item: Opening) -> str:
    return " ".join(filter(None, (", ".join(item.names), f"[{', '.join(item.codes)}]")))


def _nothing(report: Report) -> str:
    """Say why the list is empty: that nothing failed is not that everything was tested."""
    failed = dict.fromkeys(item.code for item in report.findings if item.severity is not Severity.INFO)
    if failed:
        return f"Nothing to open: what failed has other causes ({', '.join(failed)})."
    if report.verdict.status == "inconclusive":
        return "Nothing to open is known: the run got no answer to what it asked."
    return "Nothing to open: nothing that was tested failed."
