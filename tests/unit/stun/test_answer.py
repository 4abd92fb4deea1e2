"""From a transaction to evidence: everything a report needs, and no secret."""

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure
from rtcdiag.evidence.wire import Exchange
from rtcdiag.stun.answer import MASK, answer_of, exchange_of
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.request import binding_request
from rtcdiag.stun.transaction import Transaction

SERVER = TransportAddress("192.0.2.1", 3478)
ID = bytes(12)


def error(*attributes: tuple[int, object], key: bytes | None = None) -> bytes:
    return encode(MessageClass.ERROR, Method.ALLOCATE, ID, attributes, key=key)


def test_an_answer_keeps_the_decoded_facts() -> None:
    mapped = TransportAddress("203.0.113.7", 5)
    data = encode(MessageClass.SUCCESS, 1, ID, [(A.XOR_MAPPED_ADDRESS, mapped), (A.SOFTWARE, "coturn")])
    found = answer_of(decode(data), t_ms=3, source=SERVER)
    assert (found.success, found.xor_mapped, found.software, found.source) == (True, mapped, "coturn", SERVER)
    assert (found.size_bytes, found.fingerprint, found.integrity) == (len(data), "valid", "unchecked")
    assert found.error_code is None


def test_an_unsigned_error_response_is_accepted_and_marked() -> None:
    data = error((A.ERROR_CODE, ErrorCode(400)))
    assert answer_of(decode(data), t_ms=0, source=None, key=b"key").integrity == "absent"


def test_a_success_response_with_a_wrong_signature_is_kept_and_marked() -> None:
    data = encode(MessageClass.SUCCESS, Method.ALLOCATE, ID, key=b"another")
    found = answer_of(decode(data), t_ms=0, source=None, key=b"key")
    assert (found.success, found.integrity) == (True, "invalid")


def test_server_strings_that_are_a_credential_are_masked() -> None:
    data = error((A.ERROR_CODE, ErrorCode(401, "no hunter22 here")), (A.REALM, "bob"), (A.SOFTWARE, "bobsled hunter22"))
    found = answer_of(decode(data), t_ms=0, source=None, secrets=frozenset({"hunter22", "bob"}))
    assert found.reason == f"no {MASK} here"
    assert found.realm == MASK
    assert found.software == f"bobsled {MASK}"
    assert "hunter22" not in msgspec.json.encode(found, enc_hook=str).decode()


def test_an_empty_secret_masks_nothing() -> None:
    data = error((A.ERROR_CODE, ErrorCode(401, "")), (A.REALM, "realm"))
    found = answer_of(decode(data), t_ms=0, source=None, secrets=frozenset({""}))
    assert (found.reason, found.realm) == ("", "realm")


def test_texts_are_cut_and_too_long_ones_are_named() -> None:
    data = error((A.SOFTWARE, "x" * 900), (A.REALM, "y" * 128))
    found = answer_of(decode(data), t_ms=0, source=None)
    assert found.software == "x" * 127 + "…"
    assert found.realm == "y" * 127 + "…"
    assert found.problems == ("SOFTWARE has 900 bytes, more than the 763 allowed",)


def test_the_longest_texts_that_the_rfc_allows_are_no_problem() -> None:
    longest = error((A.SOFTWARE, "x" * 763), (A.ERROR_CODE, ErrorCode(400, "y" * 763)))
    assert answer_of(decode(longest), t_ms=0, source=None).problems == ()
    longer = answer_of(decode(error((A.ERROR_CODE, ErrorCode(400, "y" * 764)))), t_ms=0, source=None)
    assert longer.problems == ("ERROR-CODE has 764 bytes, more than the 763 allowed",)


def test_a_secret_of_four_characters_is_masked_inside_a_text() -> None:
    found = answer_of(
        decode(error((A.SOFTWARE, "the pass and abc"))), t_ms=0, source=None, secrets=frozenset({"pass", "abc"})
    )
    assert found.software == f"the {MASK} and abc"


def test_the_nonce_is_only_known_to_have_come() -> None:
    found = answer_of(decode(error((A.NONCE, b"very-secret-nonce"))), t_ms=0, source=None)
    assert found.nonce is True
    assert b"very-secret" not in msgspec.json.encode(found)


def test_unknown_attributes_are_kept_up_to_a_bound() -> None:
    data = error((A.ERROR_CODE, ErrorCode(420)), (A.UNKNOWN_ATTRIBUTES, tuple(range(1000))))
    assert answer_of(decode(data), t_ms=0, source=None).unknown_attributes == tuple(range(16))


def test_an_exchange_tells_what_was_sent_and_all_that_came() -> None:
    made = Transaction(binding_request(), start_ms=10, expected=frozenset({SERVER}))
    made.datagrams_to_send(10)
    made.receive(12, b"junk", SERVER)
    made.receive(15, encode(MessageClass.SUCCESS, 1, made.request.transaction_id), SERVER)
    found = exchange_of(made)
    assert (found.sent_ms, found.rtt_ms, found.failure, found.stray_count) == ((10,), 5, None, 1)
    assert [answer.t_ms for answer in found.answers] == [15]
    assert [stray.why for stray in found.strays] == ["not-stun"]
    assert found.succeeded


def test_an_exchange_without_an_answer_names_the_failure() -> None:
    made = Transaction(binding_request(), start_ms=0)
    assert exchange_of(made).failure is Failure.TIMEOUT
    assert exchange_of(made, failure=Failure.CONNECTION_REFUSED).failure is Failure.CONNECTION_REFUSED
    assert msgspec.json.decode(msgspec.json.encode(exchange_of(made)), type=Exchange) == exchange_of(made)
