"""Binding requests, and what the server never answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.address import TransportAddress
from rtcdiag.server.config import Limits
from rtcdiag.server.effects import Client
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.request import binding_request, new_request
from support.turn_bench import ALTERNATE, SERVER, SERVER6, Bench, Caller, code_of

REMOTE = TransportAddress("192.0.2.7", 1000)
CLIENT = Client("udp", SERVER, REMOTE)
PLACES = {
    (False, False): SERVER,
    (False, True): TransportAddress(SERVER.ip, ALTERNATE.port),
    (True, False): TransportAddress(ALTERNATE.ip, SERVER.port),
    (True, True): ALTERNATE,
}
"""By what differs from the primary address: the IP address, the port."""


def test_a_binding_request_gets_its_source_in_both_forms() -> None:
    (sent,) = Bench().datagram(CLIENT, binding_request().data)
    answer = decode(sent.data)
    assert sent.client == CLIENT
    assert (answer.message_class, answer.mapped, answer.xor_mapped) == (MessageClass.SUCCESS, REMOTE, REMOTE)
    assert (answer.response_origin, answer.other_address) == (SERVER, ALTERNATE)
    assert (answer.software, answer.fingerprint, answer.problems) == ("rtcdiag", "valid", ())


@pytest.mark.parametrize("change", PLACES)
@pytest.mark.parametrize("asked", PLACES)
def test_every_change_is_answered_from_the_right_place(asked: tuple[bool, bool], change: tuple[bool, bool]) -> None:
    client = CLIENT._replace(local=PLACES[asked])
    (sent,) = Bench().datagram(client, binding_request(change_ip=change[0], change_port=change[1]).data)
    expected = PLACES[asked[0] != change[0], asked[1] != change[1]]
    assert sent.client == client._replace(local=expected)
    assert decode(sent.data).response_origin == expected
    assert decode(sent.data).other_address == PLACES[not asked[0], not asked[1]]


def test_where_there_is_one_address_a_change_is_refused() -> None:
    client = Client("udp", SERVER6, TransportAddress("2001:db8::7", 1))
    (sent,) = Bench().datagram(client, binding_request(change_port=True).data)
    answer = decode(sent.data)
    assert (code_of(answer), answer.unknown_attributes) == (420, (A.CHANGE_REQUEST,))
    plain = decode(Bench().datagram(client, binding_request().data)[0].data)
    assert (plain.xor_mapped, plain.other_address, plain.response_origin) == (client.remote, None, None)


def test_a_client_over_tcp_is_told_the_alternate_to_try_over_udp() -> None:
    (sent,) = Bench().frame(CLIENT._replace(transport="tcp"), binding_request().data)
    answer = decode(sent.data)
    assert (sent.client.local, answer.other_address) == (SERVER, ALTERNATE)


def test_over_tcp_a_change_is_refused() -> None:
    (sent,) = Bench().frame(CLIENT._replace(transport="tcp"), binding_request(change_ip=True).data)
    assert code_of(decode(sent.data)) == 420


def test_a_response_port_is_where_the_answer_goes() -> None:
    (sent,) = Bench().datagram(CLIENT, new_request(Method.BINDING, [(A.RESPONSE_PORT, 2000)]).data)
    assert sent.client.remote == TransportAddress(REMOTE.ip, 2000)
    assert decode(sent.data).xor_mapped == REMOTE


def test_padding_is_answered_with_as_much_and_never_with_a_response_port() -> None:
    padding = (A.PADDING, bytes(1000))
    (sent,) = Bench().datagram(CLIENT, new_request(Method.BINDING, [padding]).data)
    assert len(decode(sent.data).first(A.PADDING)) == 1000
    both = new_request(Method.BINDING, [padding, (A.RESPONSE_PORT, 2000)])
    assert code_of(decode(Bench().datagram(CLIENT, both.data)[0].data)) == 400


def test_an_unknown_attribute_is_named() -> None:
    (sent,) = Bench().datagram(CLIENT, new_request(Method.BINDING, [(0x7ABC, b"x"), (0xFABC, b"x")]).data)
    assert decode(sent.data).unknown_attributes == (0x7ABC,)


CLASSIC = b"\0\1\0\x08" + bytes(range(16)) + b"\0\3\0\4\0\0\0\6"


def test_a_request_of_rfc_3489_is_answered_in_its_own_way() -> None:
    (sent,) = Bench().datagram(CLIENT, CLASSIC)
    assert sent.client.local == ALTERNATE
    assert sent.data[4:20] == bytes(range(16))
    answer = decode(sent.data[:4] + b"\x21\x12\xa4\x42" + sent.data[8:])
    assert (answer.mapped, answer.response_origin, answer.other_address) == (REMOTE, ALTERNATE, ALTERNATE)
    kinds = [attribute.type for attribute in answer.attributes]
    assert kinds == [A.MAPPED_ADDRESS, A.SOURCE_ADDRESS, A.CHANGED_ADDRESS]


@pytest.mark.parametrize(
    "data",
    [CLASSIC[:-1], CLASSIC[:10], b"\0\3" + CLASSIC[2:], b"\1\1" + CLASSIC[2:], b"\0\1\0\0" + bytes(12), b"\0\1"],
    ids=["cut", "header", "allocate", "response", "short", "two bytes"],
)
def test_other_bytes_without_the_cookie_are_not_answered(data: bytes) -> None:
    assert Bench().datagram(CLIENT, data) == []


def test_rfc_3489_is_not_spoken_where_there_is_one_address() -> None:
    assert Bench().datagram(Client("udp", SERVER6, TransportAddress("2001:db8::7", 1)), CLASSIC) == []


@pytest.mark.parametrize("message_class", [MessageClass.SUCCESS, MessageClass.ERROR, MessageClass.INDICATION])
@pytest.mark.parametrize("method", [Method.BINDING, Method.ALLOCATE, Method.DATA])
def test_responses_and_indications_are_never_answered(message_class: MessageClass, method: Method) -> None:
    assert Bench().datagram(CLIENT, encode(message_class, method, bytes(12))) == []


def test_a_wrong_fingerprint_is_not_answered() -> None:
    data = bytearray(binding_request().data)
    data[-1] ^= 1
    assert Bench().datagram(CLIENT, bytes(data)) == []


def test_a_frame_that_lies_about_its_length_is_not_answered() -> None:
    data = binding_request().data
    assert Bench().datagram(CLIENT, data[:2] + b"\xff\xfc" + data[4:]) == []


def test_one_source_is_answered_at_a_bounded_rate_and_others_are_not_hurt() -> None:
    bench = Bench(limits=Limits(responses_per_s=10))
    answers = [bench.datagram(CLIENT, binding_request().data) for _ in range(100)]
    assert sum(map(len, answers)) == 20
    assert bench.datagram(CLIENT, CLASSIC) == []
    assert bench.datagram(CLIENT._replace(remote=TransportAddress("192.0.2.8", 1)), binding_request().data)
    bench.now_ms = 100
    assert [len(bench.datagram(CLIENT, binding_request().data)) for _ in range(2)] == [1, 0]


def test_no_answer_to_an_unknown_client_is_five_times_its_request() -> None:
    caller = Caller(Bench())
    for request in (binding_request(), caller.turn.allocate_request(), binding_request(change_ip=True)):
        (sent,) = caller.bench.datagram(caller.client, request.data)
        assert len(sent.data) < 5 * len(request.data)


@given(st.binary(max_size=120))
def test_no_datagram_raises(data: bytes) -> None:
    bench = Bench()
    for prefix in (b"", b"\0\1", b"\0\3" + b"\0\x64" + b"\x21\x12\xa4\x42", b"\0\x16\0\x64" + b"\x21\x12\xa4\x42"):
        bench.datagram(CLIENT, prefix + data)
