"""What changed of the servers that both reports asked: their stages, and what they were asked over."""

from collections.abc import Iterator

import msgspec

from rtcdiag.diff.pair import Pair
from rtcdiag.diff.value import ValueChange, direction_of
from rtcdiag.report import Report, ServerRow, StageRow

_STATUSES = ("ok", "warning", "failed")


class RowPair(msgspec.Struct, frozen=True, kw_only=True):
    """One server over one path, in both reports."""

    name: str
    before: ServerRow
    after: ServerRow


_Key = tuple[str, str, str, str]


def row_pairs(pair: Pair) -> tuple[RowPair, ...]:
    """Return the paths that both asked: by address where that can be compared, else in the order asked."""
    before, after = _by_key(pair.before), _by_key(pair.after)
    return tuple(
        RowPair(name=_name(two), before=one, after=two)
        for key in before
        if key in after and pair.same_server(key[0])
        for one, two in _matched(before[key], after[key], by_address=pair.same_addresses)
    )


def _by_key(report: Report) -> dict[_Key, list[ServerRow]]:
    found: dict[_Key, list[ServerRow]] = {}
    for row in report.servers:
        family = row.address.family.value if row.address else ""
        found.setdefault((row.uri, row.transport, row.via or "", family), []).append(row)
    return found


def _matched(
    before: list[ServerRow], after: list[ServerRow], *, by_address: bool
) -> Iterator[tuple[ServerRow, ServerRow]]:
    """Yield who belongs together; a server that has one address only may have moved to another."""
    if not by_address or len(before) == len(after) == 1:
        yield from zip(before, after, strict=False)
        return
    there = {row.address: row for row in after}
    yield from ((row, there[row.address]) for row in before if row.address in there)


def _name(row: ServerRow) -> str:
    """Return how a reader tells the path from others."""
    via = f" via {row.via}" if row.via else ""
    return f"{row.uri}{via} at {row.address}" if row.address else f"{row.uri}{via}"


def server_changes(pair: Pair, pairs: tuple[RowPair, ...]) -> Iterator[ValueChange]:
    """Yield the stages that ended otherwise, the servers that moved, and those that only one report asked."""
    for rows in pairs:
        yield from _stages(rows, pair)
        if pair.same_addresses and rows.before.address != rows.after.address:
            before, after = str(rows.before.address), str(rows.after.address)
            yield ValueChange(where=_name(rows.after), what="address", before=before, after=after)
    yield from _asked_once(pair)


def _stages(rows: RowPair, pair: Pair) -> Iterator[ValueChange]:
    """Yield the stages that both came to; where only one came to any, that."""
    before = {row.stage: row for row in rows.before.stages if row.status in _STATUSES}
    for now in rows.after.stages:
        old = before.get(now.stage)
        if old is not None and old.status != now.status and now.status in _STATUSES:
            yield _stage(rows.name, old, now, pair)
    one, two = rows.before.status, rows.after.status
    if (one in _STATUSES) != (two in _STATUSES):
        yield ValueChange(where=rows.name, what="status", before=one, after=two)


def _stage(where: str, old: StageRow, now: StageRow, pair: Pair) -> ValueChange:
    direction = direction_of(old.status, now.status, _STATUSES)
    if pair.after.interrupted and direction == "worse":
        direction = "neither"
    return ValueChange(
        where=where,
        what=now.stage,
        before=old.status,
        after=now.status,
        direction=direction,
        finding=now.finding or old.finding,
    )


def _asked_once(pair: Pair) -> Iterator[ValueChange]:
    before = dict.fromkeys(row.uri for row in pair.before.servers)
    after = dict.fromkeys(row.uri for row in pair.after.servers)
    for uri in (*before, *(uri for uri in after if uri not in before)):
        if (uri in before) != (uri in after) and pair.same_server(uri):
            asked = ("asked", "not asked") if uri in before else ("not asked", "asked")
            yield ValueChange(where=uri, what="server", before=asked[0], after=asked[1])
