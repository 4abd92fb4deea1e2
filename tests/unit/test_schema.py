"""The JSON Schema: it is one, every report is valid by it, and it tells a wrong report from a right one."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from rtcdiag.cli.entry import main
from rtcdiag.compare import Comparison, compare
from rtcdiag.compare import encode as encode_comparison
from rtcdiag.evidence import KINDS
from rtcdiag.formats.health import render
from rtcdiag.formats.options import RenderOptions
from rtcdiag.nat import Nat
from rtcdiag.report import Report, encode
from rtcdiag.schema import report_schema
from support.evidence import binding, failed, run
from support.halves import HERE, SYMMETRIC, direct, no_path, relayed
from support.health import TURN, result, round_of
from support.health import healthy as healthy_target
from support.homes import ASKED
from support.reports import REPORTS
from support.validity import validator

SCHEMA = report_schema()
VALIDATOR = validator()


def healthy() -> dict[str, Any]:
    report: dict[str, Any] = json.loads(encode(REPORTS["healthy"]()))
    return report


def test_every_key_of_a_nat_is_described() -> None:
    described = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    keys = {field.name for field in msgspec.structs.fields(Nat)}

    assert keys <= set(re.findall(r"`(\w+)`", described))


def test_the_committed_schema_is_what_the_command_prints(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    committed = (Path(__file__).parents[2] / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert committed == capfd.readouterr().out, "changed: run rtcdiag schema > docs/report.schema.json"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_every_report_is_valid(make: Callable[[], Report]) -> None:
    VALIDATOR.validate(json.loads(encode(make())))


@pytest.mark.parametrize("make", [direct, relayed, no_path], ids=lambda make: make.__name__)
def test_every_session_is_valid_and_a_wrong_one_is_not(make: Callable[[], Comparison]) -> None:
    found = json.loads(encode_comparison(make()))
    VALIDATOR.validate(found)
    found["session"]["pairs"][0]["state"] = "fine"

    assert not VALIDATOR.is_valid(found)


def test_a_comparison_is_valid_and_is_not_taken_for_a_report() -> None:
    found = json.loads(encode_comparison(compare(SYMMETRIC.report(), HERE.report(), ASKED)))
    VALIDATOR.validate(found)

    assert not VALIDATOR.is_valid(found | {"kind": "report"})


def test_every_kind_of_evidence_has_a_schema() -> None:
    kinds = {branch["if"]["properties"]["kind"]["const"] for branch in SCHEMA["$defs"]["AnyObservation"]["allOf"]}
    assert kinds == {kind.__name__ for kind in KINDS}


def test_evidence_and_fields_of_a_later_version_are_valid() -> None:
    report = healthy()
    report["new_field"] = {"a": 1}
    report["evidence"].append({"kind": "NewKind", "id": "obs-999", "t_ms": 1.0, "anything": True})
    VALIDATOR.validate(report)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("started_at",), 5),
        (("verdict", "status"), "fine"),
        (("verdict",), None),
        (("evidence", 0, "t_ms"), "late"),
        (("evidence", 0, "kind"), None),
        (("servers", 0, "address"), "example.org"),
    ],
)
def test_a_wrong_value_is_invalid(where: tuple[Any, ...], value: Any) -> None:
    report = healthy()
    inner: Any = report
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    assert not VALIDATOR.is_valid(report)


def health(name: str) -> str:
    found = round_of(healthy_target(), result(run(TURN.target(), binding(TURN.uri, TURN.address, failed()))))
    return "".join(render(name, found, RenderOptions()))


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_every_health_check_is_valid_and_a_wrong_one_is_not(name: str) -> None:
    documents = [json.loads(text) for text in (health(name).splitlines() if name == "jsonl" else [health(name)])]
    assert {document["kind"] for document in documents} <= {"health", "health-target"}
    for document in documents:
        VALIDATOR.validate(document)
    wrong = documents[0]["targets"][0] if name == "json" else documents[0]
    wrong["evidence"][0]["t_ms"] = "soon"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(documents[0])
