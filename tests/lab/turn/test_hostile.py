"""The TURN probe against servers that are up to no good: bounded time, bounded memory, and the evidence says so."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from lab.turn.asking import ALICE, Seen, ask
from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Allocation, Binding, Challenge, Connect, Failure, Permission, Refresh, RelayedData
from rtcdiag.net import Net
from rtcdiag.options import RunOptions
from rtcdiag.probes.connection import Path
from rtcdiag.probes.leg import Leg
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.credentials import long_term_key
from rtcdiag.stun.framing import StreamFrames
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.message import Message
from rtcdiag.targets import Transport, parse_server
from rtcdiag.wires import UdpWire
from support.scripted import (
    BIGGEST,
    HTTP_400,
    Close,
    Reply,
    Script,
    one_byte_a_second,
    scripted_tcp,
    scripted_udp,
    silence,
)

pytestmark = pytest.mark.lab

REALM = "wild.test"
KEY = long_term_key(*ALICE[:1], REALM, ALICE[1])
HERE = "127.0.0.1"
Replies = list[Reply | Close]


def error(request: Message, code: int, *, nonce: bytes = b"n", more: tuple[tuple[int, object], ...] = ()) -> bytes:
    attributes = [(A.ERROR_CODE, ErrorCode(code)), (A.REALM, REALM), (A.NONCE, nonce), *more]
    return encode(MessageClass.ERROR, request.method, request.transaction_id, attributes)


def success(request: Message, *attributes: tuple[int, object]) -> bytes:
    return encode(MessageClass.SUCCESS, request.method, request.transaction_id, attributes, key=KEY)


class Turn:
    """A TURN server that grants everything and relays nothing; `refuse` says what it grants only later."""

    def __init__(self, *refuse: tuple[Method, int], relayed: str = HERE, **more: object) -> None:
        self.refuse = list(refuse)
        self.relayed = TransportAddress(relayed, 9)
        self.more = tuple((A[name.upper()], value) for name, value in more.items())
        self.requests: list[Message] = []

    def __call__(self, data: bytes, source: tuple[str, int]) -> Replies:
        request = decode(data)
        self.requests.append(request)
        if request.message_class is not MessageClass.REQUEST:
            return []
        if request.method == Method.BINDING:
            return [Reply(success(request, (A.XOR_MAPPED_ADDRESS, TransportAddress(*source))))]
        if request.username is None:
            return [Reply(error(request, 401))]
        if self.refuse and self.refuse[0][0] == request.method:
            _, code = self.refuse.pop(0)
            return [Reply(error(request, code, nonce=f"n{len(self.refuse)}".encode(), more=self.more))]
        return [Reply(self._granted(request, source))]

    def _granted(self, request: Message, source: tuple[str, int]) -> bytes:
        if request.method != Method.ALLOCATE:
            return success(request, (A.LIFETIME, request.lifetime_s or 0))
        mapped = (A.XOR_MAPPED_ADDRESS, TransportAddress(*source))
        return success(request, (A.XOR_RELAYED_ADDRESS, self.relayed), mapped, (A.LIFETIME, 600))


def over_udp(script: Script, timeout_ms: float = 1000.0) -> Seen:
    with scripted_udp(script) as server:
        return ask(f"turn:{HERE}:{server.port}", timeout_ms=timeout_ms)


def over_tcp(script: Script) -> Seen:
    with scripted_tcp(script) as server:
        return ask(f"turn:{HERE}:{server.port}?transport=tcp", timeout_ms=1000.0)


# --- answers that change the course ---


def test_a_stale_nonce_is_answered_once_with_the_new_one() -> None:
    script = Turn((Method.ALLOCATE, 438))
    seen = over_udp(script)
    assert [item.attempts for item in seen.of(Allocation, allocation="a")] == [2]
    assert seen.exchange(Allocation, allocation="a").succeeded
    nonces = [item.nonce for item in script.requests if item.method == Method.ALLOCATE and item.username]
    assert nonces[:2] == [b"n", b"n0"]


def test_a_nonce_that_is_stale_again_ends_with_that() -> None:
    seen = over_udp(Turn(*[(Method.ALLOCATE, 438)] * 4))
    assert (seen.only(Allocation).attempts, seen.code(Allocation)) == (2, 438)
    assert not seen.of(Permission)


def test_a_port_that_has_an_allocation_already_is_left_for_another_one() -> None:
    seen = over_udp(Turn((Method.ALLOCATE, 437)))
    first, second = seen.of(Allocation, allocation="a")
    assert first.exchange.answer is not None
    assert first.exchange.answer.error_code == 437
    assert second.exchange.succeeded
    assert first.local != second.local
    assert len(seen.of(Refresh, lifetime_s=0)) == 2


def test_an_alternate_server_that_cannot_be_meant_is_recorded_and_not_followed() -> None:
    other = TransportAddress("203.0.113.9", 1)
    seen = over_udp(Turn(*[(Method.ALLOCATE, 300)] * 4, alternate_server=other))
    answer = seen.exchange(Allocation).answer
    assert answer is not None
    assert (answer.error_code, answer.alternate_server) == (300, other)
    assert {item.destination for item in seen.of(Binding)} == {seen.only(Allocation).destination}


def test_a_relayed_address_elsewhere_gets_no_datagram_from_here() -> None:
    seen = over_udp(Turn(relayed="203.0.113.9"))
    assert {item.path for item in seen.of(RelayedData)} == {"relay-to-relay"}
    assert {item.received for item in seen.of(RelayedData)} == {0}
    assert seen.took_s < 4


def test_an_allocation_without_a_relayed_address_ends_there_and_is_given_back() -> None:
    def script(data: bytes, source: tuple[str, int]) -> Replies:
        request = decode(data)
        if request.method == Method.ALLOCATE and request.username:
            return [Reply(success(request, (A.LIFETIME, 600)))]
        return Turn()(data, source)

    seen = over_udp(script)
    assert seen.only(Allocation).exchange.succeeded
    assert not seen.of(Permission)
    assert seen.exchange(Refresh, lifetime_s=0).succeeded


def test_a_server_that_falls_silent_after_the_challenge_is_over_in_bounded_time() -> None:
    def script(data: bytes, source: tuple[str, int]) -> Replies:
        return [] if decode(data).username else Turn()(data, source)

    seen = over_udp(script, timeout_ms=2300.0)
    assert seen.exchange(Allocation).failure is Failure.TIMEOUT
    # Nobody knows of an allocation: asking to release it is no fact about the server.
    assert not seen.of(Refresh)
    assert seen.took_s < 4


def test_a_server_that_says_the_credentials_back_does_not_get_them_into_the_evidence() -> None:
    def script(data: bytes, _source: tuple[str, int]) -> Replies:
        said = " and ".join(ALICE)
        attributes = [(A.ERROR_CODE, ErrorCode(401, said)), (A.REALM, ALICE[1]), (A.NONCE, b"n"), (A.SOFTWARE, said)]
        request = decode(data)
        return [Reply(encode(MessageClass.ERROR, request.method, request.transaction_id, attributes))]

    seen = over_udp(script)
    assert seen.code(Allocation) == 401
    # A Binding is asked without credentials, and a server that knows them anyway can say them there, too.
    assert seen.of(Binding)[0].exchange.answer is not None
    assert not [word for word in ALICE if word in seen.text]


def test_relayed_data_counts_only_from_the_server_itself() -> None:
    indication = encode(
        MessageClass.INDICATION,
        Method.DATA,
        bytes(12),
        [(A.XOR_PEER_ADDRESS, TransportAddress(HERE, 9)), (A.DATA, b"data")],
        fingerprint=False,
    )

    async def heard_from(number: int) -> list[bytes]:
        net, heard = Net(RunOptions()), list[bytes]()
        sockets = [await net.udp(Family.IPV4) for _ in range(3)]
        server, _, own = (TransportAddress(HERE, sock.bound.port) for sock in sockets)
        path = Path(parse_server(f"turn:{HERE}"), server, Transport.UDP)
        leg = Leg(path, "a", UdpWire(net, sockets[2]), lambda _: None)
        leg.on_data = lambda data, _peer: heard.append(data)
        for data in (b"\xff", b"\x00" * 20, indication):
            sockets[number].send(data, own)
        await asyncio.sleep(0.2)
        await net.close()
        return heard

    assert asyncio.run(heard_from(0)) == [b"data"]
    assert asyncio.run(heard_from(1)) == []


# --- UDP ---


def twice(data: bytes, source: tuple[str, int]) -> Replies:
    return [reply for reply in Turn()(data, source) for _ in range(2)]


def test_an_answer_that_comes_twice_is_counted_and_changes_nothing() -> None:
    seen = over_udp(twice)
    assert len(seen.of(Allocation)) == 2
    strays = [stray.why for item in seen.of(Binding) for stray in item.exchange.strays]
    assert set(strays) == {"duplicate"}


def test_answers_from_another_port_decide_nothing() -> None:
    def script(data: bytes, source: tuple[str, int]) -> Replies:
        return [Reply(reply.data, other_socket=True) for reply in Turn()(data, source) if isinstance(reply, Reply)]

    seen = over_udp(script)
    exchange = seen.exchange(Challenge)
    assert exchange.failure is Failure.TIMEOUT
    assert exchange.answers
    assert not any(answer.expected_source for answer in exchange.answers)
    assert not seen.of(Allocation)


def test_a_late_answer_is_seen_and_does_not_count() -> None:
    def script(data: bytes, source: tuple[str, int]) -> Replies:
        return [Reply(reply.data, delay_ms=1050) for reply in Turn()(data, source) if isinstance(reply, Reply)]

    # A late answer is seen for as long as the control takes, whose server here is silent.
    with scripted_udp(script) as server, scripted_tcp(silence, port=server.port):
        seen = ask(f"turn:{HERE}:{server.port}", timeout_ms=1000.0)
    exchange = seen.exchange(Binding, purpose="reach")
    assert exchange.failure is Failure.TIMEOUT
    assert {answer.late for answer in exchange.answers} == {True}
    assert not seen.of(Allocation)


@pytest.mark.parametrize("datagram", [b"\xff" * 40, b"\x00", bytes(BIGGEST), b"\x40\x00\x00\x04abcd"])
def test_a_flood_is_counted_and_not_kept(datagram: bytes) -> None:
    def script(_data: bytes, _source: tuple[str, int]) -> Replies:
        return [Reply(datagram)] * 100

    seen = over_udp(script)
    exchange = seen.exchange(Challenge)
    assert exchange.failure is Failure.TIMEOUT
    assert len(exchange.strays) <= 8
    assert seen.took_s < 4
    if not datagram.startswith(b"\x40"):
        # Of the biggest ones the kernel holds three at a time: it drops most where this machine is busy.
        assert exchange.stray_count > (4 if len(datagram) == BIGGEST else 50)


def test_the_biggest_datagram_is_read_as_the_answer_that_it_is() -> None:
    def script(data: bytes, _source: tuple[str, int]) -> Replies:
        request = decode(data)
        return [Reply(error(request, 401, more=((0x8022, "s" * 60_000),)))]

    seen = over_udp(script)
    answer = seen.exchange(Challenge).answer
    assert answer is not None
    assert answer.error_code == 401
    assert answer.size_bytes > 60_000
    assert len(answer.software or "") < 200
    assert seen.code(Allocation) == 401


# --- TCP ---


def endless(make: Callable[[int], bytes]) -> Script:
    def script(_data: bytes, _source: tuple[str, int]) -> Iterator[Reply | Close]:
        return (Reply(make(number)) for number in count())

    return script


def foreign(number: int) -> bytes:
    """A response to somebody else's request."""
    return encode(MessageClass.SUCCESS, Method.BINDING, number.to_bytes(12, "big"))


