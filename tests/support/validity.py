"""Hold what is written as JSON against the schema, which is made and compiled once for each test process."""

from functools import cache

import jsonschema

from rtcdiag.schema import report_schema


@cache
def validator() -> jsonschema.Draft202012Validator:
    """Return what ``jsonschema.validate`` would make anew, and hold against its own meta-schema, for each document.

    ``test_the_schema_is_a_schema`` does the latter, once.
    """
    return jsonschema.Draft202012Validator(report_schema())
