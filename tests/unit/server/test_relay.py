"""The TURN relay: allocations, permissions, channels and data, with the clock as an argument."""

from typing import Any

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.server.config import Limits, SharedSecret
from rtcdiag.server.effects import SendToPeer
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.credentials import long_term_key, mint
from rtcdiag.stun.framing import Frame, channel_data
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request, new_request
from rtcdiag.stun.turn import Step, TurnClient, relayed_datagram
from rtcdiag.targets import Credential
from support.turn_bench import ALICE, BOB, PEER, PEER6, SERVER, UNIX_S, Bench, Caller, code_of

KEY = long_term_key("alice", "lab", "wonderland")


def signed(caller: Caller, method: Method, attributes: list[tuple[int, Any]], key: bytes = KEY) -> Request:
    """Build a request of alice with attributes that `TurnClient` would not send."""
    template = decode(caller.turn.refresh_request().data)
    identity = [(kind, template.raw_of(kind)) for kind in (A.USERNAME, A.REALM, A.NONCE)]
    return new_request(method, [*attributes, *identity], key=key)


def allocate_with(caller: Caller, *attributes: tuple[int, Any]) -> int:
    caller.challenge()
    return code_of(caller.ask(signed(caller, Method.ALLOCATE, list(attributes))))


UDP = (A.REQUESTED_TRANSPORT, 17)

# --- who is let in ---


def test_the_first_allocate_is_challenged_with_realm_and_nonce_and_is_not_signed() -> None:
    caller = Caller(Bench())
    answer = caller.ask(caller.turn.allocate_request())
    assert code_of(answer) == 401
    assert answer.realm == "lab"
    assert answer.nonce
    assert answer.check_integrity(KEY) == "absent"
    assert len(answer.raw) < 4 * len(caller.turn.allocate_request().data)


def test_the_right_password_gets_a_relayed_address_in_a_signed_answer() -> None:
    bench = Bench()
    caller = Caller(bench)
    answer = caller.allocate()
    assert code_of(answer) == 0
    assert answer.relayed == bench.opened[caller.client]
    assert answer.xor_mapped == caller.client.remote
    assert answer.lifetime_s == 600
    assert (answer.check_integrity(KEY), answer.fingerprint) == ("valid", "valid")


@pytest.mark.parametrize(
    "credential", [Credential("alice", "wrong"), Credential("nobody", "wonderland")], ids=["password", "user"]
)
def test_a_wrong_password_or_user_is_challenged_again(credential: Credential) -> None:
    assert code_of(Caller(Bench(), credential).allocate()) == 401


@pytest.mark.parametrize("missing", [A.USERNAME, A.REALM, A.NONCE], ids=str)
def test_a_signature_without_a_part_of_the_identity_is_a_bad_request(missing: A) -> None:
    caller = Caller(Bench())
    caller.challenge()
    template = decode(caller.turn.allocate_request().data)
    identity = [(kind, template.raw_of(kind)) for kind in (A.USERNAME, A.REALM, A.NONCE) if kind != missing]
    assert code_of(caller.ask(new_request(Method.ALLOCATE, [UDP, *identity], key=KEY))) == 400


def test_an_old_nonce_is_stale_and_the_new_one_works() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    bench.now_ms = 599_999
    assert caller.refresh() == 0
    bench.now_ms = 600_000
    request = caller.turn.refresh_request()
    answer = caller.ask(request)
    assert code_of(answer) == 438
    assert caller.turn.digest(request, answer) == "fresh-nonce"
    assert caller.refresh() == 0


def test_the_nonce_of_another_client_is_stale() -> None:
    bench = Bench()
    first, second = Caller(bench), Caller(bench, port=1001)
    first.challenge()
    second.turn = first.turn
    assert code_of(second.ask(second.turn.allocate_request())) == 438


@pytest.mark.parametrize("nonce", [b"", b"-", b"zz-0000000000000000", b"\xff\xfe"])
def test_a_nonce_that_was_never_made_here_is_stale(nonce: bytes) -> None:
    caller = Caller(Bench())
    identity = [(A.USERNAME, "alice"), (A.REALM, "lab"), (A.NONCE, nonce)]
    assert code_of(caller.ask(new_request(Method.ALLOCATE, [UDP, *identity], key=KEY))) == 438


