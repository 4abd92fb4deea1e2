"""What the opt-in experiments send: which silences, and requests of an exact size."""

import pytest

from rtcdiag.address import Family
from rtcdiag.probes.fragments import HEADERS, LONG, UNFRAGMENTED, long_request
from rtcdiag.probes.lifetime import USUAL_S, silences
from rtcdiag.stun.codec import decode


@pytest.mark.parametrize(
    ("up_to_s", "expected"),
    [
        (185.0, USUAL_S[:-1]),
        (65.0, (16.0, 28.0, 43.0, 58.0)),
        (300.0, USUAL_S),
        (600.0, (*USUAL_S, 600.0)),
        (8.0, (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)),
        (1.0, (0.12, 0.25, 0.38, 0.5, 0.75, 1.0)),
    ],
)
def test_the_silences_are_usual_ones_or_parts_of_a_short_longest_one(
    up_to_s: float, expected: tuple[float, ...]
) -> None:
    assert silences(up_to_s) == expected


@pytest.mark.parametrize("up_to_s", [1.0, 5.0, 30.0, 57.9, 58.0, 90.0, 184.0, 299.0, 900.0])
def test_no_silence_is_longer_than_asked_for_and_each_is_longer_than_the_one_before(up_to_s: float) -> None:
    found = silences(up_to_s)
    assert len(found) >= 4
    assert list(found) == sorted(set(found))
    assert found[-1] <= up_to_s


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("packet_bytes", [LONG, 1700, *UNFRAGMENTED, 104, 108, 112])
def test_a_long_request_is_a_packet_of_exactly_that_size_and_breaks_no_rule(packet_bytes: int, family: Family) -> None:
    request = long_request(packet_bytes, family)
    message = decode(request.data)
    assert len(request.data) + HEADERS[family] == packet_bytes
    assert set(message.problems) <= {"SOFTWARE is repeated"}, "allowed, and passed over (RFC 8489 section 14)"
    assert all(len(found.raw) < 128 for found in message.attributes)
