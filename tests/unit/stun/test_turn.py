"""The TURN client: what it builds, and what an answer makes it do."""

import itertools

import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode, IcmpError
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.credentials import long_term_key
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request
from rtcdiag.stun.turn import TurnClient, Wishes, relayed_datagram

PEER = TransportAddress("203.0.113.7", 9)
KEY = long_term_key("alice", "example.org", "pw")


def client(credentials: tuple[str | None, str | None] = ("alice", "pw")) -> TurnClient:
    numbers = itertools.count()
    return TurnClient(*credentials, new_id=lambda: next(numbers).to_bytes(12, "big"))


def error(request: Request, code: int, *attributes: tuple[int, object]) -> Message:
    values = [(A.ERROR_CODE, ErrorCode(code)), *attributes]
    return decode(encode(MessageClass.ERROR, request.method, request.transaction_id, values))


def success(request: Request, key: bytes | None = KEY) -> Message:
    return decode(encode(MessageClass.SUCCESS, request.method, request.transaction_id, key=key))


def challenged(made: TurnClient) -> Request:
    """Go through the challenge, and return the authenticated Allocate."""
    first = made.allocate_request()
    assert made.digest(first, error(first, 401, (A.REALM, "example.org"), (A.NONCE, b"n1"))) == "authenticate"
    return made.allocate_request()


def test_the_first_allocate_carries_no_credentials() -> None:
    request = client().allocate_request()
    found = decode(request.data)
    assert (found.method, found.message_class, request.signed) == (Method.ALLOCATE, MessageClass.REQUEST, False)
    assert [attribute.type for attribute in found.attributes] == [A.REQUESTED_TRANSPORT, A.FINGERPRINT]
    assert found.requested_transport == 17


def test_an_allocate_asks_for_what_it_is_told() -> None:
    request = client().allocate_request(Wishes(family=Family.IPV6, lifetime_s=60, dont_fragment=True, even_port=True))
    found = decode(request.data)
    assert (found.requested_family, found.lifetime_s) == (2, 60)
    assert decode(client().allocate_request(Wishes(family=Family.IPV4)).data).requested_family == 1
    assert (found.first(A.DONT_FRAGMENT), found.first(A.EVEN_PORT)) == (True, 0)
    assert found.problems == ()


def test_after_the_challenge_requests_are_signed_with_realm_and_nonce() -> None:
    made = client()
    found = decode(challenged(made).data)
    assert (found.username, found.realm, found.nonce) == ("alice", "example.org", b"n1")
    assert found.check_integrity(KEY) == "valid"
    assert made.key == KEY


def test_realm_and_nonce_are_echoed_byte_for_byte() -> None:
    made = client()
    first = made.allocate_request()
    made.digest(first, error(first, 401, (A.REALM, b"r\xff"), (A.NONCE, b"\xff\0")))
    found = decode(made.allocate_request().data)
    assert (found.raw_of(A.REALM), found.nonce) == (b"r\xff", b"\xff\0")
    assert found.check_integrity(long_term_key("alice", b"r\xff", "pw")) == "valid"


def test_a_second_401_is_a_refusal() -> None:
    made = client()
    second = challenged(made)
    assert made.digest(second, error(second, 401, (A.REALM, "example.org"), (A.NONCE, b"n2"))) == "refused"


@pytest.mark.parametrize("attributes", [[(A.REALM, "r")], [(A.NONCE, b"n")], []])
def test_a_challenge_without_realm_or_nonce_is_a_refusal(attributes: list[tuple[int, object]]) -> None:
    made = client()
    first = made.allocate_request()
    assert made.digest(first, error(first, 401, *attributes)) == "refused"


@pytest.mark.parametrize("credentials", [(None, None), ("alice", None)])
def test_without_credentials_a_challenge_is_a_refusal(credentials: tuple[str | None, str | None]) -> None:
    made = client(credentials)
    first = made.allocate_request()
    assert made.digest(first, error(first, 401, (A.REALM, "r"), (A.NONCE, b"n"))) == "refused"


