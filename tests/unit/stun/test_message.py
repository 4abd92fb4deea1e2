"""The codec: RFC 5769 vectors, what sloppy senders do, and aioice as an independent oracle."""

from struct import pack
from typing import Any

import aioice.stun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode
from rtcdiag.stun.codec import MAX_ATTRIBUTES, decode, encode
from rtcdiag.stun.credentials import long_term_key
from rtcdiag.stun.header import (
    Fault,
    MessageClass,
    Method,
    StunError,
    looks_like_stun,
    message_type,
    split_type,
)
from rtcdiag.stun.message import MAX_PROBLEMS, Message

ID = bytes(range(12))
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
# RFC 5769 sections 2.1 to 2.4
SAMPLE_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff"
    "80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249"
    "c1b571a280280004e57a3bcf"
)
SAMPLE_IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
SAMPLE_IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa"
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
SAMPLE_LONG_TERM = bytes.fromhex(
    "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c"
    "662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014"
    "f67024656dd64a3e02b8e0712e85c9a28ca89666"
)


def message(*attributes: tuple[int, bytes], kind: int = 0x0101) -> bytes:
    """Build a message by hand, padding included."""
    body = b"".join(pack("!HH", number, len(raw)) + raw + bytes(-len(raw) % 4) for number, raw in attributes)
    return pack("!HHI", kind, len(body), 0x2112A442) + ID + body


def test_the_sample_request_of_rfc_5769_is_read_and_verified() -> None:
    found = decode(SAMPLE_REQUEST)
    assert (found.message_class, found.method) == (MessageClass.REQUEST, Method.BINDING)
    assert found.software == "STUN test client"
    assert found.username == "evtj:h6vY"
    assert found.first(A.PRIORITY) == 0x6E0001FF
    assert found.first(A.ICE_CONTROLLED) == 0x932FF9B151263B36
    assert found.check_integrity(PASSWORD) == "valid"
    assert found.check_integrity(b"another") == "invalid"
    assert found.fingerprint == "valid"
    assert found.problems == ()


@pytest.mark.parametrize(
    ("sample", "address"),
    [(SAMPLE_IPV4, "192.0.2.1:32853"), (SAMPLE_IPV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")],
)
def test_the_sample_responses_of_rfc_5769_are_read_and_verified(sample: bytes, address: str) -> None:
    found = decode(sample)
    assert found.message_class is MessageClass.SUCCESS
    assert found.xor_mapped == TransportAddress.parse(address)
    assert found.software == "test vector"
    assert (found.check_integrity(PASSWORD), found.fingerprint) == ("valid", "valid")


def test_the_long_term_sample_of_rfc_5769_is_verified_with_the_key_of_its_credentials() -> None:
    found = decode(SAMPLE_LONG_TERM)
    assert found.realm == "example.org"
    assert found.nonce == b"f//499k954d6OL34oL9FSTvy64sA"
    key = long_term_key("マトリックス", "example.org", "TheMatrIX")
    assert found.check_integrity(key) == "valid"
    assert found.fingerprint == "absent"


def test_the_long_term_sample_is_encoded_to_the_same_bytes() -> None:
    found = decode(SAMPLE_LONG_TERM)
    attributes = [(attribute.type, attribute.value) for attribute in found.attributes if attribute.type != 8]
    key = long_term_key("マトリックス", "example.org", "TheMatrIX")
    made = encode(found.message_class, found.method, found.transaction_id, attributes, key=key, fingerprint=False)
    assert made == SAMPLE_LONG_TERM


@pytest.mark.parametrize("position", [1, 2, 3, 30, 60, 80, 100])
def test_a_changed_byte_is_never_valid(position: int) -> None:
    broken = bytearray(SAMPLE_REQUEST)
    broken[position] ^= 1
    try:
        found = decode(bytes(broken))
    except StunError:
        return
    assert "invalid" in (found.check_integrity(PASSWORD), found.fingerprint) or found.fingerprint == "absent"


def test_integrity_sha256_is_checked_where_there_is_no_older_one() -> None:
    from hashlib import sha256
    from hmac import new

    unsigned = message((A.USERNAME, b"user"), kind=1)
    signed_part = unsigned[:2] + pack("!H", len(unsigned) - 20 + 36) + unsigned[4:]
    value = new(b"key", signed_part, sha256).digest()
    found = decode(message((A.USERNAME, b"user"), (A.MESSAGE_INTEGRITY_SHA256, value), kind=1))
    assert found.check_integrity(b"key") == "valid"
    assert found.check_integrity(b"other") == "invalid"
    short_part = unsigned[:2] + pack("!H", len(unsigned) - 20 + 20) + unsigned[4:]
    truncated = new(b"key", short_part, sha256).digest()[:16]
    short = decode(message((A.USERNAME, b"user"), (A.MESSAGE_INTEGRITY_SHA256, truncated), kind=1))
    assert short.check_integrity(b"key") == "valid"
    # RFC 8489 section 14.6 allows a truncated value, but not a short one.
    assert decode(message((A.MESSAGE_INTEGRITY_SHA256, b"abcd"))).check_integrity(b"key") == "invalid"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Fault.TOO_SHORT),
        (bytes(19), Fault.TOO_SHORT),
        (b"\x80" + bytes(19), Fault.NOT_STUN),
        (b"HTTP/1.1 400 Bad Request", Fault.NOT_STUN),
        (bytes(20), Fault.WRONG_COOKIE),
        (message()[:2] + b"\0\x04" + message()[4:], Fault.WRONG_LENGTH),
        (SAMPLE_REQUEST[:-1], Fault.WRONG_LENGTH),
    ],
)
def test_what_is_no_stun_message_says_why(data: bytes, fault: Fault) -> None:
    with pytest.raises(StunError) as caught:
        decode(data)
    assert caught.value.fault is fault