def test_time_limited_credentials_work_until_they_expire() -> None:
    bench = Bench(secret=SharedSecret("north"), users=())
    caller = Caller(bench, mint("north", "carol", UNIX_S + 60))
    assert code_of(caller.allocate()) == 0
    bench.now_ms = 60_000
    assert caller.refresh() == 401


@pytest.mark.parametrize(
    "credential",
    [mint("south", "carol", UNIX_S + 60), mint("north", "carol", UNIX_S), Credential("carol", "north")],
    ids=["wrong secret", "expired", "no time"],
)
def test_other_credentials_are_challenged_again_where_there_is_a_secret(credential: Credential) -> None:
    assert code_of(Caller(Bench(secret=SharedSecret("north")), credential).allocate()) == 401


def test_without_credentials_turn_is_off() -> None:
    caller = Caller(Bench(users=()))
    assert caller.send(caller.turn.allocate_request().data) == []


# --- Allocate ---


def test_a_retransmitted_allocate_gets_the_same_address_and_no_second_socket() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.challenge()
    request = caller.turn.allocate_request()
    first, second = caller.ask(request), caller.ask(request)
    assert first.relayed == second.relayed is not None
    assert len(bench.wanted) == 1


def test_an_allocate_that_is_retransmitted_before_the_socket_is_open_is_answered_once() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.challenge()
    request = caller.turn.allocate_request()
    first = bench.core.datagram(0, caller.client, request.data)
    assert bench.core.datagram(0, caller.client, request.data) == []
    assert bench.core.relay.holds(caller.client)
    other = bench.core.datagram(0, caller.client, caller.turn.allocate_request().data)
    assert [code_of(decode(sent.data)) for sent in bench.carry_out(other)] == [437]
    assert [code_of(decode(sent.data)) for sent in bench.carry_out(first)] == [0]


def test_a_second_allocate_of_the_same_client_is_a_mismatch() -> None:
    caller = Caller(Bench())
    caller.allocate()
    assert code_of(caller.ask(caller.turn.allocate_request())) == 437


def test_after_the_lifetime_the_client_can_allocate_again() -> None:
    bench = Bench(nonce_lifetime_s=10_000)
    caller = Caller(bench)
    caller.allocate()
    bench.now_ms = 600_000
    assert code_of(caller.ask(caller.turn.allocate_request())) == 0
    assert bench.closed == [caller.client]
    assert caller.refresh() == 0


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ([], 400),
        ([(A.REQUESTED_TRANSPORT, 6)], 442),
        ([UDP, (A.REQUESTED_ADDRESS_FAMILY, 3)], 440),
        ([UDP, (A.DONT_FRAGMENT, None)], 420),
        ([UDP, (A.RESERVATION_TOKEN, b"12345678"), (A.EVEN_PORT, 0)], 400),
        ([UDP, (A.RESERVATION_TOKEN, b"12345678"), (A.REQUESTED_ADDRESS_FAMILY, 1)], 400),
        ([UDP, (A.REQUESTED_ADDRESS_FAMILY, 1)], 0),
        ([UDP, (A.REQUESTED_ADDRESS_FAMILY, 2)], 0),
        ([UDP, (0xC001, b"optional")], 0),
    ],
    ids=["none", "tcp", "family", "dont fragment", "token and even", "token and family", "ipv4", "ipv6", "optional"],
)
def test_an_allocate_is_checked(attributes: list[tuple[int, Any]], code: int) -> None:
    assert allocate_with(Caller(Bench()), *attributes) == code


def test_a_420_names_what_was_not_understood() -> None:
    caller = Caller(Bench())
    caller.challenge()
    unknown = [UDP, (A.DONT_FRAGMENT, None), (0x7ABC, b""), (0x7ABC, b"")]
    answer = caller.ask(signed(caller, Method.ALLOCATE, unknown))
    assert answer.unknown_attributes == (A.DONT_FRAGMENT, 0x7ABC)
    assert answer.check_integrity(KEY) == "valid"


def test_a_family_that_the_server_has_not_is_refused() -> None:
    bench = Bench()
    bench.core.relay._families = frozenset({Family.IPV4})
    assert allocate_with(Caller(bench), UDP, (A.REQUESTED_ADDRESS_FAMILY, 2)) == 440


