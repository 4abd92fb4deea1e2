"""One request's life: when it is sent, and what becomes of everything that arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType, ErrorCode
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.request import Request, binding_request
from rtcdiag.stun.transaction import MAX_ANSWERS, MAX_STRAYS, STREAM, Schedule, Transaction

SERVER = TransportAddress("192.0.2.1", 3478)
ELSEWHERE = TransportAddress("192.0.2.2", 3478)


def transaction(*, schedule: Schedule | None = None) -> Transaction:
    expected = frozenset({SERVER})
    if schedule is None:
        return Transaction(binding_request(), start_ms=1000, expected=expected)
    return Transaction(binding_request(), schedule, start_ms=1000, expected=expected)


def answer_to(request: Request, *, port: int = 5, message_class: MessageClass = MessageClass.SUCCESS) -> bytes:
    mapped = TransportAddress("203.0.113.7", port)
    return encode(message_class, request.method, request.transaction_id, [(AttributeType.XOR_MAPPED_ADDRESS, mapped)])


def test_a_request_without_an_answer_is_sent_on_schedule_and_then_given_up() -> None:
    made = transaction()
    while not made.is_finished(timer := made.next_timer() or 0):
        assert made.datagrams_to_send(timer - 0.5) == []
        assert made.datagrams_to_send(timer) == [made.request.data]
    assert made.sent_ms == [1000, 1100, 1300, 1700, 2500]
    assert timer == 3000
    assert made.datagrams_to_send(timer) == []
    assert (made.answer, made.rtt_ms) == (None, None)


def test_a_caller_that_comes_late_sends_once_and_not_a_burst() -> None:
    made = transaction()
    assert made.datagrams_to_send(1350) == [made.request.data]
    assert made.next_timer() == 1700


def test_nothing_is_retransmitted_on_a_stream() -> None:
    made = transaction(schedule=STREAM)
    assert made.datagrams_to_send(1000) == [made.request.data]
    assert made.next_timer() == 6000
    assert made.datagrams_to_send(5999) == []


def test_an_answer_from_the_expected_source_finishes_it() -> None:
    made = transaction()
    made.datagrams_to_send(1000)
    assert made.receive(1030, answer_to(made.request), SERVER)
    assert made.is_finished(1030)
    assert made.next_timer() is None
    assert made.datagrams_to_send(1100) == []
    assert made.rtt_ms == 30


def test_an_error_response_is_an_answer() -> None:
    made = transaction()
    code = [(AttributeType.ERROR_CODE, ErrorCode(420))]
    assert made.receive(1030, encode(MessageClass.ERROR, 1, made.request.transaction_id, code), SERVER)


def test_an_answer_from_elsewhere_is_kept_and_does_not_count() -> None:
    made = transaction()
    made.datagrams_to_send(1000)
    assert not made.receive(1030, answer_to(made.request), ELSEWHERE)
    assert not made.is_finished(1030)
    assert [(found.source, found.expected_source) for found in made.arrivals] == [(ELSEWHERE, False)]
    assert made.receive(1040, answer_to(made.request), SERVER)
    assert made.answer is made.arrivals[1]
    assert made.rtt_ms == 40


def test_any_source_counts_where_none_is_expected() -> None:
    made = Transaction(binding_request(), start_ms=0)
    assert made.receive(1, answer_to(made.request), None)


SOUND = answer_to(Request(Method.BINDING, bytes(range(12)), b""))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"junk", "not-stun", id="short"),
        pytest.param(b"\xff" + SOUND[1:], "not-stun", id="leading bits"),
        pytest.param(SOUND[:-1], "not-stun", id="cut off"),
        pytest.param(SOUND[:4] + bytes(4) + SOUND[8:], "wrong-cookie", id="cookie"),
        pytest.param(SOUND[:8] + bytes(12) + SOUND[20:], "wrong-transaction-id", id="transaction id"),
        pytest.param(b"\0\1" + SOUND[2:], "wrong-class", id="class"),
        pytest.param(b"\1\3" + SOUND[2:], "wrong-method", id="method"),
    ],
)
def test_what_is_no_answer_is_counted_with_the_reason(data: bytes, why: str) -> None:
    made = Transaction(binding_request(transaction_id=bytes(range(12))), start_ms=1000)
    assert not made.receive(1010, data, SERVER)
    assert [(found.why, found.source, found.t_ms) for found in made.rejects] == [(why, SERVER, 1010)]
    assert made.answer is None


def test_a_second_copy_is_a_duplicate_and_a_different_answer_is_evidence() -> None:
    made = transaction()
    made.receive(1010, answer_to(made.request), SERVER)
    assert not made.receive(1011, answer_to(made.request), SERVER)
    assert not made.receive(1012, answer_to(made.request, port=6), SERVER)
    assert [found.why for found in made.rejects] == ["duplicate"]
    assert [found.message.xor_mapped.port for found in made.arrivals if found.message.xor_mapped] == [5, 6]
    assert made.answer is made.arrivals[0]


def test_an_answer_after_the_end_is_late_and_does_not_count() -> None:
    made = transaction()
    made.datagrams_to_send(1000)
    assert not made.receive(3300, answer_to(made.request), SERVER)
    assert made.arrivals[0].late
    assert made.answer is None


def test_the_round_trip_is_ambiguous_after_a_retransmission() -> None:
    made = transaction()
    made.datagrams_to_send(1000)
    made.datagrams_to_send(1100)
    made.receive(1120, answer_to(made.request), SERVER)
    assert made.rtt_ms is None


def test_the_round_trip_is_known_again_when_every_transmission_was_answered() -> None:
    made = transaction()
    made.datagrams_to_send(1000)
    made.datagrams_to_send(1100)
    made.receive(1120, answer_to(made.request), SERVER)
    made.receive(1220, answer_to(made.request), SERVER)
    assert made.rtt_ms == 120


def test_a_flood_is_counted_and_not_stored() -> None:
    made = transaction()
    for number in range(1000):
        made.receive(1010, b"junk", SERVER)
        made.receive(1010, answer_to(made.request, port=number), ELSEWHERE)
    assert (made.reject_count, len(made.rejects), len(made.arrivals)) == (1000, MAX_STRAYS, MAX_ANSWERS // 2)


def test_a_flood_from_elsewhere_cannot_keep_the_answer_out() -> None:
    made = transaction()
    for number in range(100):
        made.receive(1010, answer_to(made.request, port=number), ELSEWHERE)
    assert made.receive(1020, answer_to(made.request), SERVER)
    assert made.answer is not None
    assert made.answer.source == SERVER


@given(st.binary(max_size=80))
def test_no_datagram_raises(data: bytes) -> None:
    made = transaction()
    made.receive(1001, data, SERVER)
    made.receive(1001, data[:8] + made.request.transaction_id + data[20:], SERVER)
    assert made.answer is None or made.answer.source == SERVER


def test_a_binding_request_asks_for_a_change_only_where_told() -> None:
    assert decode(binding_request().data).raw_of(AttributeType.CHANGE_REQUEST) is None
    assert decode(binding_request(change_ip=True).data).change_request == (True, False)
    both = decode(binding_request(change_ip=True, change_port=True).data)
    assert (both.change_request, both.method) == ((True, True), Method.BINDING)
    assert binding_request().transaction_id != binding_request().transaction_id
