"""What holds for every format of every comparison and session, plain and hostile."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from rtcdiag.address import Family
from rtcdiag.compare import Comparison, compare, decode, encode
from rtcdiag.compare.party import KnownRelay
from rtcdiag.diagnosis import Run, diagnose
from rtcdiag.formats import RenderOptions
from rtcdiag.formats import render as render_report
from rtcdiag.formats.comparison import FORMATS, render
from rtcdiag.formats.embedded import extract_json
from rtcdiag.formats.fitting import LIMIT_BYTES
from support.cases.session import CASES
from support.halves import (
    A_DIRECT,
    B_DIRECT,
    FAR_SYMMETRIC,
    HERE,
    SYMMETRIC,
    THERE,
    answerer,
    direct,
    half,
    no_path,
    relayed,
)
from support.homes import ASKED
from support.hostile import TOGETHER
from support.two_ends import (
    A_GATHERED,
    A_HOST,
    A_MAPPED,
    A_OTHER,
    B_GATHERED,
    B_HOST,
    B_MAPPED,
    chosen,
    learned,
    packets,
    pair,
    session,
)


def everything() -> Comparison:
    """Return a session of which there is something to say in every table."""
    own = learned("own", A_OTHER, A_MAPPED, A_HOST)
    a = session("connected", "no-pair-answered", selected=(chosen(A_DIRECT),), trickle=False, address_changed=True)
    many = tuple(pair(A_HOST, B_HOST, "host host") for _ in range(9))
    one = half(HERE, a, A_DIRECT, *many, own, packets(A_DIRECT, 30), *A_GATHERED)
    return compare(one, half(THERE, answerer(), B_DIRECT, packets(B_DIRECT), *B_GATHERED), ASKED)


def networks() -> Comparison:
    return compare(SYMMETRIC.report(), FAR_SYMMETRIC.report(), ASKED)


MAKERS = (everything, networks, direct, relayed, no_path)
EVERY = pytest.mark.parametrize("make", MAKERS, ids=[make.__name__ for make in MAKERS])


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_tables_with_times_of_both_ends_say_from_when_each_counts(name: str) -> None:
    written = render(name, everything(), RenderOptions(verbosity=1))

    assert written.count("own start") == 2


@EVERY
@pytest.mark.parametrize("verbosity", [0, 1])
def test_a_terminal_of_80_columns_suffices_and_the_answer_is_first_and_last(
    make: Callable[[], Comparison], verbosity: int
) -> None:
    lines = render("text", make(), RenderOptions(verbosity=verbosity)).splitlines()

    assert max(map(cell_len, lines)) <= 80
    assert lines[0].startswith("Direct P2P of A and B")
    assert lines[-1] == lines[0]
    assert verbosity or len(lines) <= 24


@pytest.mark.parametrize(
    ("offerer", "words"),
    [("websocket", "A by WebSocket, B by SSE and POST, "), ("sse", "Session     by SSE and POST, ")],
)
def test_each_end_is_told_by_its_own_way_where_they_differ(offerer: str, words: str) -> None:
    text = render("text", direct(signaling=offerer), RenderOptions())
    assert " ".join(words.split()) in " ".join(text.split())


def test_all_pairs_stand_in_the_tables() -> None:
    made = everything()
    assert made.session is not None

    for name in ("markdown", "html"):
        text = render(name, made, RenderOptions())
        assert text.count("192.168.7.4:60200") >= len(made.session.pairs) - 1
    assert render("text", made, RenderOptions(verbosity=1)).count("way: direct") == len(made.session.pairs)


@EVERY
def test_the_page_holds_the_comparison_itself(make: Callable[[], Comparison]) -> None:
    assert decode(extract_json(render("html", make(), RenderOptions()))) == make()


def poisoned(made: Comparison, text: str) -> Comparison:
    """Return the comparison with a hostile string wherever a free text stands."""
    tree = msgspec.json.decode(encode(made))
    for side in ("a", "b"):
        tree[side] |= {"report": text, "command": text, "started_at": text, "summary": text, "nat": {"ipv4": text}}
        tree["session"][side] |= {"detail": text}
        tree["session"][side]["waiting"] = {"kept_back_ms": 900.0, "paid": True, "server": text}
    tree["verdict"]["summary"] = tree["id"] = tree["session"]["why"] = tree["session"]["session"] = text
    tree["session"]["prediction"] |= {"why": text, "wrong_input": text}
    tree["notes"] = [text]
    return decode(msgspec.json.encode(tree))


@pytest.mark.parametrize("text", TOGETHER.values(), ids=TOGETHER)
def test_no_format_lets_a_hostile_string_act(text: str) -> None:
    made = poisoned(everything(), text)

    for name in FORMATS:
        shown = render(name, made, RenderOptions(verbosity=1))
        assert all(line.isprintable() for line in shown.split("\n"))
    page = render("html", made, RenderOptions())
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == 1
    assert all(cell_len(line) <= 80 for line in render("text", made, RenderOptions()).splitlines())


RUN = Run(id="r", command="connect", started_at="2026-11-23T12:00:00.000Z", duration_ms=9000.0)


@pytest.mark.parametrize("sentence", CASES)
def test_one_ends_report_of_a_session_fits_a_terminal(sentence: str) -> None:
    report = diagnose(CASES[sentence].evidence, RUN)
    lines = render_report("text", report, RenderOptions()).splitlines()

    assert len(lines) <= 24
    assert max(map(cell_len, lines)) <= 80
    assert any(line.startswith("Session ") for line in lines)


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
def test_one_ends_report_shows_its_pairs_and_policies(name: str) -> None:
    report = diagnose(CASES["two ends connect through a relay only"].evidence, RUN)
    shown: Any = render_report(name, report, RenderOptions(verbosity=1))

    assert "What each policy achieved" in shown
    assert "Candidate pairs" in shown
    assert f"{B_MAPPED}" in shown


def test_a_page_of_very_many_pairs_and_relays_is_folded_and_keeps_them_all_in_its_json() -> None:
    found = everything()
    assert found.session is not None
    session = msgspec.structs.replace(found.session, pairs=found.session.pairs * 400)
    relay = KnownRelay(uri="turn:example.org", transport="udp", family=Family.IPV4, usable="no")
    relays = tuple(msgspec.structs.replace(relay, uri=f"turn:{n}.example.org") for n in range(2500))
    big = msgspec.structs.replace(
        found,
        session=session,
        a=msgspec.structs.replace(found.a, relays=relays),
        notes=tuple(f"note {n} is one of very many that limit the answer" for n in range(5000)),
    )
    html = render("html", big)
    assert len(html.encode()) <= LIMIT_BYTES
    assert "stand in the JSON" in html
    assert decode(extract_json(html)) == big


def test_what_would_change_the_answer_stands_in_the_banner_of_the_page() -> None:
    found = no_path()
    (change,) = found.verdict.would_change_if
    banner = render("html", found).partition('<section class="part"')[0]
    assert change.change in banner