def test_an_even_port_and_the_reservation_of_the_next_are_passed_on() -> None:
    bench = Bench()
    first, second = Caller(bench), Caller(bench, port=1001)
    first.challenge()
    answer = first.ask(signed(first, Method.ALLOCATE, [UDP, (A.EVEN_PORT, 0x80)]))
    token = answer.first(A.RESERVATION_TOKEN)
    assert token == b"12345678"
    assert allocate_with(second, UDP, (A.RESERVATION_TOKEN, token)) == 0
    assert [(wanted.even_port, wanted.reserve_next, wanted.token) for wanted in bench.wanted] == [
        (True, True, None),
        (False, False, token),
    ]


def test_a_token_needs_no_family() -> None:
    bench = Bench()
    bench.core.relay._families = frozenset({Family.IPV6})
    assert allocate_with(Caller(bench), UDP, (A.RESERVATION_TOKEN, b"12345678")) == 0
    assert allocate_with(Caller(bench, port=1001), UDP) == 440


@pytest.mark.parametrize(("asked", "granted"), [(None, 600), (60, 600), (1000, 1000), (99999, 3600)])
def test_a_lifetime_is_at_least_the_default_and_at_most_the_maximum(asked: int | None, granted: int) -> None:
    assert Caller(Bench()).allocate(lifetime_s=asked).lifetime_s == granted


def test_quotas_are_per_user_and_for_the_server() -> None:
    bench = Bench(limits=Limits(allocations=3, allocations_per_user=2))
    codes = [code_of(Caller(bench, ALICE, port=port).allocate()) for port in (1, 2, 3)]
    codes += [code_of(Caller(bench, BOB, port=port).allocate()) for port in (4, 5)]
    assert codes == [0, 0, 486, 0, 508]


def test_where_no_socket_is_left_the_capacity_is_insufficient() -> None:
    bench = Bench()
    bench.sockets_left = 0
    caller = Caller(bench)
    assert code_of(caller.allocate()) == 508
    bench.sockets_left = 1
    assert code_of(caller.ask(caller.turn.allocate_request())) == 0


def test_a_socket_that_comes_after_the_client_has_gone_is_closed() -> None:
    bench = Bench()
    caller = Caller(bench, tcp=True)
    caller.challenge()
    effects = bench.core.frame(0, caller.client, Frame(None, caller.turn.allocate_request().data))
    assert bench.carry_out(bench.core.relay.client_gone(caller.client)) == []
    assert bench.carry_out(effects) == []
    assert bench.closed == [caller.client]
    assert bench.core.relay.relay_failed(caller.client) == []


# --- Refresh ---


def test_a_refresh_extends_the_allocation() -> None:
    bench = Bench(nonce_lifetime_s=10_000)
    caller = Caller(bench)
    caller.allocate()
    bench.now_ms = 500_000
    assert caller.refresh() == 0
    bench.now_ms = 1_099_999
    assert caller.refresh() == 0


def test_lifetime_0_releases_and_the_next_refresh_is_a_mismatch() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    answer = caller.ask(caller.turn.refresh_request(0))
    assert (code_of(answer), answer.lifetime_s) == (0, 0)
    assert bench.closed == [caller.client]
    assert caller.refresh(0) == 437
    assert not bench.core.relay.holds(caller.client)


def test_an_allocation_that_is_not_refreshed_ends() -> None:
    bench = Bench(nonce_lifetime_s=10_000)
    caller = Caller(bench)
    caller.allocate()
    bench.now_ms = 599_999
    assert bench.carry_out(bench.core.relay.expire(bench.now_ms)) == []
    bench.now_ms = 600_000
    assert caller.refresh() == 437
    bench.carry_out(bench.core.relay.expire(bench.now_ms))
    assert bench.closed == [caller.client]


def test_a_refresh_for_another_family_is_a_peer_mismatch() -> None:
    caller = Caller(Bench())
    caller.allocate()
    wrong = signed(caller, Method.REFRESH, [(A.REQUESTED_ADDRESS_FAMILY, 2)])
    right = signed(caller, Method.REFRESH, [(A.REQUESTED_ADDRESS_FAMILY, 1)])
    assert [code_of(caller.ask(wrong)), code_of(caller.ask(right))] == [443, 0]


