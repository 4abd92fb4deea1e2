"""The servers: their chains of stages, what they can do, and their latency."""

from collections import Counter

import msgspec

from rtcdiag.capabilities import NOT_ASKED
from rtcdiag.findings import Stage
from rtcdiag.formats.tables import Cell, Table, code
from rtcdiag.formats.words import STAGE_TONE, STAGE_WORD, Tone, ms
from rtcdiag.report import Capability, CapabilityAnswer, Report, ServerRow, StageRow
from rtcdiag.targets import UriError, parse_server


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """The round-trip times of one server row, in milliseconds."""

    name: str
    samples: tuple[float, ...]
    median: float
    p95: float
    sent: int
    answered: int

    @property
    def loss_percent(self) -> float:
        """How many requests were never answered, 0 to 100."""
        return 100 * (1 - min(1.0, self.answered / self.sent)) if self.sent > 0 else 0.0


def short(uri: str) -> str:
    """Return the host of a URI, the URI itself where it has none."""
    try:
        return parse_server(uri).host
    except UriError:
        return uri


def label(uri: str) -> str:
    """Return scheme and host: one host may run STUN and TURN; port and transport stand beside it."""
    host = short(uri)
    return uri if host == uri else f"{uri.partition(':')[0].lower()}:{f'[{host}]' if ':' in host else host}"


def rtt_ms(row: ServerRow) -> float | None:
    """Return the median round-trip time of a server, else how long its Binding took; None where neither is known."""
    median = (row.quality or {}).get("rtt_median_ms")
    if isinstance(median, int | float):
        return float(median)
    return next((stage.duration_ms for stage in row.stages if stage.stage == "binding"), None)


def broken(row: ServerRow) -> StageRow | None:
    """Return the stage that owns the verdict on a server: the first that failed, else the first with a warning."""
    for status in ("failed", "warning"):
        found = next((stage for stage in row.stages if stage.status == status), None)
        if found is not None:
            return found
    return None


def worst_first(rows: tuple[ServerRow, ...]) -> list[ServerRow]:
    """Return the servers, those that fail first; the first that works comes second, so that a few rows show both."""
    ordered = sorted(rows, key=lambda row: ("failed", "warning", "ok", "not-tested").index(row.status))
    works = next((at for at, row in enumerate(ordered) if row.status == "ok"), 0)
    return [*ordered[:1], ordered[works], *ordered[1:works], *ordered[works + 1 :]] if works > 1 else ordered


def one_of_each_first(rows: list[ServerRow]) -> list[ServerRow]:
    """Return the servers so that, where all work, a few rows show a TURN server and each URI before one shows twice."""
    if any(row.status != "ok" for row in rows):
        return rows
    seen: Counter[str] = Counter()
    turns: list[tuple[int, bool, ServerRow]] = []
    for row in rows:
        turns.append((seen[row.uri], not row.uri.startswith("turn"), row))
        seen[row.uri] += 1
    return [row for _, _, row in sorted(turns, key=lambda turn: turn[:2])]


def some(rows: tuple[ServerRow, ...], most: int) -> tuple[ServerRow, ...]:
    """Return at most ``most`` servers in their order, those that tell most."""
    kept = worst_first(rows)[:most]
    return tuple(row for row in rows if row in kept)[:most]


def outcome(row: ServerRow) -> Cell:
    """Return one server in a few words: ``ok 23 ms``, or the first broken stage."""
    stage = broken(row)
    word = STAGE_WORD[row.status]
    if row.status == "ok" or stage is None:
        return Cell(f"{word} {ms(rtt_ms(row))}".strip() if row.status == "ok" else word, STAGE_TONE[row.status])
    return Cell(f"{word} {stage.stage}", STAGE_TONE[row.status])


def place(row: ServerRow) -> str:
    """Return where a server was asked: its address, or through which proxy."""
    if row.via is not None:
        return f"via {row.via}"
    return str(row.address) if row.address else "no address"


def chains(report: Report) -> Table | None:
    """Return every server with its address, transport, stages and outcome."""
    if not report.servers:
        return None
    rows = tuple(
        (code(row.uri), code(place(row)), Cell(row.transport), outcome(row), Cell(chain(row))) for row in report.servers
    )
    return Table(caption="Servers", columns=("Server", "Address", "Transport", "Result", "Stages"), rows=rows)


def chain(row: ServerRow) -> str:
    """Return the stages as one line; those not tested only as a number of them."""
    told = [f"sent on by {row.redirected_from}"] if row.redirected_from else []
    told += [_stage_words(stage) for stage in row.stages if stage.status != "not-tested"]
    untested = sum(stage.status == "not-tested" for stage in row.stages)
    return " → ".join([*told, *([f"{untested} not tested"] if untested else []), *_agents_words(row)])


