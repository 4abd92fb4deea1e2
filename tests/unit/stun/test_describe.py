"""Attributes in words, and what never is in them."""

from typing import Any

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.stun.answer import answer_of, sent_of
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode, FamilyErrorCode, IcmpError
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.describe import MAX_DESCRIBED, described, method_name
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.request import Request, new_request
from rtcdiag.stun.turn import TurnClient

ADDRESS = TransportAddress("192.0.2.1", 3478)
ID = bytes(12)


def words(kind: int, value: Any) -> str:
    data = encode(MessageClass.REQUEST, Method.ALLOCATE, ID, [(kind, value)], fingerprint=False)
    ((name, said),) = described(decode(data).attributes)
    return f"{name} {said}".rstrip()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (A.REQUESTED_TRANSPORT, 17, "REQUESTED-TRANSPORT UDP"),
        (A.REQUESTED_TRANSPORT, 99, "REQUESTED-TRANSPORT 99"),
        (A.REQUESTED_ADDRESS_FAMILY, 2, "REQUESTED-ADDRESS-FAMILY IPv6"),
        (A.ADDITIONAL_ADDRESS_FAMILY, 1, "ADDITIONAL-ADDRESS-FAMILY IPv4"),
        (A.LIFETIME, 600, "LIFETIME 600 s"),
        (A.CHANNEL_NUMBER, 0x4001, "CHANNEL-NUMBER 0x4001"),
        (A.XOR_PEER_ADDRESS, ADDRESS, "XOR-PEER-ADDRESS 192.0.2.1:3478"),
        (A.CHANGE_REQUEST, 6, "CHANGE-REQUEST address and port"),
        (A.CHANGE_REQUEST, 0, "CHANGE-REQUEST nothing"),
        (A.DONT_FRAGMENT, None, "DONT-FRAGMENT"),
        (A.EVEN_PORT, 0x80, "EVEN-PORT and the next one"),
        (A.ERROR_CODE, ErrorCode(401, "Unauthorized"), "ERROR-CODE 401 Unauthorized"),
        (A.ADDRESS_ERROR_CODE, FamilyErrorCode(2, 440), "ADDRESS-ERROR-CODE IPv6 440"),
        (A.ICMP, IcmpError(3, 13), "ICMP type 3, code 13"),
        (A.UNKNOWN_ATTRIBUTES, (0x8050, A.EVEN_PORT), "UNKNOWN-ATTRIBUTES 0x8050, EVEN-PORT"),
        (A.PASSWORD_ALGORITHMS, bytes.fromhex("00020000000100007777"), "PASSWORD-ALGORITHMS SHA-256, MD5"),
        (A.PASSWORD_ALGORITHM, b"", "PASSWORD-ALGORITHM none"),
        (A.SOFTWARE, "coturn", "SOFTWARE coturn"),
        (A.DATA, b"hello", "DATA 5 bytes"),
        (0x8050, b"abc", "0x8050 3 bytes"),
        (A.NONCE, b"0123456789abcdef", "NONCE 01234567… (16 bytes)"),
        (A.USERNAME, "alice", "USERNAME (not shown: no expiry time in it)"),
        (A.USERNAME, "1700000000:alice", "USERNAME (not shown: time-limited, until 2023-11-14T22:13:20Z)"),
    ],
)
def test_a_value_reads_as_a_person_would_say_it(kind: int, value: Any, said: str) -> None:
    assert words(kind, value) == said


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (A.USERNAME, "alice-secret"),
        (A.PASSWORD, "alice-secret"),
        (A.MESSAGE_INTEGRITY, b"alice-secret12345678"),
        (A.MESSAGE_INTEGRITY_SHA256, b"alice-secret12345678"),
        (A.USERHASH, b"alice-secret12345678901234567890"),
        (A.ACCESS_TOKEN, b"alice-secret"),
        (A.RESERVATION_TOKEN, b"secret12"),
        (A.MOBILITY_TICKET, b"alice-secret"),
        (A.NONCE, b"secret"),
        (A.DATA, b"alice-secret"),
    ],
)
def test_what_proves_or_identifies_somebody_is_not_told(kind: int, value: Any) -> None:
    assert "secret" not in words(kind, value)