def test_a_stale_nonce_is_replaced_once() -> None:
    made = client()
    second = challenged(made)
    assert made.digest(second, error(second, 438, (A.REALM, "example.org"), (A.NONCE, b"n2"))) == "fresh-nonce"
    third = made.allocate_request()
    assert decode(third.data).nonce == b"n2"
    assert made.digest(third, error(third, 438, (A.REALM, "example.org"), (A.NONCE, b"n3"))) == "refused"


def test_a_later_stale_nonce_is_replaced_again() -> None:
    made = client()
    second = challenged(made)
    made.digest(second, error(second, 438, (A.NONCE, b"n2")))
    third = made.allocate_request()
    assert made.digest(third, success(third)) == "done"
    refresh = made.refresh_request()
    assert made.digest(refresh, error(refresh, 438, (A.NONCE, b"n3"))) == "fresh-nonce"
    assert decode(made.refresh_request().data).realm == "example.org"


@pytest.mark.parametrize("code", [300, 400, 403, 437, 442, 486, 508])
def test_other_errors_are_refusals(code: int) -> None:
    made = client()
    second = challenged(made)
    assert made.digest(second, error(second, code)) == "refused"


def test_an_error_response_without_a_code_is_a_refusal() -> None:
    made = client()
    first = made.allocate_request()
    bare = decode(encode(MessageClass.ERROR, Method.ALLOCATE, first.transaction_id))
    assert made.digest(first, bare) == "refused"


def test_the_integrity_of_an_answer_is_told() -> None:
    made = client()
    first = made.allocate_request()
    assert made.check(success(first)) == "unchecked"
    second = challenged(made)
    assert made.check(success(second)) == "valid"
    assert made.check(success(second, b"another")) == "invalid"
    assert made.check(error(second, 400)) == "absent"


def test_the_other_requests_say_what_they_are_for() -> None:
    made = client()
    challenged(made)
    permission = decode(made.permission_request(PEER, PEER).data)
    assert (permission.method, permission.peers) == (Method.CREATE_PERMISSION, (PEER, PEER))
    channel = decode(made.channel_request(0x4000, PEER).data)
    assert (channel.method, channel.channel, channel.peers) == (Method.CHANNEL_BIND, 0x4000, (PEER,))
    release = decode(made.refresh_request(0).data)
    assert (release.method, release.lifetime_s) == (Method.REFRESH, 0)
    assert decode(made.refresh_request().data).lifetime_s is None
    assert {found.check_integrity(KEY) for found in (permission, channel, release)} == {"valid"}


def test_a_send_indication_is_unsigned_and_carries_peer_and_data() -> None:
    found = decode(client().send_indication(PEER, b"hello", dont_fragment=True))
    assert (found.message_class, found.method) == (MessageClass.INDICATION, Method.SEND)
    assert (found.peers, found.data, found.first(A.DONT_FRAGMENT)) == ((PEER,), b"hello", True)
    assert found.raw_of(A.MESSAGE_INTEGRITY) is None


def test_a_data_indication_gives_the_peers_datagram() -> None:
    values = [(A.XOR_PEER_ADDRESS, PEER), (A.DATA, b"hello")]
    found = relayed_datagram(decode(encode(MessageClass.INDICATION, Method.DATA, bytes(12), values)))
    assert found is not None
    assert (found.peer, found.data, found.icmp) == (PEER, b"hello", None)


def test_a_data_indication_can_carry_an_icmp_error() -> None:
    values = [(A.XOR_PEER_ADDRESS, PEER), (A.ICMP, IcmpError(3, 3))]
    found = relayed_datagram(decode(encode(MessageClass.INDICATION, Method.DATA, bytes(12), values)))
    assert found is not None
    assert (found.data, found.icmp) == (None, IcmpError(3, 3))


