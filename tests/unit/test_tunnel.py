"""CONNECT on the wire: what a proxy may answer, and what is not taken for an answer."""

import pytest

from rtcdiag.net.tunnel import NoTunnelAnswerError, TunnelAnswer, TunnelRequest
from rtcdiag.targets import Credential


def answered(*pieces: bytes) -> TunnelAnswer | None:
    asking = TunnelRequest("turn.example.org:443")
    asking.request()
    answer = None
    for piece in pieces:
        answer = answer or asking.receive(piece)
    return answer


def test_the_request_names_the_server_and_nothing_of_this_computer() -> None:
    request = TunnelRequest("turn.example.org:443").request()
    assert request.startswith(b"CONNECT turn.example.org:443 HTTP/1.1\r\nHost: turn.example.org:443\r\n")
    assert b"Authorization" not in request


def test_a_login_goes_in_basic_form() -> None:
    request = TunnelRequest("h:443", Credential("ann", "höhe:2")).request()
    assert b"Proxy-Authorization: Basic YW5uOmjDtmhlOjI=\r\n" in request


def test_an_ipv6_literal_stands_in_brackets() -> None:
    assert b"CONNECT [2001:db8::1]:3478 HTTP" in TunnelRequest("[2001:db8::1]:3478").request()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 Connection established\r\nX: y\r\n\r\n"])
def test_a_tunnel_is_there_with_the_end_of_the_head(head: bytes) -> None:
    assert answered(head[:9], head[9:]) == TunnelAnswer(200)
    assert answered(head[:-1]) is None


def test_an_interim_response_is_waited_through() -> None:
    assert answered(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n") == TunnelAnswer(200)


def test_the_kinds_of_login_are_told_without_what_stands_beside_them() -> None:
    head = b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="secret place"\r\nProxy-Authenticate: NTLM\r\n'
    assert answered(head + b"Proxy-Authenticate: ???\r\n\r\n") == TunnelAnswer(407, ("Basic", "NTLM"))


@pytest.mark.parametrize(
    "garbage",
    [
        bytes(range(256)),
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x05\xff",
        b"\x15\x03\x03\x00\x02\x02\x28\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000,
        b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
        b"HTTP/1.1 99999 No\r\n\r\n",
        b"x" * 100_000,
    ],
)
def test_what_is_no_answer_is_never_taken_for_a_tunnel(garbage: bytes) -> None:
    with pytest.raises(NoTunnelAnswerError):
        answered(*(garbage[at : at + 1000] for at in range(0, len(garbage), 1000)), b"")
