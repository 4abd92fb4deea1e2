"""Priorities and foundations of the candidates that we make ourselves."""

from ipaddress import ip_address

import pytest
from aioice.candidate import candidate_priority

from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.probes.gathering import foundation, priority

A, B = ip_address("2001:db8::1"), ip_address("2001:db8::2")


@pytest.mark.parametrize("kind", ["host", "srflx", "prflx", "relay"])
@pytest.mark.parametrize("component", [1, 2, 256])
@pytest.mark.parametrize("preference", [0, 1, 65535])
def test_a_priority_is_what_aioice_computes_by_the_same_formula(
    kind: CandidateType, component: int, preference: int
) -> None:
    assert priority(kind, preference, component) == candidate_priority(component, kind, preference)


def test_a_priority_is_between_1_and_2_to_the_31() -> None:
    assert priority("relay", 0, 255) == 1
    assert priority("host", 65535) == 0x7EFFFFFF


def test_a_foundation_is_the_same_for_the_same_type_base_and_server_and_no_other() -> None:
    assert foundation("srflx", A, B) == foundation("srflx", A, B)
    others = {
        foundation("srflx", A, A),
        foundation("srflx", B, B),
        foundation("relay", A, B),
        foundation("srflx", A, B),
    }
    assert len(others) == 4


def test_a_foundation_is_1_to_32_ice_chars() -> None:
    name = foundation("srflx", A, B)
    assert name.isascii()
    assert name.isalnum()
    assert 1 <= len(name) <= 32
