"""The JSON Schema of all that is written as JSON with a ``kind``, made from the types that write it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.compare import Comparison
from rtcdiag.diff import Difference
from rtcdiag.evidence import KINDS
from rtcdiag.health.result import HealthResult, HealthSummary
from rtcdiag.report import SCHEMA_VERSION, Report

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/{name}"


def report_schema() -> dict[str, Any]:
    """Return the schema of what is saved (JSON Schema 2020-12), by its ``kind``.

    Fields and kinds of evidence that it does not know are allowed.
    """
    files = (Report, *_OTHERS.values())
    schemas, components = msgspec.json.schema_components((*files, *KINDS), schema_hook=_hook, ref_template=_REF)
    for name in ("Report", "HealthResult"):
        components[name]["properties"]["evidence"]["items"] = {"$ref": _REF.format(name="AnyObservation")}
    # The summary of a run stands around its targets; as the last line of JSON Lines, by itself.
    targets = {"type": "array", "items": {"$ref": _REF.format(name="HealthResult")}}
    components["HealthSummary"]["properties"]["targets"] = targets
    components["Report"]["properties"]["kind"] = {"const": "report"}
    components["AnyObservation"] = _any_observation(schemas[len(files) :])
    return {
        "$schema": _DIALECT,
        "$id": f"urn:rtcdiag:report:{SCHEMA_VERSION}",
        "title": "What rtcdiag saves",
        "type": "object",
        "allOf": list(_by_kind(schemas[0], dict(zip(_OTHERS, schemas[1:], strict=False)))),
        "$defs": dict(sorted(components.items())),
    }


_OTHERS: dict[str, type] = {
    "compare": Comparison,
    "connect": Comparison,
    "diff": Difference,
    "health": HealthSummary,
    "health-target": HealthResult,
}
"""The kinds that are no report, and what they hold."""


def _by_kind(report: dict[str, Any], others: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Hold each kind to its own schema; what names no kind is a report."""
    for kind, schema in others.items():
        yield {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": schema}
    yield {"if": {"properties": {"kind": {"enum": list(others)}}, "required": ["kind"]}, "else": report}


def _any_observation(kinds: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Hold a known kind to its own schema, and let an unknown one of a later version pass."""
    return {
        "title": "AnyObservation",
        "type": "object",
        "required": ["kind", "id", "t_ms"],
        "properties": {"kind": {"type": "string"}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind.__name__}}}, "then": schema}
            for kind, schema in zip(KINDS, kinds, strict=True)
        ],
    }


def _hook(kind: type[Any]) -> dict[str, Any]:
    if kind is TransportAddress:
        return {
            "title": "TransportAddress",
            "description": "203.0.113.7:50123 or [2001:db8::7]:50123",
            "type": "string",
            "pattern": r"^([0-9.]+|\[[0-9A-Fa-f:.]+(%[^\]]+)?\]):[0-9]{1,5}$",
        }
    raise NotImplementedError(f"no JSON Schema for {kind.__name__}")