def _agents_words(row: ServerRow) -> list[str]:
    if row.ice is None:
        return []
    parts = (
        "ICE agents",
        STAGE_WORD[row.ice.status],
        ms(row.ice.duration_ms),
        row.ice.finding and f"[{row.ice.finding}]",
    )
    return [" ".join(filter(None, parts))]


def _stage_words(stage: StageRow) -> str:
    return " ".join(
        filter(
            None, (stage.stage, STAGE_WORD[stage.status], ms(stage.duration_ms), stage.finding and f"[{stage.finding}]")
        )
    )


CAPABILITY: dict[str, str] = {
    "relay-ipv4": "relay over IPv4",
    "relay-ipv6": "relay over IPv6",
    "both-families": "both families in one allocation",
    "dont-fragment": "DONT-FRAGMENT",
    "even-port": "EVEN-PORT",
    "reserved-port": "a pair of ports (RESERVATION-TOKEN)",
    "sha256": "SHA-256",
    "userhash": "USERHASH",
    "tcp-relay": "relay of TCP (RFC 6062)",
}
"""What each capability is called; a newer version's keeps its own name."""
_CAN: tuple[tuple[CapabilityAnswer, str, Tone], ...] = (
    ("yes", "yes", "ok"),
    ("no", "no", "muted"),
    ("undetermined", "not known", "warn"),
)


def capabilities(report: Report) -> Table | None:
    """Return what each TURN server can do beyond what calls need."""
    rows = tuple(
        (code(row.uri), code(row.address or ""), Cell(row.transport), *_capability(item))
        for row in report.servers
        for item in row.capabilities
    )
    columns = ("Server", "Address", "Transport", "Can", "Answer", "Why")
    return Table(caption="What TURN servers can do", columns=columns, rows=rows) if rows else None


def _capability(item: Capability) -> tuple[Cell, Cell, Cell]:
    word, tone = next((word, tone) for answer, word, tone in _CAN if answer == item.answer)
    return Cell(CAPABILITY.get(item.name, item.name)), Cell(word, tone), Cell(item.why or "")


def capability_words(row: ServerRow) -> tuple[str, ...]:
    """Return what one server can, cannot, and may be able to do: a line each, as far as there is something."""
    told = []
    for answer, label in (("yes", "can"), ("no", "cannot"), ("undetermined", "not known")):
        asked = [item for item in row.capabilities if item.answer == answer and item.why != NOT_ASKED]
        names = [CAPABILITY.get(item.name, item.name) for item in asked]
        told += [f"{label}: {', '.join(names)}"] if names else []
    return tuple(told)


def latencies(report: Report) -> tuple[Latency, ...]:
    """Return the round-trip times of every server that answered at least once."""
    found = (_latency(row) for row in report.servers)
    return tuple(item for item in found if item is not None)


def _latency(row: ServerRow) -> Latency | None:
    quality = row.quality or {}
    values = quality.get("rtt_ms")
    samples = sorted(float(value) for value in (values if isinstance(values, list | tuple) else ()) if _is_time(value))
    if not samples:
        return None
    sent, answered = (quality.get(name) for name in ("sent", "answered"))
    return Latency(
        name=f"{label(row.uri)} {row.transport} {place(row)}",
        samples=tuple(samples),
        median=samples[len(samples) // 2],
        p95=samples[min(len(samples) - 1, int(len(samples) * 0.95))],
        sent=sent if isinstance(sent, int) else len(samples),
        answered=answered if isinstance(answered, int) else len(samples),
    )


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9


def latency_table(report: Report) -> Table | None:
    """Return the numbers of the latency chart."""
    items = latencies(report)
    if not items:
        return None
    rows = tuple(
        (
            Cell(item.name, code=True),
            Cell(ms(item.median)),
            Cell(ms(item.p95)),
            Cell(f"{item.samples[0]:.1f} to {item.samples[-1]:.1f}"),
            Cell(f"{item.answered} of {item.sent}", "warn" if item.answered < item.sent else ""),
        )
        for item in items
    )
    columns = ("Server", "Median", "p95", "Range, ms", "Answered")
    return Table(caption="Round-trip times", columns=columns, rows=rows)


STAGE_HELP: dict[Stage, str] = {
    "config": "what the URI and the credentials say",
    "clock": "whether this clock is right",
    "dns": "the name has an address",
    "connect": "TCP connects",
    "tls": "TLS with a valid certificate",
    "binding": "a STUN Binding request is answered",
    "challenge": "Allocate without credentials is refused",
    "allocate": "Allocate with credentials is granted",
    "relayed-address": "the relayed address can be reached by peers",
    "permission": "CreatePermission or ChannelBind is granted",
    "data": "datagrams come through the relay, both ways",
    "refresh": "the allocation is prolonged",
    "release": "the allocation is given back",
}
"""What each stage proves."""
