"""Option groups: what is written out here agrees with what the program has elsewhere."""

from typing import Annotated, get_args

import typer

from rtcdiag.cli.exits import REQUIREMENTS
from rtcdiag.cli.grouping import grouped
from rtcdiag.cli.options import FailOn, FormatName, Judgement, Output, Requirement
from rtcdiag.findings import Severity
from rtcdiag.formats import FORMATS


def test_the_formats_of_the_option_are_those_of_the_program() -> None:
    assert get_args(FormatName) == tuple(FORMATS)


def test_the_severities_of_the_option_are_those_of_findings() -> None:
    assert get_args(FailOn) == (*Severity, "never")


def test_every_requirement_can_be_judged() -> None:
    assert set(REQUIREMENTS) == set(Requirement)


def test_a_command_of_groups_gets_each_option_as_a_parameter_and_the_groups_as_values() -> None:
    seen: list[object] = []

    def command(name: Annotated[str, typer.Argument()], *, output: Output, judgement: Judgement) -> int:
        seen.extend([name, output, judgement])
        return 7

    flat = grouped(command)
    names = list(flat.__signature__.parameters)  # type: ignore[attr-defined]  # set by grouped
    assert names == ["name", "as_json", "format", "output", "quiet", "verbose", "fail_on", "require"]
    given = {"as_json": True, "format": None, "output": None, "quiet": False, "verbose": 2}
    assert flat(name="x", fail_on="never", require=None, **given) == 7
    assert seen == ["x", Output(as_json=True, verbose=2), Judgement(fail_on="never")]
