"""What a firewall would have to let through, from what failed; empty where no firewall can be the cause."""

from rtcdiag.formats.openings import Place, openings
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.report import Report

_WHERE: dict[Place, str] = {
    "this-computer": "this computer",
    "this-network": "this network",
    "this-network-or-server": "this network, or at the server: from here that cannot be told",
    "proxy": "the proxy of this network, for CONNECT",
    "server": "the server's own firewall",
}


def to_open(report: Report) -> Table | None:
    """Return one row a rule."""
    rows = tuple(
        (
            Cell(item.direction),
            Cell(item.protocol),
            code(item.host),
            code(item.ports),
            code(", ".join(item.names)),
            Cell(_WHERE[item.place]),
            code(", ".join(item.codes)),
        )
        for item in openings(report)
    )
    if not rows:
        return None
    columns = ("direction", "protocol", "host", "port", "name", "firewall of", "because of")
    note = "Answers have to be let in (or out) too. The same as plain text: rtcdiag show FILE --format firewall."
    if report.redaction.level != "none":
        note += " Public addresses are pseudonyms here: take the list from the report that is not redacted."
    return Table(caption="What to open in a firewall", columns=columns, rows=rows, note=note)
