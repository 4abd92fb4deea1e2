"""``docs/lab.md`` and the lab say the same."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from rtcdiag.cli import lab_pair, lab_run
from rtcdiag.cli.laboratory import FAILED
from rtcdiag.lab.plan import NAME_SERVER, OPERATORS, plan
from rtcdiag.lab.processes import FAILED as FAILED_INSIDE
from rtcdiag.lab.servers import User, environment
from rtcdiag.lab.spec import SpecError, parse_spec, presets

LAB = (Path(__file__).parents[3] / "docs" / "lab.md").read_text(encoding="utf-8")
FLAGS = re.findall(r"`([a-z0-9]+)=`", LAB)


def test_every_preset_is_in_the_table_with_its_sentence() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (.+) \|$", LAB.partition("## Presets")[2].partition("\n## ")[0], re.MULTILINE
    )
    assert rows == [(name, preset.about) for name, preset in presets().items()]


@pytest.mark.parametrize("flag", sorted(set(FLAGS)))
def test_every_flag_of_the_table_exists(flag: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_spec(f"eim/eif {flag}=?")
    assert "no flag" not in str(refused.value)


def test_no_flag_is_left_out() -> None:
    with pytest.raises(SpecError) as refused:
        parse_spec("eim/eif nonsense=1")
    assert set(str(refused.value).partition("a name from ")[2].split(", ")) == set(FLAGS)


def test_the_defaults_of_the_table_are_those_of_a_specification_without_flags() -> None:
    said = (
        "port=preserving ports=1024-65535 parity=no pool=1 pooling=paired hairpin=none lifetime=300s refresh=outbound"
    )
    rest = "inbound=dropped blocked=silent udp=open tcp=open icmp=open fragments=open alg=no v6=firewall"
    line = "loss=0% delay=0ms jitter=0ms reorder=0% hold=20ms duplicate=0%"
    assert parse_spec(f"eim/eif {said} {rest} {line}") == parse_spec("eim/eif")
    for flag in f"{said} {rest} {line}".split():
        assert f"`{flag.partition('=')[2]}`" in LAB, flag


def test_the_addresses_and_variables_are_those_of_the_lab() -> None:
    nat, none = [parse_spec("symmetric")], [parse_spec("none")]
    for address in (plan("a", nat).address, plan("b", nat).address, plan("a", none).address, plan("b", none).address):
        assert str(address) in LAB
    assert NAME_SERVER in LAB
    assert OPERATORS[0].ipv4[0] in LAB
    told = environment(("embedded", "coturn"), User.new())
    assert {name for name in told if not name.endswith("_2")} <= set(re.findall(r"RTCDIAG_[A-Z0-9_]*[A-Z0-9]", LAB))
    assert f"`{told['RTCDIAG_LAB_STUN']}`" in LAB


def test_every_example_is_a_command_line_that_parses() -> None:
    examples = re.findall(r"^rtcdiag lab (run|pair) (.+)$", LAB, re.MULTILINE)
    assert len(examples) >= 4
    for name, line in examples:
        app = {"run": lab_run.app, "pair": lab_pair.app}[name]
        context = typer.main.get_command(app).make_context(name, shlex.split(line))
        for option in ("nat", "a", "b", "shared"):
            for spec in context.params.get(option) or ():
                parse_spec(spec)


def test_the_exit_code_of_the_labs_failure_is_the_same_everywhere() -> None:
    assert FAILED == FAILED_INSIDE == int(re.findall(r"\*\*(\d+)\*\* is the lab's own failure", LAB)[0])