def test_looking_like_stun_needs_the_cookie_and_a_whole_header() -> None:
    assert looks_like_stun(message())
    assert not looks_like_stun(message()[:19])
    assert not looks_like_stun(bytes(20))
    assert not looks_like_stun(b"\x40" + message()[1:])


def test_unknown_attributes_and_methods_are_kept_with_their_bytes() -> None:
    found = decode(message((0x7FFE, b"abc"), (0xFFFE, b""), kind=0x3EEF))
    assert found.method == 0xFFF
    assert found.message_class is MessageClass.REQUEST
    assert [(attribute.type, attribute.raw) for attribute in found.attributes] == [(0x7FFE, b"abc"), (0xFFFE, b"")]
    assert found.problems == ()


def test_the_first_of_a_repeated_attribute_counts_and_the_repetition_is_named() -> None:
    found = decode(message((A.SOFTWARE, b"first"), (A.SOFTWARE, b"second")))
    assert found.software == "first"
    assert [attribute.value for attribute in found.attributes] == ["first", "second"]
    assert found.problems == ("SOFTWARE is repeated",)


def test_peers_and_relayed_addresses_may_be_repeated() -> None:
    peers = [TransportAddress("203.0.113.7", 1), TransportAddress("2001:db8::1", 2)]
    attributes = [(A.XOR_PEER_ADDRESS, peer) for peer in peers] + [(A.XOR_RELAYED_ADDRESS, peer) for peer in peers]
    found = decode(encode(MessageClass.REQUEST, Method.CREATE_PERMISSION, ID, attributes))
    assert list(found.peers) == peers
    assert found.relayed == peers[0]
    assert found.problems == ()


def test_what_follows_message_integrity_is_ignored() -> None:
    forged = encode(MessageClass.SUCCESS, Method.REFRESH, ID, [(A.REALM, "r")], key=b"k", fingerprint=False)
    forged += pack("!HHI", A.LIFETIME, 4, 0)
    forged = forged[:2] + pack("!H", len(forged) - 20) + forged[4:]
    found = decode(forged)
    assert found.check_integrity(b"k") == "valid"
    assert found.lifetime_s is None
    assert found.problems == ("LIFETIME follows MESSAGE-INTEGRITY",)


def test_a_fingerprint_in_the_middle_is_named() -> None:
    data = encode(MessageClass.REQUEST, Method.BINDING, ID)
    data = data[:2] + pack("!H", 16) + data[4:] + pack("!HHI", A.PRIORITY, 4, 1)
    assert decode(data).problems == ("PRIORITY follows FINGERPRINT",)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "XOR-MAPPED-ADDRESS is too short for an address"),
        (b"\0\1\1\1\1\1\1", "XOR-MAPPED-ADDRESS is too short for its address"),
        (b"\0\2\1\1\1\1\1\1", "XOR-MAPPED-ADDRESS is too short for its address"),
        (b"\0\3\1\1\1\1\1\1", "XOR-MAPPED-ADDRESS names the unknown family 3"),
    ],
)
def test_an_address_that_cannot_be_read_is_named_and_counts_as_absent(raw: bytes, problem: str) -> None:
    found = decode(message((A.XOR_MAPPED_ADDRESS, raw), (A.SOFTWARE, b"still read")))
    assert found.xor_mapped is None
    assert found.software == "still read"
    assert found.problems == (problem,)


def test_an_address_with_bytes_behind_it_is_read_and_named() -> None:
    raw = pack("!BBH", 0, 1, 5) + bytes([192, 0, 2, 1]) + bytes(4)
    found = decode(message((A.MAPPED_ADDRESS, raw)))
    assert found.mapped == TransportAddress("192.0.2.1", 5)
    assert found.problems == ("MAPPED-ADDRESS has 12 bytes instead of 8 or 20",)


