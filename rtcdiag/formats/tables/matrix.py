"""The matrix: each host over each transport and family."""

from collections import Counter

from rtcdiag.address import Family
from rtcdiag.formats.tables import Cell, Table
from rtcdiag.formats.tables.servers import outcome, short
from rtcdiag.formats.words import Tone
from rtcdiag.report import Report, ServerRow

_ALWAYS = ("udp", "tcp", "tls")
_FAMILY = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}
_NOWHERE = "no address"
_WORST: tuple[Tone, ...] = ("bad", "warn", "muted", "ok", "info", "")
_Column = tuple[str, Family | None]
"""Transport and family; one column holds all that has no address."""


def matrix(report: Report) -> Table | None:
    """Return a row for each host and a column for each transport and family; what was not asked is not tested."""
    if not report.servers:
        return None
    columns = _columns(report.servers)
    by_host: dict[str, list[ServerRow]] = {}
    for row in report.servers:
        by_host.setdefault(_host(row), []).append(row)
    rows = tuple(
        (Cell(host, code=True), *(_cell(servers, column) for column in columns)) for host, servers in by_host.items()
    )
    names = tuple(f"{transport.upper()} {_FAMILY[family]}" if family else "No address" for transport, family in columns)
    return Table(caption="Reachability, by transport and family", columns=("Server", *names), rows=rows)


def _columns(servers: tuple[ServerRow, ...]) -> list[_Column]:
    seen = {_way(row) for row in servers}
    named = (*_ALWAYS, "dtls", *sorted({transport for transport, _ in seen} - {*_ALWAYS, "dtls", _NOWHERE}))
    every: list[_Column] = [(transport, family) for transport in named for family in _FAMILY]
    return [column for column in every if column in seen or column[0] in _ALWAYS] + [way for way in seen if not way[1]]


def _way(row: ServerRow) -> _Column:
    if row.address is None:
        return _NOWHERE, None
    return row.transport + ("" if row.via is None else " via proxy"), row.address.family


def _host(row: ServerRow) -> str:
    scheme = row.uri.partition(":")[0].lower().removesuffix("s")
    return f"{short(row.uri)} ({scheme.upper()})" if scheme in ("stun", "turn") else row.uri


def _cell(servers: list[ServerRow], column: _Column) -> Cell:
    """Return how a host fared on one way; of several ports or addresses, how many worked and how the others ended."""
    cells = [outcome(row) for row in servers if _way(row) == column]
    if not cells:
        return Cell("not tested", "muted")
    worst = min(cells, key=lambda cell: _WORST.index(cell.tone))
    if len(cells) == 1:
        return worst
    others = Counter(cell.text for cell in cells if cell.tone != "ok")
    parts = [f"{sum(cell.tone == 'ok' for cell in cells)} of {len(cells)} ok", *others]
    return Cell("; ".join(parts), worst.tone)