@pytest.mark.parametrize(
    ("message_class", "method", "values"),
    [
        (MessageClass.INDICATION, Method.SEND, [(A.XOR_PEER_ADDRESS, PEER), (A.DATA, b"x")]),
        (MessageClass.SUCCESS, Method.DATA, [(A.XOR_PEER_ADDRESS, PEER), (A.DATA, b"x")]),
        (MessageClass.INDICATION, Method.DATA, [(A.DATA, b"x")]),
        (MessageClass.INDICATION, Method.DATA, [(A.XOR_PEER_ADDRESS, PEER)]),
    ],
)
def test_other_messages_carry_no_relayed_datagram(
    message_class: MessageClass, method: Method, values: list[tuple[int, object]]
) -> None:
    assert relayed_datagram(decode(encode(message_class, method, bytes(12), values))) is None


LIST = b"\0\2\0\0\0\1\0\0"


def offered(made: TurnClient, nonce: bytes, algorithms: bytes | None = LIST) -> Message:
    """Offer a choice of algorithms, and return the request that comes then."""
    first = made.allocate_request()
    more = [(A.PASSWORD_ALGORITHMS, algorithms)] if algorithms is not None else []
    assert made.digest(first, error(first, 401, (A.REALM, "example.org"), (A.NONCE, nonce), *more)) == "authenticate"
    return decode(made.allocate_request().data)


# The right-most bit by the erratum, the left-most by the text of RFC 8489.
@pytest.mark.parametrize("nonce", [b"obMatJos2AAABx", b"obMatJos2gAAAx", b"obMatJos2AAADx"])
def test_an_offer_of_sha_256_is_taken_and_repeated_byte_for_byte(nonce: bytes) -> None:
    made = client()
    found = offered(made, nonce)
    key = long_term_key("alice", "example.org", "pw", "sha256")
    assert (found.raw_of(A.PASSWORD_ALGORITHMS), found.raw_of(A.PASSWORD_ALGORITHM)) == (LIST, b"\0\2\0\0")
    assert (found.raw_of(A.MESSAGE_INTEGRITY), found.check_integrity(key), found.problems) == (None, "valid", ())
    assert made.signs_with_sha256


def test_where_only_md5_is_offered_the_key_is_md5_and_the_signature_sha_256() -> None:
    found = offered(client(), b"obMatJos2AAABx", b"\0\1\0\0")
    assert (found.raw_of(A.PASSWORD_ALGORITHM), found.check_integrity(KEY)) == (b"\0\1\0\0", "valid")
    assert found.raw_of(A.MESSAGE_INTEGRITY) is None


@pytest.mark.parametrize(
    ("nonce", "algorithms"),
    [
        (b"n1", LIST),
        (b"obMatJos2AAAAx", LIST),
        (b"obMatJos2!!!!x", LIST),
        (b"obMatJos2AA", LIST),
        (b"obMatJos2AAABx", None),
        (b"obMatJos2AAABx", b""),
        (b"obMatJos2AAABx", b"\0\7\0\0"),
        (b"obMatJos2AAABx", b"\0\7\xff\xff"),
    ],
)
def test_without_a_whole_offer_requests_are_signed_as_ever(nonce: bytes, algorithms: bytes | None) -> None:
    found = offered(client(), nonce, algorithms)
    assert (found.raw_of(A.PASSWORD_ALGORITHM), found.raw_of(A.MESSAGE_INTEGRITY_SHA256)) == (None, None)
    assert found.check_integrity(KEY) == "valid"


@pytest.mark.parametrize("code", [400, 401])
def test_a_server_that_refuses_its_own_offer_is_asked_once_as_ever(code: int) -> None:
    made = client()
    offered(made, b"obMatJos2AAABx")
    request = made.allocate_request()
    assert made.digest(request, error(request, code)) == "fresh-nonce"
    again = made.allocate_request()
    assert decode(again.data).check_integrity(KEY) == "valid"
    assert not made.signs_with_sha256
    assert made.digest(again, error(again, code)) == "refused"


def test_an_offer_that_worked_is_not_given_up_for_a_later_refusal() -> None:
    made = client()
    offered(made, b"obMatJos2AAABx")
    request = made.allocate_request()
    assert made.digest(request, success(request, made.key)) == "done"
    later = made.permission_request(PEER)
    assert made.digest(later, error(later, 400)) == "refused"
    assert made.signs_with_sha256