def test_an_endless_stream_of_answers_to_others_is_over_in_bounded_time() -> None:
    seen = over_tcp(endless(lambda number: foreign(number) * 100))
    exchange = seen.exchange(Challenge)
    assert exchange.failure is Failure.NOT_STUN
    assert exchange.stray_count > 8
    assert {stray.why for stray in exchange.strays} == {"wrong-transaction-id"}
    assert len(exchange.strays) <= 8
    assert seen.took_s < 4


@pytest.mark.parametrize(
    "script",
    [
        lambda data, _: one_byte_a_second(error(decode(data[:28]), 401)),
        lambda _data, _: [Reply(bytes.fromhex("0111fffc2112a442"))],
        lambda _data, _: [Reply(bytes.fromhex("0111fffc2112a442") + bytes(20_000))],
    ],
    ids=["a byte a second", "a huge length", "a huge length and some of it"],
)
def test_an_answer_that_never_ends_is_a_timeout(script: Script) -> None:
    seen = over_tcp(script)
    assert seen.exchange(Challenge).failure is Failure.TIMEOUT
    assert seen.took_s < 4


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (Reply(HTTP_400), Failure.NOT_STUN_HTTP),
        (Reply(b"\xff" * 64), Failure.NOT_STUN),
        (Close(), Failure.CONNECTION_CLOSED),
        (Close(reset=True), Failure.CONNECTION_RESET),
    ],
)
def test_what_is_no_stun_server_is_told_at_once(reply: Reply | Close, failure: Failure) -> None:
    seen = over_tcp(lambda _data, _source: [reply])
    assert seen.exchange(Challenge).failure is failure
    assert seen.exchange(Binding, purpose="reach").failure is failure
    assert seen.took_s < 3


def test_a_connection_that_breaks_in_the_middle_ends_the_chain() -> None:
    def script(data: bytes, source: tuple[str, int]) -> Replies:
        replies: Replies = []
        for frame in StreamFrames().feed(data):
            breaks = decode(frame.data).method == Method.CREATE_PERMISSION
            replies += [Close()] if breaks else Turn()(frame.data, source)
        return replies

    seen = over_tcp(script)
    assert {item.exchange.failure for item in seen.of(Permission)} == {Failure.CONNECTION_CLOSED}
    assert {item.exchange.failure for item in seen.of(Refresh)} == {Failure.CONNECTION_CLOSED}
    assert len(seen.of(Connect)) == 1
    assert seen.took_s < 3