@pytest.mark.parametrize(
    ("kind", "raw", "problem"),
    [
        (A.LIFETIME, b"\0\1", "LIFETIME has 2 bytes instead of 4"),
        (A.CHANNEL_NUMBER, b"\x40", "CHANNEL-NUMBER has 1 bytes instead of 2"),
        (A.ERROR_CODE, b"\0\0\4", "ERROR-CODE is too short for an error code"),
        (A.ICMP, b"\0\0\4", "ICMP is too short for an ICMP error"),
    ],
)
def test_a_short_value_is_named(kind: A, raw: bytes, problem: str) -> None:
    found = decode(message((kind, raw)))
    assert found.first(kind) is None
    assert found.raw_of(kind) == raw
    assert found.problems == (problem,)


def test_a_reason_phrase_that_is_not_utf_8_does_not_hide_the_error_code() -> None:
    found = decode(message((A.ERROR_CODE, b"\0\0\4\1Unauthoris\xe9"), kind=0x0113))
    assert found.message_class is MessageClass.ERROR
    assert found.method == Method.ALLOCATE
    assert found.error == ErrorCode(401, "Unauthoris\ufffd")


def test_an_attribute_that_reaches_past_the_end_ends_the_reading() -> None:
    data = message((A.SOFTWARE, b"good"))
    data = data[:2] + pack("!H", 12) + data[4:] + pack("!HH", A.REALM, 9)
    found = decode(data)
    assert found.software == "good"
    assert found.problems == ("REALM reaches 9 bytes past the end of the message",)


def test_missing_padding_a_crooked_length_and_trailing_bytes_are_named() -> None:
    data = message((A.SOFTWARE, b"abc"))[:-1]
    unpadded = data[:2] + pack("!H", 7) + data[4:]
    assert decode(unpadded).software == "abc"
    assert decode(unpadded).problems == (
        "the length field, 7, is not a multiple of 4",
        "the last attribute is not padded",
    )
    assert decode(message() + b"more").problems == ("4 bytes follow the message",)
    crooked = message()[:2] + pack("!H", 3) + message()[4:] + b"\0\0\0"
    assert decode(crooked).problems[-1] == "3 bytes at the end are no attribute, or one too many"


def test_a_thousand_problems_are_few_words() -> None:
    assert len(decode(message(*[(A.LIFETIME, b"")] * 1000)).problems) == MAX_PROBLEMS


def test_a_thousand_attributes_are_read_up_to_a_bound() -> None:
    found = decode(message(*[(0x7000 + number, b"") for number in range(1000)]))
    assert len(found.attributes) == MAX_ATTRIBUTES
    assert found.problems == ("2976 bytes at the end are no attribute, or one too many",)


def test_every_accessor_is_none_or_empty_in_an_empty_message() -> None:
    found = decode(message())
    names = (
        "mapped xor_mapped other_address response_origin relayed alternate_server error software username realm nonce"
        " data lifetime_s channel requested_transport requested_family"
    )
    assert {getattr(found, name) for name in names.split()} == {None}
    assert (found.peers, found.unknown_attributes, found.change_request) == ((), (), (False, False))
    assert (found.fingerprint, found.check_integrity(b"k")) == ("absent", "absent")


def test_accessors_read_what_was_encoded() -> None:
    one, two, three = (TransportAddress("192.0.2.1", port) for port in (1, 2, 3))
    values: list[tuple[int, Any]] = [
        (A.MAPPED_ADDRESS, one),
        (A.CHANGED_ADDRESS, two),
        (A.SOURCE_ADDRESS, three),
        (A.ALTERNATE_SERVER, two),
        (A.DATA, b"data"),
        (A.CHANNEL_NUMBER, 0x4001),
        (A.REQUESTED_TRANSPORT, 17),
        (A.REQUESTED_ADDRESS_FAMILY, 2),
        (A.CHANGE_REQUEST, 6),
        (A.UNKNOWN_ATTRIBUTES, (3, 0x7FFF)),
        (A.LIFETIME, 600),
    ]
    found = decode(encode(MessageClass.SUCCESS, Method.ALLOCATE, ID, values))
    assert (found.mapped, found.other_address, found.response_origin, found.alternate_server) == (one, two, three, two)
    assert (found.data, found.channel, found.requested_transport, found.requested_family) == (b"data", 0x4001, 17, 2)
    assert (found.change_request, found.unknown_attributes) == ((True, True), (3, 0x7FFF))
    assert (found.lifetime_s, found.fingerprint) == (600, "valid")


