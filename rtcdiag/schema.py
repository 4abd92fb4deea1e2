"""The JSON Schema of reports, made from the types that write them."""

from typing import Any

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import KINDS
from rtcdiag.report import SCHEMA_VERSION, Report

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/{name}"


def report_schema() -> dict[str, Any]:
    """Return the schema of a report (JSON Schema 2020-12); fields and kinds that it does not know are allowed."""
    schemas, components = msgspec.json.schema_components((Report, *KINDS), schema_hook=_hook, ref_template=_REF)
    report = components.pop("Report")
    report["properties"]["evidence"]["items"] = {"$ref": _REF.format(name="AnyObservation")}
    components["AnyObservation"] = _any_observation(schemas[1:])
    return {
        "$schema": _DIALECT,
        "$id": f"urn:rtcdiag:report:{SCHEMA_VERSION}",
        **report,
        "$defs": dict(sorted(components.items())),
    }


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
