"""The JSON promise: what a reader found in version 1.0 it finds for ever.

``python tests/support/golden.py`` writes the file anew when something was added.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from rtcdiag.report import decode, encode
from support.golden import GOLDEN, golden


def leaves(node: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from leaves(child, f"{path}.{key}")
    if not isinstance(node, dict | list):
        yield path, node


def test_every_value_of_the_golden_report_is_still_written_under_the_same_name() -> None:
    now = dict(leaves(msgspec.json.decode(golden())))
    promised = dict(leaves(msgspec.json.decode(GOLDEN.read_bytes())))

    assert {path: now.get(path, "GONE") for path in promised} == promised


def test_the_golden_report_knows_every_field() -> None:
    now = {path for path, _ in leaves(msgspec.json.decode(golden()))}
    promised = {path for path, _ in leaves(msgspec.json.decode(GOLDEN.read_bytes()))}

    assert not now - promised, "added fields: run python tests/support/golden.py"


def test_the_golden_report_still_reads() -> None:
    assert msgspec.json.decode(encode(decode(GOLDEN.read_bytes()))) == msgspec.json.decode(golden())
