"""What a ticket shows."""

from rtcdiag.formats import RenderOptions, render
from support.reports import REPORTS


def ticket(name: str, verbosity: int = 0) -> str:
    return render("markdown", REPORTS[name](), RenderOptions(verbosity=verbosity))


def test_the_verdict_is_the_heading_and_what_to_do_comes_next() -> None:
    text = ticket("wrong-password")

    assert text.startswith("## TURN: BROKEN\n")
    assert text.index("### Do this") < text.index("### Findings") < text.index("### Servers")


def test_values_of_the_wire_are_code() -> None:
    assert "| `turn:turn.example.com:3478` | `198.51.100.20:3478` | udp | **FAIL allocate** |" in ticket(
        "wrong-password"
    )


def test_the_familiar_name_stands_in_brackets() -> None:
    assert "behind a NAT (symmetric NAT), " in ticket("symmetric")


def test_transactions_are_left_out_of_a_ticket_unless_asked_for() -> None:
    assert "### Transactions" not in ticket("healthy")
    assert "### Transactions" in ticket("healthy", verbosity=2)


def test_an_interrupted_run_says_so() -> None:
    assert "interrupted" in ticket("crash")


def test_what_is_not_there_has_no_heading() -> None:
    assert "###" not in ticket("empty").replace("### This computer", "")
