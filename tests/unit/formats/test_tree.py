"""The causal chain as a tree."""

import msgspec
import pytest

from rtcdiag.evidence import IceMeeting
from rtcdiag.formats import RenderOptions, render
from rtcdiag.report import Report, evidence_of, raw_evidence
from rtcdiag.stages import server_rows
from rtcdiag.targets import Transport
from support.observations import at, resolution, target, turn_steps
from support.report_parts import TURN, TURN_AT, report
from support.reports import REPORTS


def relaying() -> Report:
    """Return a report of a relay that works, with rows made from its evidence."""
    seen = (
        target(TURN),
        resolution("turn.example.com", "198.51.100.20"),
        *turn_steps(TURN, TURN_AT, Transport.UDP, "198.51.100.20:60000"),
    )
    made = report("check-turn", REPORTS["check-stun"]().verdict, seen)
    return msgspec.structs.replace(made, servers=server_rows(evidence_of(made)[0], ()))


def tree(report: Report, **options: object) -> list[str]:
    """Return the lines of the tree in the text with ``-v``."""
    chosen = msgspec.convert({"verbosity": 1, **options}, RenderOptions)
    return render("text", report, chosen).partition("stage by stage\n")[2].partition("\n\n")[0].splitlines()


def line_of(report: Report, word: str, **options: object) -> str:
    return next(line for line in tree(report, **options) if word in line)


def test_every_stage_hangs_on_the_address_and_the_address_on_the_server() -> None:
    broken = REPORTS["wrong-password"]()
    (row,) = broken.servers

    lines = tree(broken)

    assert lines[0] == row.uri
    assert f"{row.address} over UDP  ✗ FAIL allocate" in " ".join(lines)
    shown = [stage.stage for stage in row.stages for line in lines if f" {stage.stage} " in f"{line} "]
    assert list(dict.fromkeys(shown)) == [stage.stage for stage in row.stages]


def test_only_the_first_broken_stage_owns_the_verdict_and_later_ones_are_not_tested() -> None:
    lines = tree(REPORTS["wrong-password"](), width=120)

    (owner,) = [line for line in lines if "owns the verdict" in line]
    assert "✗ allocate" in owner
    assert "41 ms" in owner
    assert "[turn-credentials-rejected]" in owner
    behind = lines[lines.index(owner) + 1 :]
    assert len(behind) == 5
    assert all("not tested" in line and "ms" not in line for line in behind)


def test_a_warning_owns_nothing() -> None:
    warned = msgspec.structs.replace(REPORTS["wrong-password"](), servers=())
    (row,) = REPORTS["wrong-password"]().servers
    stages = [
        msgspec.structs.replace(stage, status="warning" if stage.status == "failed" else "ok") for stage in row.stages
    ]
    warned = msgspec.structs.replace(
        warned, servers=(msgspec.structs.replace(row, status="warning", stages=tuple(stages)),)
    )

    assert "! allocate" in line_of(warned, "allocate   ")
    assert not any("owns the verdict" in line for line in tree(warned))


def test_a_stage_tells_what_was_seen() -> None:
    assert "relayed 198.51.100.20:60000" in line_of(relaying(), " allocate ")
    assert "5 of 5 datagrams arrived" in line_of(relaying(), " data ")
    assert "198.51.100.20" in line_of(relaying(), " dns ")


def test_the_guides_are_ascii_where_there_is_no_more() -> None:
    text = "\n".join(tree(REPORTS["everything"](), unicode=False))

    assert text.isascii()
    assert "|- + dns" in text
    assert "`- " in text


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal_and_guides_go_on_beside_wrapped_text(width: int) -> None:
    lines = tree(REPORTS["everything"](), width=width)

    assert max(map(len, lines)) <= width
    assert all(line[0] in "├│└ " or ":" in line for line in lines)


def test_a_report_without_servers_has_no_tree() -> None:
    assert tree(REPORTS["empty"]()) == []


def test_what_all_addresses_share_stands_once() -> None:
    twice = msgspec.structs.replace(relaying(), servers=relaying().servers * 2)

    assert sum(" config " in line for line in tree(twice)) == 1
    assert sum(" allocate " in line for line in tree(twice)) == 2


def test_what_ice_agents_say_stands_behind_all_stages() -> None:
    made = relaying()
    met = IceMeeting(
        t_ms=900.0,
        server=TURN,
        transport=Transport.UDP,
        destination=at(TURN_AT),
        outcome="not-connected",
        detail="every connectivity check failed",
    )
    seen = msgspec.structs.replace(evidence_of(made)[0], observations=(*evidence_of(made)[0].observations, met))
    rows = server_rows(seen, ())
    failing = msgspec.structs.replace(made, servers=rows, evidence=raw_evidence(seen))

    lines = tree(failing)
    (last,) = (number for number, line in enumerate(lines) if "✗ ICE agents       FAIL" in line)
    assert last > max(number for number, line in enumerate(lines) if "release" in line)
    assert "not connected: every connectivity check failed" in " ".join(
        " ".join(lines[last : last + 2]).replace("│", "").split()
    )
    assert "ICE agents FAIL" in render("markdown", failing)
