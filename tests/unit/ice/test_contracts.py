"""The parts of aioice that the agent of a session drives without aioice's promise: each fails the day it changes."""

import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import aioice
from aioice import ice, mdns, stun, turn

from rtcdiag.ice import traffic
from rtcdiag.ice.checklist import CheckList
from rtcdiag.ice.session import SessionAgent
from rtcdiag.ice.session_socket import Asked, RelaySocket, SessionSocket


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def source(function: Any) -> str:
    return inspect.getsource(function)


def test_a_socket_hands_responses_to_whatever_stands_in_its_transactions() -> None:
    text = source(ice.StunProtocol.datagram_received)
    assert "transaction = self.transactions[message.transaction_id]" in text
    assert "transaction.response_received(message, addr)" in text
    assert len(parameters(stun.Transaction.response_received)) == len(parameters(Asked.response_received)) == 3


def test_a_socket_hands_requests_to_its_connection_and_answers_through_send_stun() -> None:
    assert "self.receiver.request_received(message, addr, self)" in source(ice.StunProtocol.datagram_received)
    assert "protocol.send_stun(response, addr)" in source(ice.Connection.request_received)
    assert "protocol.send_stun(response, addr)" in source(ice.Connection.respond_error)
    assert parameters(ice.StunProtocol.send_stun) == parameters(SessionSocket.send_stun) == ["self", "message", "addr"]


def test_a_check_that_came_in_is_authenticated_answered_and_then_handed_on() -> None:
    text = source(ice.Connection.request_received)
    order = [
        "self._valid_username(",
        "(401, ",
        "switch_role(ice_controlling=False)",
        "protocol.send_stun(response",
        "self._early_checks.append((message, addr, protocol))",
        "self.check_incoming(message, addr, protocol)",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    for name in ("request_received", "check_incoming", "respond_error", "switch_role", "data_received"):
        assert parameters(getattr(CheckList, name)) == parameters(getattr(ice.Connection, name)), name


def test_early_checks_are_bounded_and_kept_until_the_flag_is_set() -> None:
    agent = aioice.Connection(ice_controlling=True)
    assert agent._early_checks.maxlen == 100
    assert agent._early_checks_done is False
    assert agent._remote_candidates == []
    assert agent._check_list == []


def test_a_request_is_built_with_role_and_user_name_and_without_a_signature() -> None:
    assert parameters(ice.Connection.build_request) == ["self", "pair", "nominate"]
    text = source(ice.Connection.build_request)
    assert 'request.attributes["ICE-CONTROLLING"] = self._tie_breaker' in text
    assert "add_message_integrity" not in text


def test_a_remote_candidate_is_kept_and_paired_through_the_step_that_is_overridden() -> None:
    text = source(ice.Connection._add_remote_candidate)
    assert "self._remote_candidates.append(remote_candidate)" in text
    assert "self._pair_remote_candidate(remote_candidate)" in text
    assert parameters(ice.Connection._pair_remote_candidate) == parameters(SessionAgent._pair_remote_candidate)
    assert parameters(ice.Connection._find_pair) == ["self", "protocol", "remote_candidate"]
    assert aioice.Candidate.from_sdp("1 1 udp 1 a.local 5 typ host")._network_host == "a.local"


def test_a_pair_has_the_flags_of_nomination() -> None:
    pair = ice.CandidatePair(SessionSocket.__new__(SessionSocket), aioice.Candidate("1", 1, "udp", 1, "::1", 5, "host"))
    assert (pair.nominated, pair.remote_nominated) == (False, False)


def test_closing_a_connection_closes_what_is_in_its_list_and_waits_for_no_pair_of_ours() -> None:
    text = source(ice.Connection.close)
    assert "for protocol in self._protocols:" in text
    assert "tasks = [p.task for p in self._check_list if p.task is not None]" in text


def test_a_turn_client_binds_a_channel_by_itself_and_again_after_the_time_that_is_set() -> None:
    text = source(turn.TurnClientMixin.send_data)
    assert parameters(turn.TurnClientMixin.send_data) == ["self", "data", "addr"]
    assert "now > self.channel_refresh_at[channel]" in text
    assert "now + self.channel_refresh_time" in text


def test_a_relays_socket_reaches_its_turn_client() -> None:
    client = turn.TurnClientUdpProtocol(("192.0.2.1", 3478), "u", "p", lifetime=600, channel_refresh_time=500)
    sock = RelaySocket.__new__(RelaySocket)
    sock.transport = turn.TurnTransport(client)  # type: ignore[assignment] # aioice does the same
    assert sock.client is client
    assert (client.transactions, client.server, client.mapped_address) == ({}, ("192.0.2.1", 3478), None)


def test_a_turn_client_hands_responses_to_whatever_stands_in_its_transactions() -> None:
    text = source(turn.TurnClientMixin.datagram_received)
    assert "transaction.response_received(message, addr)" in text
    assert parameters(turn.TurnClientMixin.send_stun) == ["self", "message", "addr"]


def test_a_name_is_asked_for_through_a_socket_that_all_agents_share() -> None:
    assert parameters(ice.get_or_create_mdns_protocol) == ["subscriber"]
    assert parameters(mdns.MDnsProtocol.resolve)[:2] == ["self", "hostname"]
    assert "await unref_mdns_protocol(self)" in source(ice.Connection.close)


def test_credentials_are_validated_by_functions_that_raise_value_error() -> None:
    for validate in (ice.validate_username, ice.validate_password):
        assert "raise ValueError" in source(validate)


def test_names_of_mdns_load_what_they_need_when_they_are_asked_for_and_not_before() -> None:
    program = """
import sys, rtcdiag.ice
assert not [name for name in sys.modules if name.startswith("dns.rdtypes")], "loaded with aioice"
import dns.message, dns.name
query = dns.message.make_query(dns.name.from_text("a.local"), "A")
assert isinstance(query, dns.message.QueryMessage)
assert dns.message.from_wire(query.to_wire()).question[0].name == dns.name.from_text("a.local")
from aioice.mdns import dns as used
assert used.zone.Zone("", relativize=False) is not None
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_turn_clients_are_made_by_names_that_are_looked_up_each_time_and_send_through_one_step() -> None:
    text = source(turn.create_turn_endpoint)
    assert "lambda: TurnClientTcpProtocol(" in text
    assert "lambda: TurnClientUdpProtocol(" in text
    assert issubclass(turn.TurnClientUdpProtocol, traffic.Recorded)
    assert issubclass(turn.TurnClientTcpProtocol, traffic.Recorded)
    for sender in (turn.TurnClientMixin.send_stun, turn.TurnClientMixin.send_data):
        assert "self._send(" in source(sender)
    assert "self.datagram_received(" in source(turn.TurnStreamMixin.data_received)
