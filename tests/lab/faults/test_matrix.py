"""The matrix as a whole: every failure that it has to hold is in it, and each row names a code of its own failure."""

import re
from collections.abc import Iterable, Mapping

import pytest

from lab.codes.asking import Row
from lab.faults import (
    test_allocation,
    test_answers,
    test_configuration,
    test_credentials,
    test_names,
    test_reach,
    test_relay,
    test_tls,
)
from rtcdiag.findings import catalogue

pytestmark = pytest.mark.lab

MODULES = (
    test_configuration,
    test_credentials,
    test_names,
    test_reach,
    test_tls,
    test_allocation,
    test_relay,
    test_answers,
)
ROWS: Mapping[str, Row] = {name: row for module in MODULES for name, row in module.ROWS.items()}
REQUIRED = """
C1 C2 C3 C4 C5 C6 C7 A1 A2 A3 A4 A5 A8 A10 N1 N2 N3 N5 N6 N7 N8 N9 N10 N11 N14 N15 N18
T1 T2 T3 T4 T5 T6 T7 T9 T11 L1 L3 L4 L5 L6 L8 L9 R1 R2 R3 R4 D1 D4 D5 D6 D7 D8 D9 S1 S2 S3
"""
LEAST = 65


def failures(names: Iterable[object]) -> set[str]:
    """Return the rows of the catalogue of failures, such as T3, that names of rows begin with."""
    return {str(name).partition(" ")[0] for name in names}


def test_every_failure_that_has_to_be_named_has_a_row() -> None:
    assert set(REQUIRED.split()) - failures(ROWS) - failures(test_configuration.USAGE) == set()
    assert len(ROWS) >= LEAST


def test_no_row_stands_in_two_modules() -> None:
    assert sum(len(module.ROWS) for module in MODULES) == len(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_expects_a_code_of_its_own_failure(name: str) -> None:
    row = ROWS[name]
    assert re.match(r"[A-Z]\d+ \w", name)
    codes = {code for code in (row.code, *row.beside) if code}
    assert failures([name]) <= {catalogue()[code].row for code in codes}
