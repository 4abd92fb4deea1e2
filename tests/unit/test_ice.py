"""The parts of aioice that rtcdiag drives without its promise, and what is made of its errors; no socket."""

import asyncio
import inspect
import ssl
import struct
from collections.abc import Callable
from typing import Any

import aioice
import pytest
from aioice import ice, stun

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.ice import Question, Relay, gather, reading
from rtcdiag.ice import agent as subject
from rtcdiag.ice import relay as relaying
from rtcdiag.net.stream import TlsSettings
from rtcdiag.targets import Transport

HEADER = bytes.fromhex("2112a442") + bytes(range(12))


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


# --- contracts with aioice's private parts ---


def test_aioice_is_the_version_that_the_private_parts_were_read_in() -> None:
    assert aioice.__version__ == "0.13.0"


def test_a_connection_gathers_through_the_step_that_we_override() -> None:
    assert parameters(aioice.Connection.get_component_candidates) == ["self", "component", "addresses", "timeout"]
    source = inspect.getsource(aioice.Connection.gather_candidates)
    assert "self.get_component_candidates(component=component, addresses=addresses)" in source


def test_a_connection_owns_its_sockets_in_one_list_that_close_releases() -> None:
    assert aioice.Connection(ice_controlling=True)._protocols == []
    source = inspect.getsource(aioice.Connection.close)
    assert "for protocol in self._protocols:\n            await protocol.close()" in source


def test_the_functions_that_ask_servers_take_what_we_give_them() -> None:
    assert parameters(ice.server_reflexive_candidate) == ["protocol", "stun_server"]
    assert parameters(ice.relayed_candidate) == [
        "component",
        "hide_related_address",
        "protocol_factory",
        "turn_server",
        "turn_username",
        "turn_password",
        "turn_ssl",
        "turn_transport",
    ]
    assert parameters(ice.StunProtocol) == ["receiver"]


def test_aioice_reads_messages_through_the_function_that_we_replaced() -> None:
    assert stun.parse_message is reading._parse_message
    for reader in (ice.StunProtocol.datagram_received, aioice.turn.TurnClientMixin.datagram_received):
        source = inspect.getsource(reader)
        assert "stun.parse_message(data)" in source
        assert "except ValueError:" in source


def test_a_relayed_protocol_is_told_why_a_channel_was_refused() -> None:
    assert "receiver.error_received(cast(Exception, exc))" in inspect.getsource(aioice.turn.TurnTransport._send_done)
    assert parameters(ice.StunProtocol.error_received) == ["self", "exc"]


def test_a_remote_candidate_is_paired_with_the_sockets_that_we_put_into_the_list() -> None:
    source = inspect.getsource(aioice.Connection._pair_remote_candidate)
    assert "for protocol in self._protocols:" in source
    assert "protocol.local_candidate" in source


# --- our reading of messages ---


def test_an_attribute_of_a_wrong_length_is_no_message_instead_of_an_exception_in_a_callback() -> None:
    broken = bytes.fromhex("01030008") + HEADER + bytes.fromhex("000d0002ffff0000")
    with pytest.raises(struct.error):
        reading._aioice_parse_message(broken)
    with pytest.raises(ValueError, match="wrong length"):
        stun.parse_message(broken)


def test_a_sound_message_is_read_as_before() -> None:
    message = stun.parse_message(bytes.fromhex("01030008") + HEADER + bytes.fromhex("000d000400000258"))
    assert message.attributes == {"LIFETIME": 600}


# --- what is asked ---


def relay(transport: Transport) -> Relay:
    return Relay(
        address=TransportAddress("127.0.0.1", 3478), transport=transport, credential=None, tls=TlsSettings("turn.test")
    )


def test_a_relay_over_dtls_is_refused_because_aioice_would_talk_in_the_clear() -> None:
    assert relay(Transport.TLS).transport is Transport.TLS
    with pytest.raises(ValueError, match="dtls"):
        relay(Transport.DTLS)


def test_an_agent_for_relays_only_gathers_no_host_candidate() -> None:
    found: list[Any] = []
    question = Question(relay_only=True, timeout_ms=100.0)
    assert asyncio.run(gather(question, found.append, found.append))
    assert found == []


def test_the_name_stands_in_for_the_address_in_a_tls_handshake() -> None:
    context = relaying._naming_context(TlsSettings("turn.test"))
    session = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="127.0.0.1")
    assert session.server_hostname == "turn.test"
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


# --- two agents ---


def test_the_first_reason_for_a_refused_channel_stands_and_other_errors_are_none() -> None:
    async def told() -> tuple[bool, str]:
        agent = subject.Agent(Question(relay_only=True, timeout_ms=1.0), print, print)
        protocol = subject._RelayProtocol(agent)
        protocol.error_received(ConnectionError("gone"))
        quiet = agent.refused.done()
        for code in (403, 400):
            protocol.error_received(refusal({"ERROR-CODE": (code, "wonderland")}))
        await agent.close()
        return quiet, agent.refused.result()

    assert asyncio.run(told()) == (False, "the server refused with error 403")


# --- why a server gave nothing ---


def refusal(attributes: dict[str, Any]) -> stun.TransactionFailed:
    message = stun.Message(message_method=stun.Method.ALLOCATE, message_class=stun.Class.ERROR, attributes=attributes)
    return stun.TransactionFailed(message)


@pytest.mark.parametrize(
    ("error", "failure", "words"),
    [
        (refusal({"ERROR-CODE": (401, "wonderland")}), None, "the server refused with error 401"),
        (refusal({}), None, "the server refused with error None"),
        (stun.TransactionTimeout(), Failure.TIMEOUT, "no answer"),
        (TimeoutError(), Failure.TIMEOUT, "no answer"),
        (ConnectionRefusedError(111, "refused"), Failure.CONNECTION_REFUSED, "connection-refused"),
        (ConnectionResetError(), Failure.CONNECTION_CLOSED, "connection-closed"),
        (ConnectionError("TURN allocation response is missing LIFETIME"), None, "the answer lacks what it has to have"),
        (KeyError("XOR-MAPPED-ADDRESS"), None, "the answer lacks what it has to have"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), Failure.TLS_HANDSHAKE, "tls-handshake"),
    ],
)
def test_an_error_is_told_without_a_word_that_a_server_sent(
    error: Exception, failure: Failure | None, words: str
) -> None:
    assert relaying.why(error) == (failure, words)