def test_the_allocation_of_another_user_cannot_be_used() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    caller.turn = Caller(bench, BOB).turn
    request = caller.turn.refresh_request(0)
    caller.turn.digest(request, caller.ask(request))
    assert [caller.refresh(0), caller.permit(PEER), caller.bind(0x4000, PEER)] == [441, 441, 441]
    assert bench.closed == []


def test_a_closed_connection_releases_its_allocation() -> None:
    bench = Bench()
    caller = Caller(bench, tcp=True)
    caller.allocate()
    bench.carry_out(bench.core.relay.client_gone(caller.client))
    assert bench.closed == [caller.client]
    assert bench.core.relay.client_gone(caller.client) == []


# --- permissions and channels ---


def test_nothing_can_be_had_without_an_allocation() -> None:
    caller = Caller(Bench())
    caller.challenge()
    assert [caller.refresh(), caller.permit(PEER), caller.bind(0x4000, PEER)] == [437, 437, 437]


def test_a_permission_lets_both_directions_through_for_300_seconds() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    assert caller.send(caller.turn.send_indication(PEER, b"early")) == []
    assert bench.from_peer(caller.client, PEER, b"early") == []
    assert bench.to_peers == []
    assert caller.permit(PEER) == 0
    bench.now_ms = 299_999
    assert caller.send(caller.turn.send_indication(PEER, b"out")) == []
    assert bench.to_peers == [SendToPeer(caller.client, PEER, b"out")]
    (sent,) = bench.from_peer(caller.client, PEER, b"in")
    found = relayed_datagram(decode(sent.data))
    assert found is not None
    assert (found.peer, found.data) == (PEER, b"in")
    bench.now_ms = 300_000
    caller.send(caller.turn.send_indication(PEER, b"late"))
    assert bench.from_peer(caller.client, PEER, b"late") == []
    assert len(bench.to_peers) == 1


def test_a_permission_is_for_an_address_and_every_port_of_it() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    caller.permit(PEER)
    assert bench.from_peer(caller.client, TransportAddress(PEER.ip, 9), b"x")
    assert not bench.from_peer(caller.client, TransportAddress("198.51.100.10", PEER.port), b"x")


@pytest.mark.parametrize(
    ("peers", "code"),
    [
        ((), 400),
        ((PEER6,), 443),
        ((PEER, PEER6), 443),
        ((TransportAddress("127.0.0.1", 1),), 403),
        ((PEER, TransportAddress("10.0.0.1", 1)), 403),
    ],
    ids=["none", "family", "one of two", "loopback", "private"],
)
def test_a_permission_is_all_or_nothing(peers: tuple[TransportAddress, ...], code: int) -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    assert caller.permit(*peers) == code
    assert bench.from_peer(caller.client, PEER, b"x") == []


def test_loopback_peers_are_served_where_they_are_allowed() -> None:
    caller = Caller(Bench(allow_loopback_peers=True))
    caller.allocate()
    assert caller.permit(TransportAddress("127.0.0.1", 1)) == 0
    assert caller.permit(TransportAddress("10.0.0.1", 1)) == 403


def test_a_channel_carries_both_directions_and_brings_its_permission() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    assert caller.bind(0x4001, PEER) == 0
    assert bench.datagram(caller.client, channel_data(0x4001, b"out", stream=False)) == []
    assert bench.to_peers == [SendToPeer(caller.client, PEER, b"out")]
    (sent,) = bench.from_peer(caller.client, PEER, b"in")
    assert sent.data == channel_data(0x4001, b"in", stream=False)


def test_over_tcp_channel_data_is_padded() -> None:
    bench = Bench()
    caller = Caller(bench, tcp=True)
    caller.allocate()
    caller.bind(0x4000, PEER)
    bench.frame(caller.client, b"out", 0x4000)
    assert bench.to_peers == [SendToPeer(caller.client, PEER, b"out")]
    (sent,) = bench.from_peer(caller.client, PEER, b"in")
    assert sent.data == channel_data(0x4000, b"in", stream=True)


