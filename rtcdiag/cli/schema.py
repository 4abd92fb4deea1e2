"""``rtcdiag schema``."""

from rtcdiag.cli.commands import command_app


def schema() -> int:
    """Print the JSON Schema (2020-12) of what this version writes as JSON: reports, comparisons, health checks."""
    import json

    from rtcdiag.cli.streams import emit
    from rtcdiag.schema import report_schema

    emit(json.dumps(report_schema(), indent=2) + "\n", utf8=True)
    return 0


app = command_app(schema)
