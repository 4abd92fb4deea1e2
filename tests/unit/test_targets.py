"""STUN and TURN URIs: what RFC 7064 and RFC 7065 allow, and what people write instead."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.targets import Credential, Server, Transport, UriError, parse_server

UDP, TCP, TLS, DTLS = Transport.UDP, Transport.TCP, Transport.TLS, Transport.DTLS

# The examples of RFC 7064 appendix A and RFC 7065 appendix A, IPv6 literals and upper case.
GOOD = [
    ("stun:example.org", "stun", "example.org", 3478, UDP),
    ("stuns:example.org", "stun", "example.org", 5349, TLS),
    ("stun:example.org:8000", "stun", "example.org", 8000, UDP),
    ("stuns:example.org:443", "stun", "example.org", 443, TLS),
    ("turn:example.org", "turn", "example.org", 3478, UDP),
    ("turns:example.org", "turn", "example.org", 5349, TLS),
    ("turn:example.org:8000", "turn", "example.org", 8000, UDP),
    ("turn:example.org?transport=udp", "turn", "example.org", 3478, UDP),
    ("turn:example.org?transport=tcp", "turn", "example.org", 3478, TCP),
    ("turns:example.org?transport=tcp", "turn", "example.org", 5349, TLS),
    ("turns:example.org:443?transport=udp", "turn", "example.org", 443, DTLS),
    ("turn:example.org?transport=TCP", "turn", "example.org", 3478, TCP),
    ("TURN:Example.ORG", "turn", "example.org", 3478, UDP),
    ("stun:192.0.2.1:19302", "stun", "192.0.2.1", 19302, UDP),
    ("stun:[2001:DB8::1]", "stun", "2001:db8::1", 3478, UDP),
    ("turn:[::1]:3479?transport=tcp", "turn", "::1", 3479, TCP),
    ("stun:_stun.example.org", "stun", "_stun.example.org", 3478, UDP),
    ("stun:example.org.", "stun", "example.org.", 3478, UDP),
    ("stun:3com.example", "stun", "3com.example", 3478, UDP),
    ("  turn:example.org:1 \n", "turn", "example.org", 1, UDP),
    ("turn:example.org:65535", "turn", "example.org", 65535, UDP),
    ("turn:example.org:", "turn", "example.org", 3478, UDP),
]

# text, what the message says, the corrected form that it shows
BAD = [
    ("turn://example.org", "turn: is not followed by //", "turn:example.org"),
    ("turn://example.org:443/path?transport=tcp", "is not followed by //", "turn:example.org:443?transport=tcp"),
    ("stun://example.org?transport=udp", "is not followed by //", "stun:example.org"),
    ("turn:?transport=udp", "the host is missing", None),
    ("turn:", "the host is missing", None),
    ("turn::3478", "the host is missing", None),
    ("", "starts with stun:", None),
    ("example.org", "starts with stun:", "stun:example.org or turn:example.org"),
    ("example.org:3478", "starts with stun:", "stun:example.org:3478 or turn:example.org:3478"),
    ("turn example.org", "starts with stun:", None),
    ("https://example.org/turn", "starts with stun:", "stun:example.org or turn:example.org"),
    ("turn-s:example.org", "starts with stun:", None),
    ("turn:example.org?proto=udp", "the only query", "turn:example.org?transport=udp"),
    (
        "turn:example.org?transport=tls",
        "the only query",
        "turn:example.org?transport=udp or turn:example.org?transport=tcp",
    ),
    ("turn:example.org?transport=tcp&ttl=9", "the only query", "turn:example.org?transport=tcp"),
    ("turn:example.org?", "the only query", "turn:example.org?transport=udp or turn:example.org?transport=tcp"),
    (
        "turn:example.org?transport=",
        "the only query",
        "turn:example.org?transport=udp or turn:example.org?transport=tcp",
    ),
    ("turn:example.org/path", "has no path", "turn:example.org"),
    ("stun:example.org#part", "has no path", "stun:example.org"),
    ("turn:user@example.org", "no user name or password", "turn:example.org"),
    ("turn://user:word@example.org:443/x", "no user name or password", "turn:example.org:443"),
    ("turn:example.org:0", "port '0'", None),
    ("turn:example.org:99999", "port '99999'", None),
    ("turn:example.org:65536", "port '65536'", None),
    ("turn:example.org:-1", "port '-1'", None),
    ("turn:example.org:34x", "port '34x'", None),
    ("turn:example.org:٣", "port '٣'", None),
    ("turn:2001:db8::1", "stands in brackets", "turn:[2001:db8::1]"),
    ("turn:[2001:db8::1", "no IPv6 address in brackets", None),
    ("turn:[2001:db8::1]x", "no IPv6 address in brackets", None),
    ("turn:[192.0.2.1]", "no IPv6 address in brackets", None),
    ("turn:[fe80::1%25eth0]", "no IPv6 address in brackets", None),
    ("turn:exa mple.org", "no host name", None),
    ("turn:example..org", "no host name", None),
    ("turn:-example.org", "no host name", None),
    ("turn:" + "a" * 64 + ".org", "no host name", None),
    ("turn:" + "a." * 127 + "org", "no host name", None),
    ("turn:münchen.example:443", "no host name", "turn:xn--mnchen-3ya.example:443"),
    ("turn:example.org\x00", "no host name", None),
    ("turn:127.1", "neither an IPv4 address nor a host name", None),
    ("turn:0x7f000001", "neither an IPv4 address nor a host name", None),
    ("turn:192.0.2.256", "neither an IPv4 address nor a host name", None),
]


@pytest.mark.parametrize(("text", "protocol", "host", "port", "transport"), GOOD)
def test_a_uri_that_the_rfcs_allow_is_read(
    text: str, protocol: str, host: str, port: int, transport: Transport
) -> None:
    server = parse_server(text)
    assert (server.protocol, server.host, server.port, server.transport) == (protocol, host, port, transport)
    assert server.uri == text.strip()


@pytest.mark.parametrize(("text", "why", "instead"), BAD)
def test_a_uri_that_the_rfcs_do_not_allow_is_named_explained_and_corrected(
    text: str, why: str, instead: str | None
) -> None:
    with pytest.raises(UriError) as caught:
        parse_server(text)
    message = str(caught.value)
    assert why in message
    assert message.endswith(f"(write {instead})") if instead else "(write" not in message
    assert "\n" not in message
    assert "\x00" not in message


def test_a_stun_uri_keeps_the_query_that_means_nothing_for_a_finding() -> None:
    server = parse_server("stun:example.org?transport=udp")
    assert (server.transport, server.ignored_query) == (UDP, "transport=udp")


def test_tls_to_an_ip_literal_parses_because_it_is_a_finding_and_no_usage_error() -> None:
    assert parse_server("turns:192.0.2.1").ip_literal
    assert parse_server("turns:[2001:db8::1]").ip_literal
    assert not parse_server("turns:example.org").ip_literal


@pytest.mark.parametrize(
    "text",
    [
        "turn:ann:hunter2@example.org",
        "turn://ann:hunter2@example.org",
        "turn:hunter2?x@example.org",
        "turn:ann:hunter2/@example.org",
        "stun:hunter2?x@example.org",
        "hunter2@example.org",
        "https://ann:hunter2@example.org/",
    ],
)
def test_a_password_in_a_uri_is_not_repeated(text: str) -> None:
    with pytest.raises(UriError) as caught:
        parse_server(text)
    assert "hunter2" not in str(caught.value)
    assert "example.org" in str(caught.value)


def test_a_uri_without_end_is_not_printed_without_end() -> None:
    with pytest.raises(UriError) as caught:
        parse_server("turn:" + "a" * 100_000)
    assert len(str(caught.value)) < 500


def test_a_credential_prints_as_nothing_and_has_no_json_form() -> None:
    server = parse_server("turn:example.org", credential=Credential("ann", "hunter2"))
    assert "hunter2" not in repr(server)
    assert "ann" not in repr(server)
    with pytest.raises(TypeError):
        msgspec.json.encode(server)


def test_a_stun_server_is_given_no_credential() -> None:
    assert parse_server("stun:example.org", credential=Credential("ann", "hunter2")).credential is None


def test_a_default_server_says_that_the_user_did_not_name_it() -> None:
    assert parse_server("stun:example.org").origin == "user"
    assert parse_server("stun:example.org", origin="default").origin == "default"


def _written(server: Server) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    query = f"?transport={server.transport}" if server.protocol == "turn" and server.transport in {UDP, TCP} else ""
    return f"{server.protocol}{'s' if server.secure else ''}:{host}:{server.port}{query}"


@given(
    scheme=st.sampled_from(["stun", "stuns", "turn", "turns"]),
    host=st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z][a-z0-9]{0,20}){0,3}", fullmatch=True)
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    port=st.none() | st.integers(1, 65535),
)
def test_what_was_read_can_be_written_and_read_again(scheme: str, host: str, port: int | None) -> None:
    server = parse_server(f"{scheme}:{host}" + (f":{port}" if port else ""))
    again = parse_server(_written(server))
    assert (again.host, again.port, again.transport) == (server.host, server.port, server.transport)


@given(st.text() | st.text().map("turn:{}".format) | st.text(alphabet="[]:/?#@=.%-0aturnspo").map("turn:{}".format))
def test_any_text_is_read_or_refused_with_one_short_line_and_nothing_else_is_raised(text: str) -> None:
    message = ""
    try:
        server = parse_server(text)
    except UriError as error:
        message = str(error)
    else:
        assert 1 <= server.port <= 65535
        assert server.host.isascii()
    assert len(message) < 1000
    assert "\n" not in message