def test_the_attributes_of_rfc_5780_win_over_those_of_rfc_3489() -> None:
    old, new = TransportAddress("192.0.2.1", 1), TransportAddress("192.0.2.2", 2)
    values = [(A.CHANGED_ADDRESS, old), (A.SOURCE_ADDRESS, old), (A.OTHER_ADDRESS, new), (A.RESPONSE_ORIGIN, new)]
    found = decode(encode(MessageClass.SUCCESS, Method.BINDING, ID, values))
    assert (found.other_address, found.response_origin) == (new, new)


def test_a_message_that_does_not_fit_its_length_field_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(MessageClass.INDICATION, Method.SEND, ID, [(A.DATA, bytes(65510))])


@given(st.sampled_from(MessageClass), st.integers(0, 0xFFF))
def test_class_and_method_survive_the_message_type(message_class: MessageClass, method: int) -> None:
    number = message_type(message_class, method)
    assert number < 0x4000
    assert split_type(number) == (message_class, method)


ADDRESSES = st.builds(TransportAddress, st.ip_addresses(), st.integers(0, 65535))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.binary(max_size=200))
def test_decoding_noise_raises_nothing_but_stun_error(data: bytes) -> None:
    try:
        found = decode(data)
    except StunError:
        return
    assert isinstance(found, Message)


@given(st.lists(st.tuples(st.sampled_from([*A, 0x7000, 0xF000]), st.binary(max_size=40)), max_size=8), st.binary())
def test_any_attributes_can_be_read_through_every_accessor(attributes: list[tuple[int, bytes]], key: bytes) -> None:
    found = decode(message(*attributes))
    for name in (name for name in vars(Message) if isinstance(getattr(Message, name), property)):
        getattr(found, name)
    found.check_integrity(key)
    assert [(attribute.type, attribute.raw) for attribute in found.attributes] == attributes


@given(st.integers(0, len(SAMPLE_REQUEST) - 1), st.integers(0, 255))
def test_a_real_message_with_one_wrong_byte_raises_nothing_but_stun_error(position: int, value: int) -> None:
    broken = bytearray(SAMPLE_REQUEST)
    broken[position] = value
    try:
        found = decode(bytes(broken))
    except StunError:
        return
    found.check_integrity(PASSWORD)


@given(ADDRESSES, TEXTS, st.binary(max_size=30), st.binary(min_size=12, max_size=12), st.integers(300, 699))
def test_what_we_encode_aioice_reads_the_same(
    address: TransportAddress, text: str, nonce: bytes, transaction_id: bytes, code: int
) -> None:
    values = [
        (A.MAPPED_ADDRESS, address),
        (A.USERNAME, text),
        (A.NONCE, nonce),
        (A.XOR_PEER_ADDRESS, address),
        (A.ERROR_CODE, ErrorCode(code, text)),
        (A.LIFETIME, 600),
        (A.CHANNEL_NUMBER, 0x4000),
    ]
    found = aioice.stun.parse_message(
        encode(MessageClass.ERROR, Method.ALLOCATE, transaction_id, values, key=b"key", fingerprint=True)
    )
    assert found.check_message_integrity(b"key")
    assert found.message_class is aioice.stun.Class.ERROR
    assert found.message_method is aioice.stun.Method.ALLOCATE
    assert found.transaction_id == transaction_id
    assert found.attributes["MAPPED-ADDRESS"] == found.attributes["XOR-PEER-ADDRESS"] == (address.host, address.port)
    assert (found.attributes["USERNAME"], found.attributes["NONCE"]) == (text, nonce)
    assert found.attributes["ERROR-CODE"] == (code, text)
    assert (found.attributes["LIFETIME"], found.attributes["CHANNEL-NUMBER"]) == (600, 0x4000)


@given(ADDRESSES, TEXTS, st.binary(max_size=30), st.binary(min_size=12, max_size=12), st.integers(300, 699))
def test_what_aioice_encodes_we_read_the_same(
    address: TransportAddress, text: str, data: bytes, transaction_id: bytes, code: int
) -> None:
    made = aioice.stun.Message(
        aioice.stun.Method.SEND,
        aioice.stun.Class.INDICATION,
        transaction_id=transaction_id,
        attributes={
            "XOR-MAPPED-ADDRESS": (address.host, address.port),
            "OTHER-ADDRESS": (address.host, address.port),
            "SOFTWARE": text,
            "DATA": data,
            "ERROR-CODE": (code, text),
            "CHANGE-REQUEST": 2,
        },
    )
    made.add_message_integrity(b"key")
    found = decode(bytes(made))
    assert (found.message_class, found.method) == (MessageClass.INDICATION, Method.SEND)
    assert found.xor_mapped == found.other_address == address
    assert (found.software, found.data, found.error) == (text, data, (code, text))
    assert found.change_request == (False, True)
    assert (found.check_integrity(b"key"), found.fingerprint, found.problems) == ("valid", "valid", ())
