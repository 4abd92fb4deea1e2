"""ICE server lists: every shape that services hand out, and what is wrong with a bad one, at which place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.config import MAX_BYTES, ConfigError, read_ice_servers

STUN = "stun:stun.example.org"
TURN = "turn:turn.example.org:3478?transport=udp"
TURNS = "turns:turn.example.org:443?transport=tcp"
ENTRY = {"urls": [TURN, TURNS], "username": "ann", "credential": "hunter2"}

SHAPES: dict[str, Any] = {
    "W3C configuration": {"iceServers": [{"urls": STUN}, ENTRY], "iceTransportPolicy": "all"},
    "bare list (Metered)": [{"urls": STUN}, ENTRY],
    "Twilio": {
        "ice_servers": [{"url": STUN, "urls": STUN}, ENTRY],
        "username": "ann",
        "password": "hunter2",
        "ttl": "86400",
        "date_updated": "Sun, 22 Nov 2026 16:00:00 +0000",
    },
    "Xirsys": {"v": {"iceServers": [{"urls": STUN}, ENTRY]}, "s": "ok"},
    "AWS Kinesis": {
        "IceServerList": [
            {"Uris": [STUN]},
            {"Uris": [TURN, TURNS], "Username": "ann", "Password": "hunter2", "Ttl": 300},
        ]
    },
    "Matrix and TURN REST": {"username": "ann", "password": "hunter2", "uris": [STUN, TURN, TURNS], "ttl": 86400},
    "single object": {**ENTRY, "urls": [STUN, TURN, TURNS]},
    "Cloudflare, an object in place of the list": {"iceServers": {**ENTRY, "urls": [STUN, TURN, TURNS]}},
    "Xirsys, an object in place of the list": {"v": {"iceServers": {**ENTRY, "urls": [STUN, TURN, TURNS]}}, "s": "ok"},
    "url of old browsers": [
        {"url": STUN},
        {"url": TURN, "username": "ann", "credential": "hunter2"},
        {"url": TURNS, "username": "ann", "credential": "hunter2"},
    ],
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_list_gives_the_same_servers(shape: Any) -> None:
    servers = read_ice_servers(json.dumps(shape), "servers.json")
    assert [server.uri for server in servers] == [STUN, TURN, TURNS]
    credentials = [server.credential for server in servers]
    assert credentials[0] is None
    assert [(c.username, c.password) for c in credentials[1:] if c] == [("ann", "hunter2")] * 2


@pytest.mark.parametrize(
    "entry",
    [
        {"urls": TURN},
        {"urls": TURN, "username": "ann"},
        {"urls": TURN, "credential": "hunter2"},
        {"urls": TURN, "username": "", "credential": ""},
        {"urls": TURN, "username": None, "credential": None},
    ],
)
def test_a_turn_server_without_credentials_is_read_so_that_a_rule_can_find_it(entry: Any) -> None:
    (server,) = read_ice_servers(json.dumps([entry]), "servers.json")
    assert server.credential is None


BAD = [
    ("", "$: empty"),
    ("\ufeff \n", "$: empty"),
    ("hello", "$: not JSON"),
    ('{"iceServers": [', "$: not JSON"),
    ("[" * 100_000, "$: nested too deeply"),
    ('"turn:example.org"', "$: expected an object with urls, found a string"),
    ("42", "$: expected an object with urls, found a number"),
    ("null", "$: expected an object with urls, found null"),
    ("[]", "$: the list of ICE servers is empty"),
    ('{"iceServers": []}', "$: the list of ICE servers is empty"),
    ("{}", "$: no urls"),
    ('{"iceServers": {}}', "$.iceServers: no urls"),
    ('{"iceServers": "turn:h"}', "$.iceServers: expected an object with urls, found a string"),
    ('{"iceServers": [{"urls": "stun:h"}, 7]}', "$.iceServers[1]: expected an object with urls, found a number"),
    ('{"iceServers": [{"urls": "stun:h"}, {"username": "x"}]}', "$.iceServers[1]: no urls"),
    ('[{"urls": 7}]', "$[0].urls: expected a string or a list of strings, found a number"),
    ('[{"urls": []}]', "$[0].urls: the list is empty"),
    ('[{"urls": ["stun:h", null]}]', "$[0].urls[1]: expected a string, found null"),
    ('[{"urls": ["stun:h", ["stun:i"]]}]', "$[0].urls[1]: expected a string, found a list"),
    (
        '{"iceServers": [{"urls": "turn://h"}]}',
        "$.iceServers[0].urls: 'turn://h': turn: is not followed by // (write turn:h)",
    ),
    (
        '{"uris": ["turn:h?proto=tcp"], "username": "a", "password": "b"}',
        "$.uris[0]: 'turn:h?proto=tcp': the only query",
    ),
    ('{"IceServerList": [{"Uris": ["turn:h:0"]}]}', "$.IceServerList[0].Uris[0]: 'turn:h:0': port '0'"),
    ('[{"urls": "turn:h", "username": 5}]', "$[0].username: expected a string, found a number"),
    (
        '[{"urls": "turn:h", "username": "a", "credential": {"macKey": "x"}}]',
        "$[0].credential: expected a string, found an object",
    ),
    ('[{"urls": "turn:h", "username": true}]', "$[0].username: expected a string, found true or false"),
    (json.dumps([{"urls": ["stun:h"] * 257}]), "$: more than 256 URIs"),
    ("[" + " " * MAX_BYTES + "]", "$: longer than 1 MiB"),
    ('["\ud800"]', "$: not JSON"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_list_is_refused_with_one_line_that_names_the_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_ice_servers(text, "servers.json")
    assert str(caught.value).startswith(f"servers.json: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"urls": 1, "username": "ann", "credential": "hunter2"},
        {"urls": TURN, "username": "ann", "credential": ["hunter2"]},
        {"urls": TURN, "username": {"x": "hunter2"}, "credential": "y"},
        {"urls": "turn:ann:hunter2@example.org"},
        {"credential": "hunter2"},
    ],
)
def test_an_error_never_repeats_a_credential(entry: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read_ice_servers(json.dumps([entry]), "servers.json")
    assert "hunter2" not in str(caught.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["iceServers", "urls", "username", "credential", "v"]) | st.text(), inner)
    ),
    max_leaves=20,
)


@given(_JSON)
def test_any_json_is_read_or_refused_and_nothing_else_is_raised(value: Any) -> None:
    try:
        servers = read_ice_servers(json.dumps(value), "x")
    except ConfigError:
        return
    assert servers