def test_a_channel_ends_after_600_seconds_and_its_permission_before() -> None:
    bench = Bench(default_lifetime_s=3000, nonce_lifetime_s=3000)
    caller = Caller(bench)
    caller.allocate()
    caller.bind(0x4000, PEER)
    bench.now_ms = 300_000
    bench.datagram(caller.client, channel_data(0x4000, b"no permission", stream=False))
    assert bench.to_peers == []
    caller.permit(PEER)
    bench.datagram(caller.client, channel_data(0x4000, b"again", stream=False))
    assert len(bench.to_peers) == 1
    bench.now_ms = 599_999.5
    caller.permit(PEER)
    bench.now_ms = 600_000
    bench.datagram(caller.client, channel_data(0x4000, b"ended", stream=False))
    assert len(bench.to_peers) == 1
    (sent,) = bench.from_peer(caller.client, PEER, b"in")
    assert relayed_datagram(decode(sent.data)) is not None
    assert caller.bind(0x4001, PEER) == 0


def test_a_channel_and_a_peer_belong_to_each_other() -> None:
    other = TransportAddress(PEER.ip, PEER.port + 1)
    caller = Caller(Bench())
    caller.allocate()
    assert caller.bind(0x4000, PEER) == 0
    assert caller.bind(0x4000, PEER) == 0
    assert caller.bind(0x4000, other) == 400
    assert caller.bind(0x4001, PEER) == 400
    assert caller.bind(0x4001, other) == 0


@pytest.mark.parametrize(
    ("channel", "peer", "code"),
    [
        (0x3FFF, PEER, 400),
        (0x8000, PEER, 400),
        (0x7FFF, PEER, 0),
        (0x4000, PEER6, 443),
        (0x4000, TransportAddress("192.168.0.1", 1), 403),
        (0x4000, SERVER, 403),
    ],
    ids=["low", "high", "old", "family", "private", "own"],
)
def test_a_channel_bind_is_checked(channel: int, peer: TransportAddress, code: int) -> None:
    caller = Caller(Bench())
    caller.allocate()
    assert caller.bind(channel, peer) == code


@pytest.mark.parametrize(
    "attributes", [[(A.CHANNEL_NUMBER, 0x4000)], [(A.XOR_PEER_ADDRESS, PEER)]], ids=["peer", "number"]
)
def test_a_channel_bind_without_a_part_is_a_bad_request(attributes: list[tuple[int, Any]]) -> None:
    caller = Caller(Bench())
    caller.allocate()
    assert code_of(caller.ask(signed(caller, Method.CHANNEL_BIND, attributes))) == 400


def test_a_channel_bind_permits_only_the_peer_that_it_binds() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    other = TransportAddress("198.51.100.10", 1)
    both: list[tuple[int, Any]] = [(A.CHANNEL_NUMBER, 0x4000), (A.XOR_PEER_ADDRESS, PEER), (A.XOR_PEER_ADDRESS, other)]
    assert code_of(caller.ask(signed(caller, Method.CHANNEL_BIND, both))) == 0
    assert bench.from_peer(caller.client, PEER, b"x")
    assert not bench.from_peer(caller.client, other, b"x")


def test_permissions_and_channels_are_bounded() -> None:
    caller = Caller(Bench(limits=Limits(permissions=3, channels=2)))
    caller.allocate()
    peers = [TransportAddress("198.51.100.9", port) for port in range(1, 5)]
    assert [caller.bind(0x4000 + number, peer) for number, peer in enumerate(peers[:3])] == [0, 0, 508]
    many = [TransportAddress(f"198.51.100.{host}", 1) for host in range(10, 13)]
    assert caller.permit(*many) == 508
    assert caller.permit(*many[:2]) == 0


# --- data ---


def test_nothing_is_sent_to_the_server_itself_or_to_port_0() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    assert caller.permit(SERVER) == 0
    for peer in (SERVER, TransportAddress(SERVER.ip, 3479), TransportAddress(SERVER.ip, 0)):
        caller.send(caller.turn.send_indication(peer, b"loop"))
    assert bench.to_peers == []
    another_relay = TransportAddress(SERVER.ip, 50002)
    caller.send(caller.turn.send_indication(another_relay, b"hairpin"))
    assert [sent.peer for sent in bench.to_peers] == [another_relay]