def test_what_cannot_be_read_tells_its_size() -> None:
    data = encode(MessageClass.SUCCESS, 1, ID, [(0x0001, ADDRESS)], fingerprint=False)
    short = data[:2] + b"\0\x06" + data[4:22] + b"\0\x02" + data[24:26]

    assert list(described(decode(short + b"\0\0").attributes)) == [("MAPPED-ADDRESS", "unreadable, 2 bytes")]


def test_thousands_of_attributes_are_counted() -> None:
    data = encode(MessageClass.SUCCESS, 1, ID, [(0x8050, b"")] * 200)

    found = list(described(decode(data).attributes))
    assert len(found) == MAX_DESCRIBED + 1
    assert found[-1] == ("and", f"{201 - MAX_DESCRIBED} more attributes")


def test_a_method_has_its_name_and_an_unknown_one_its_number() -> None:
    assert (method_name(Method.CHANNEL_BIND), method_name(0xFF)) == ("ChannelBind", "method 0x0FF")


def signed_request() -> Request:
    client = TurnClient("hunter", "hunter22")
    challenge = encode(
        MessageClass.ERROR,
        Method.ALLOCATE,
        ID,
        [(A.ERROR_CODE, ErrorCode(401)), (A.REALM, "hunter22"), (A.NONCE, b"n")],
    )
    client.digest(client.allocate_request(), decode(challenge))
    return client.refresh_request(0)


def test_a_request_is_kept_decoded_and_without_secrets() -> None:
    sent = sent_of(signed_request(), secrets=frozenset({"hunter", "hunter22"}))

    assert (sent.method, len(sent.transaction_id)) == ("Refresh", 24)
    assert [text.partition(" ")[0] for text in sent.attributes] == [
        "LIFETIME",
        "USERNAME",
        "REALM",
        "NONCE",
        "MESSAGE-INTEGRITY",
        "FINGERPRINT",
    ]
    assert "hunter" not in " ".join(sent.attributes)


def test_a_plain_request_needs_no_words_of_its_own_in_json() -> None:
    assert sent_of(new_request(Method.BINDING)).attributes == ("FINGERPRINT",)


def more(*attributes: tuple[int, Any], key: bytes | None = None) -> tuple[str, ...]:
    data = encode(MessageClass.SUCCESS, Method.ALLOCATE, ID, attributes, key=key)
    return answer_of(decode(data), t_ms=0, source=None, key=key, secrets=frozenset({"hunter22"})).more_attributes


def test_what_a_field_of_the_answer_tells_is_not_told_twice() -> None:
    assert more((A.XOR_RELAYED_ADDRESS, ADDRESS), (A.LIFETIME, 600), (A.SOFTWARE, "x"), key=b"key") == ()


def test_what_no_field_tells_is_told() -> None:
    first, second = (A.XOR_RELAYED_ADDRESS, ADDRESS), (A.XOR_RELAYED_ADDRESS, TransportAddress("192.0.2.9", 9))

    assert more(first, second, (0x8050, b"abc")) == ("XOR-RELAYED-ADDRESS 192.0.2.9:9", "0x8050 3 bytes")


def test_of_two_names_for_one_thing_both_are_told() -> None:
    assert more((A.OTHER_ADDRESS, ADDRESS), (A.CHANGED_ADDRESS, ADDRESS)) == (
        f"OTHER-ADDRESS {ADDRESS}",
        f"CHANGED-ADDRESS {ADDRESS}",
    )


def test_what_follows_the_signature_is_told_apart_because_it_does_not_count() -> None:
    signed = encode(MessageClass.SUCCESS, Method.ALLOCATE, ID, [], key=b"key", fingerprint=False)
    late = encode(MessageClass.SUCCESS, Method.ALLOCATE, ID, [(A.SOFTWARE, "late")], fingerprint=False)
    whole = signed[:2] + (len(signed) - 20 + len(late) - 20).to_bytes(2, "big") + signed[4:] + late[20:]

    assert answer_of(decode(whole), t_ms=0, source=None, key=b"key").more_attributes == ("SOFTWARE late",)


def test_a_credential_that_a_server_sends_back_is_masked_and_a_long_text_cut() -> None:
    told = more((A.ALTERNATE_DOMAIN, "hunter22"), (A.THIRD_PARTY_AUTHORIZATION, "x" * 60_000))

    assert told[0] == "ALTERNATE-DOMAIN (masked)"
    assert len(told[1]) < 200
