"""``docs/usage.md`` and the program say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from rtcdiag.cli import exits
from rtcdiag.cli.app import COMMANDS, app
from rtcdiag.cli.lab_pair import AND
from rtcdiag.cli.options import Requirement
from rtcdiag.contacts import CONTROL_HOSTS, CONTROL_NAMES, STUN_SERVERS, WEB_CHECKS
from rtcdiag.formats import FORMATS

ROOT = Path(__file__).parents[3]
USAGE = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
FINDINGS = USAGE.partition("## Exit codes\n")[2].partition("\n## ")[0]


def leaves() -> dict[str, Any]:
    """Every command that can be run, by the words behind ``rtcdiag``."""
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for entry in COMMANDS:
        command = group.get_command(None, entry.name)
        inner = getattr(command, "entries", ())
        found |= {f"{entry.name} {one.name}": command.get_command(None, one.name) for one in inner} or {
            entry.name: command
        }
    return found


LEAVES = leaves()


def options(command: Any) -> set[str]:
    return {name for item in command.params for name in item.opts if name.startswith("--")}


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert re.findall(r"^### `rtcdiag (.+)`$", USAGE, re.MULTILINE) == list(LEAVES)


def test_every_option_is_documented_and_every_documented_option_exists() -> None:
    documented = set(re.findall(r"--[a-z][a-z0-9-]*", USAGE)) - {"--help", AND}
    assert documented == set().union(*map(options, LEAVES.values()))


def test_every_example_is_a_command_line_that_parses() -> None:
    import shlex

    examples = re.findall(r"^rtcdiag (.+)$", USAGE, re.MULTILINE)
    assert len(examples) >= 10
    for example in examples:
        words = shlex.split(example)
        name = " ".join(words[:2]) if words[0] in {"serve", "lab"} else words[0]
        LEAVES[name].make_context(name, words[len(name.split()) :])


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", FINDINGS, re.MULTILINE)]
    own = [exits.OK, exits.FINDINGS, exits.USAGE, exits.INCONCLUSIVE, exits.SIGNAL + 2, exits.SIGNAL + 15]
    assert codes == own
    assert [int(code) for code in re.findall(r"\*\*(\d+)\*\*", README)] == own


def test_the_readme_has_every_command_in_its_table() -> None:
    rows = re.findall(r"^\| `rtcdiag ([a-z-]+(?: [a-z]+)?)[^`]*` \|", README, re.MULTILINE)
    assert rows == list(LEAVES)


def test_the_readme_names_no_option_that_does_not_exist() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", README))
    assert named <= set().union(*map(options, LEAVES.values()))


@pytest.mark.parametrize("contact", [*STUN_SERVERS, *CONTROL_HOSTS, *WEB_CHECKS, *CONTROL_NAMES])
def test_every_contact_is_documented_with_its_operator(contact: Any) -> None:
    assert f"| `{contact.target}` | {contact.operator} |" in USAGE


def test_no_contact_is_documented_that_the_program_does_not_have() -> None:
    listed = set(re.findall(r"^\| `((?:stun:\S+|\S+:443|http:\S+))` \|", USAGE, re.MULTILINE))
    servers = {contact.target for contact in (*STUN_SERVERS, *CONTROL_HOSTS)}
    assert listed == servers | {check.target for check in WEB_CHECKS}


def test_every_requirement_and_format_is_documented() -> None:
    for name in (*Requirement, *FORMATS, *FORMATS.values()):
        assert f"`{name}`" in USAGE, name
