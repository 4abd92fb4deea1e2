"""Long things made short: rows left out, findings alike, and what each test socket showed."""

from rtcdiag.evidence import Binding, Evidence
from rtcdiag.formats.grouped import grouped, others
from rtcdiag.formats.tables import Cell, Table, folded
from rtcdiag.formats.tables.sockets import sockets
from support import findings as known
from support.observations import answered, at, binding, silent
from support.report_parts import AT, STUN

TABLE = Table(caption="c", columns=("a",), rows=tuple((Cell(str(n)),) for n in range(5)), note="About it.")
MAPPED = "203.0.113.7:50123"


def rows(*found: Binding) -> list[list[str]]:
    table = sockets(Evidence(observations=found))
    assert table is not None
    return [[cell.text for cell in row] for row in table.rows]


def seen(mapped: str, **more: object) -> Binding:
    return binding(STUN[0], more.pop("to", AT[0]), answered(5.0, AT[0], xor_mapped=at(mapped)), 5.0, **more)  # type: ignore[arg-type]  # options of a binding


def test_a_folded_table_says_how_many_rows_it_leaves_out() -> None:
    short = folded(TABLE, 4)
    assert short is not None

    assert (len(short.rows), short.note) == (4, "About it. 1 more row stands in the JSON.")
    assert folded(TABLE, 5) is TABLE
    assert folded(None, 5) is None


def test_findings_of_one_code_are_one_group_in_the_order_of_the_first() -> None:
    one, other = known.numbered(1), known.numbered(2)

    groups = grouped((one, other, one))

    assert [(group.finding, len(group.others)) for group in groups] == [(one, 1), (other, 0)]
    assert others(groups[0]).rows[0][1].text == one.subject


def test_a_socket_with_one_mapped_address_everywhere_is_told_so() -> None:
    ((_, socket, result, mapped, asked, family),) = rows(
        seen(MAPPED, purpose="mapping", socket="m1"), seen(MAPPED, purpose="mapping", socket="m1", to=AT[1])
    )

    assert (socket, family, asked, mapped) == ("m1", "IPv4", "2 addresses", MAPPED)
    assert result == "the same at all 2"


def test_different_mapped_addresses_and_silence_are_counted() -> None:
    mute = binding(STUN[0], AT[0], silent(0.0), 0.0, purpose="mapping", socket="m1")
    found = rows(*(seen(f"203.0.113.7:{5000 + n}", purpose="mapping", socket="m1", to=AT[1]) for n in range(3)), mute)

    assert found[0][2:4] == [
        "3 different mapped addresses, 1 without an answer",
        "203.0.113.7:5000, 203.0.113.7:5001 and 1 more",
    ]
    assert rows(mute)[0][2:4] == ["no answer to 1 request", ""]


def test_what_got_in_from_elsewhere_is_told_beside_what_did_not() -> None:
    kept_out = binding(STUN[0], AT[0], silent(0.0), 0.0, purpose="filtering", socket="f", change="address-and-port")
    let_in = seen(MAPPED, purpose="filtering", socket="f", change="port")

    assert rows(kept_out, let_in)[0][2] == "from another address and port: nothing came; from another port: got in"


def test_sockets_that_show_how_ports_are_chosen_share_a_row() -> None:
    found = [seen(f"203.0.113.7:{5000 + n}", purpose="ports", socket=f"p{n}") for n in range(3)]

    assert [row[1] for row in rows(*found)] == ["3 sockets"]
    assert rows(*found)[0][2].endswith("of 3 keep their port")


def test_a_report_without_nat_tests_has_no_table_of_them() -> None:
    assert sockets(Evidence(observations=(seen(MAPPED, purpose="reach"),))) is None