@pytest.mark.parametrize(
    "attributes",
    [
        [(A.DATA, b"x")],
        [(A.XOR_PEER_ADDRESS, PEER)],
        [(A.XOR_PEER_ADDRESS, PEER), (A.DATA, b"x"), (A.DONT_FRAGMENT, None)],
    ],
    ids=["no peer", "no data", "dont fragment"],
)
def test_a_send_indication_with_a_part_too_few_or_too_many_is_discarded(attributes: list[tuple[int, Any]]) -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    caller.permit(PEER)
    assert caller.send(encode(MessageClass.INDICATION, Method.SEND, bytes(12), attributes)) == []
    assert bench.to_peers == []


def test_data_without_an_allocation_or_channel_is_discarded() -> None:
    bench = Bench()
    caller = Caller(bench)
    assert caller.send(caller.turn.send_indication(PEER, b"x")) == []
    assert bench.datagram(caller.client, channel_data(0x4000, b"x", stream=False)) == []
    assert bench.from_peer(caller.client, PEER, b"x") == []
    caller.allocate()
    assert bench.datagram(caller.client, channel_data(0x4000, b"x", stream=False)) == []
    assert bench.to_peers == []


def test_datagrams_that_no_frame_holds_are_dropped() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    caller.bind(0x4000, PEER)
    assert bench.from_peer(caller.client, PEER, bytes(65_001)) == []
    bench.datagram(caller.client, channel_data(0x4000, bytes(65_001), stream=False))
    assert bench.to_peers == []
    assert len(bench.from_peer(caller.client, PEER, bytes(65_000))) == 1


def test_a_method_that_is_not_served_is_discarded() -> None:
    caller = Caller(Bench())
    caller.allocate()
    assert caller.send(signed(caller, Method.CONNECT, [(A.XOR_PEER_ADDRESS, PEER)]).data) == []


def test_what_follows_the_signature_changes_nothing() -> None:
    bench = Bench()
    caller = Caller(bench)
    caller.allocate()
    data = (
        signed(caller, Method.REFRESH, []).data[:-8]
        + encode(MessageClass.REQUEST, 1, bytes(12), [(A.LIFETIME, 0)])[20:28]
    )
    assert decode(data).raw_of(A.LIFETIME) == bytes(4)
    assert [code_of(answer) for answer in caller.send(data)] == [0]
    assert bench.closed == []


def test_a_server_that_offers_sha_256_works_for_clients_that_take_it_and_for_those_that_do_not() -> None:
    bench = Bench(sha256=True)
    modern = Caller(bench)
    answer = modern.allocate()
    assert modern.turn.signs_with_sha256
    assert (code_of(answer), modern.turn.check(answer)) == (0, "valid")
    assert answer.raw_of(A.MESSAGE_INTEGRITY) is None
    assert (modern.permit(PEER), modern.bind(0x4000, PEER), modern.refresh(0)) == (0, 0, 0)
    old = Caller(bench, port=1001)
    old.turn = OldClient("alice", "wonderland")
    assert code_of(old.allocate()) == 0
    assert code_of(Caller(bench, Credential("alice", "wrong"), port=1002).allocate()) == 401


class OldClient(TurnClient):
    """A client before RFC 8489: it does not see what is offered."""

    def digest(self, request: Request, answer: Message) -> Step:
        kept = tuple(item for item in answer.attributes if item.type != A.PASSWORD_ALGORITHMS)
        return super().digest(request, msgspec.structs.replace(answer, attributes=kept))


@pytest.mark.parametrize("change", ["without-the-list", "another-list", "another-algorithm"])
def test_an_offer_of_sha_256_that_does_not_come_back_as_it_was_is_a_bad_request(change: str) -> None:
    bench = Bench(sha256=True)
    caller = Caller(bench)
    caller.challenge()
    template = decode(caller.turn.allocate_request().data)
    changes: dict[str, dict[int, bytes | None]] = {
        "without-the-list": {A.PASSWORD_ALGORITHMS: None},
        "another-list": {A.PASSWORD_ALGORITHMS: b"\0\1\0\0"},
        "another-algorithm": {A.PASSWORD_ALGORITHM: b"\0\7\0\0"},
    }
    kept = [(item.type, changes[change].get(item.type, item.value)) for item in template.attributes[:-2]]
    sent = [(kind, value) for kind, value in kept if value is not None]
    data = encode(MessageClass.REQUEST, Method.ALLOCATE, bytes(12), sent, key=caller.turn.key, sha256=True)
    (answer,) = caller.send(data)
    assert code_of(answer) == 400
