"""Attribute types and the codec of every value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import (
    AttributeType,
    ErrorCode,
    FamilyErrorCode,
    IcmpError,
    attribute_name,
    comprehension_required,
)
from rtcdiag.stun.values import CODECS, pack_value, size_problem, unpack_value

ID = bytes(range(12))
VALUES: dict[str, Any] = {
    "_pack_address": TransportAddress("2001:db8::7", 65535),
    "_pack_xor_address": TransportAddress("203.0.113.7", 1),
    "_pack_text": "täxt",
    "_pack_bytes": bytes(20),
    "_pack_error": ErrorCode(699, "why"),
    "_pack_family_error": FamilyErrorCode(2, 440, "why"),
    "_pack_types": (1, 0xFFFF),
    "_pack_icmp": IcmpError(3, 4, 1400),
}


@pytest.mark.parametrize("kind", AttributeType, ids=str)
def test_every_defined_attribute_has_a_codec_that_reads_what_it_wrote(kind: AttributeType) -> None:
    codec = CODECS[kind]
    name = getattr(codec.pack, "__name__", "number")
    value = True if name == "_pack_flag" else VALUES.get(name, 1)
    raw = pack_value(kind, value, ID)
    assert unpack_value(kind, raw, ID) == value
    if kind not in (AttributeType.USERHASH, AttributeType.RESERVATION_TOKEN):
        assert size_problem(kind, len(raw)) is None


def test_names_are_those_of_the_rfcs() -> None:
    assert attribute_name(0x0020) == "XOR-MAPPED-ADDRESS"
    assert attribute_name(0x7ABC) == "0x7ABC"


def test_the_upper_half_of_the_types_is_optional_to_understand() -> None:
    assert comprehension_required(0x7FFF)
    assert not comprehension_required(0x8000)


def test_a_type_without_a_codec_keeps_its_bytes() -> None:
    assert pack_value(0x7ABC, b"abc", ID) == unpack_value(0x7ABC, b"abc", ID) == b"abc"
    assert size_problem(0x7ABC, 3) is None


def test_texts_of_the_wire_can_be_echoed_byte_for_byte() -> None:
    assert pack_value(AttributeType.REALM, b"\xff\xfe", ID) == b"\xff\xfe"


def test_a_family_error_needs_four_bytes() -> None:
    with pytest.raises(ValueError, match="too short"):
        unpack_value(AttributeType.ADDRESS_ERROR_CODE, b"", ID)


def test_response_port_is_read_in_both_sizes_that_servers_use() -> None:
    assert unpack_value(AttributeType.RESPONSE_PORT, b"\x12\x34", ID) == 0x1234
    assert unpack_value(AttributeType.RESPONSE_PORT, b"\x12\x34\0\0", ID) == 0x1234
    assert size_problem(AttributeType.RESPONSE_PORT, 2) is None


@given(st.ip_addresses(), st.integers(0, 65535), st.binary(min_size=12, max_size=12))
def test_addresses_survive_the_mask_and_are_hidden_by_it(ip: Any, port: int, transaction_id: bytes) -> None:
    address = TransportAddress(ip, port)
    masked = pack_value(AttributeType.XOR_MAPPED_ADDRESS, address, transaction_id)
    assert unpack_value(AttributeType.XOR_MAPPED_ADDRESS, masked, transaction_id) == address
    assert masked[2:8] != pack_value(AttributeType.MAPPED_ADDRESS, address, transaction_id)[2:8]


@given(st.sampled_from(list(AttributeType)), st.binary(max_size=40))
def test_reading_noise_raises_nothing_but_value_error(kind: AttributeType, raw: bytes) -> None:
    try:
        unpack_value(kind, raw, ID)
    except ValueError:
        return
