"""What `rtcdiag health` reads: every form is told by its content, and a bad one by its place."""

import json
import time
from typing import Any

import pytest

from rtcdiag.config import ConfigError, HealthConfig, read_health_config
from rtcdiag.demands import Threshold
from unit.test_config import SHAPES, STUN, TURN, TURNS

OWN = """
depth = "auth"
[thresholds]
allocate_ms = { warning = 100, critical = 400.5 }

[targets.frankfurt]
urls = ["turn:fra.example.org", "turns:fra.example.org:443?transport=tcp"]
username = "ann"
credential = "${TURN_PASSWORD}"

[targets."Paris (old)"]
urls = "stun:par.example.org"
critical = false
depth = "reach"
thresholds = { binding_ms = { critical = 50 } }
"""
CONF = """
# coturn
listening-port=3480
tls-listening-port = 5350
listening-ip=0.0.0.0
external-ip=203.0.113.7/10.0.0.7
external-ip=2001:db8::7
realm=turn.example.org
lt-cred-mech
user=hashed:0x0123456789abcdef0123456789abcdef
user=ann:hunter2
cert=/etc/cert.pem
pkey=/etc/key.pem
no-tcp
"""
ETURNAL = """
eturnal:
  secret: "long-and-cryptic"
  relay_ipv4_addr: "203.0.113.4"
  relay_ipv6_addr: "2001:db8::4"
  realm: turn.example.org
  listen:
    - {ip: "::", port: 3478, transport: udp}
    - ip: "198.51.100.7"
      port: 443
      transport: auto
    - {ip: "::", port: 3479, transport: udp, enable_turn: false}
"""


def read(text: str, **environment: str) -> HealthConfig:
    return read_health_config(text, "servers", environment)


def uris(text: str, **environment: str) -> list[str]:
    return [item.server.uri for item in read(text, **environment).targets]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_list_in_json_is_read(shape: Any) -> None:
    assert uris(json.dumps(shape, indent=1)) == [STUN, TURN, TURNS]


def test_a_list_may_be_yaml() -> None:
    assert uris(f"iceServers:\n  - urls: {STUN}\n  - urls: ['{TURN}', '{TURNS}']\n") == [STUN, TURN, TURNS]
    assert uris(f"- urls: {STUN}\n- urls:\n    - {TURN}\n") == [STUN, TURN]


def test_own_targets_have_names_thresholds_depths_and_what_the_environment_holds() -> None:
    config = read(OWN.replace(' (old)"', '"'), TURN_PASSWORD="wonderland")
    names = [(item.name, item.server.uri, item.critical, item.depth) for item in config.targets]
    assert names == [
        ("frankfurt", "turn:fra.example.org", True, None),
        ("frankfurt", "turns:fra.example.org:443?transport=tcp", True, None),
        ("Paris", "stun:par.example.org", False, "reach"),
    ]
    credential = config.targets[1].server.credential
    assert credential is not None
    assert (credential.username, credential.password) == ("ann", "wonderland")
    assert config.depth == "auth"
    assert config.thresholds == {"allocate_ms": Threshold(warning=100, critical=400.5)}
    assert config.targets[2].thresholds == {"binding_ms": Threshold(critical=50)}
    assert [item.line for item in config.targets] == [7, 7, 12]


def test_targets_that_share_a_uri_have_a_line_each() -> None:
    config = read("".join(f'[targets.{name}]\nurls = "turn:a.example"\nusername = "{name}"\n' for name in "xyz"))
    assert [(item.name, item.line) for item in config.targets] == [("x", 2), ("y", 5), ("z", 8)]


def test_targets_that_share_name_and_uri_are_told_apart() -> None:
    same = [{"urls": ["stun:a", "stun:a"]}, {"urls": "stun:b"}, {"urls": "stun:a"}]
    assert [item.name for item in read(json.dumps(same)).targets] == ["stun:a", "stun:a #2", "stun:b", "stun:a #3"]
    named = read('[targets.x]\nurls = ["stun:a", "stun:b", "stun:a"]\n').targets
    assert [(item.name, item.server.uri) for item in named] == [("x", "stun:a"), ("x", "stun:b"), ("x #2", "stun:a")]


@pytest.mark.parametrize("held", ["hunter2\n", "hunter2\x00", "\udcff"])
def test_what_the_environment_holds_is_no_password_where_it_has_control_characters(held: str) -> None:
    with pytest.raises(ConfigError, match=r"\$\.targets\.a\.credential: a line break or another") as caught:
        read('[targets.a]\nurls = "turn:a"\nusername = "x"\ncredential = "${HELD}"', HELD=held)
    assert "hunter2" not in str(caught.value)


def test_a_secret_of_the_own_form_is_kept_for_each_check_and_never_prints() -> None:
    (target,) = read('[targets.a]\nurls = "turn:a.example"\nsecret = "s3cret"\nusername = "bob"').targets
    assert target.secret is not None
    assert (target.secret.value, target.secret.name, target.server.credential) == ("s3cret", "bob", None)
    assert "s3cret" not in repr(target)


def test_turnserver_conf_names_each_way_in() -> None:
    config = read(CONF)
    assert [item.server.uri for item in config.targets] == [
        "turn:203.0.113.7:3480?transport=udp",
        "turns:turn.example.org:5350?transport=tcp",
        "turn:[2001:db8::7]:3480?transport=udp",
    ]
    credential = config.targets[0].server.credential
    assert credential is not None
    assert (credential.username, credential.password) == ("ann", "hunter2")
    assert {item.line for item in config.targets} == {6}


def test_turnserver_conf_with_a_secret_mints() -> None:
    config = read("use-auth-secret\nstatic-auth-secret=north\nlistening-ip=198.51.100.1\n")
    assert [item.secret.value for item in config.targets if item.secret] == ["north"] * 2
    assert uris("realm=turn.example.org\nno-udp\n") == ["turn:turn.example.org:3478?transport=tcp"]


def test_eturnal_yml_names_each_listener() -> None:
    config = read(ETURNAL)
    assert [item.server.uri for item in config.targets] == [
        "turn:203.0.113.4:3478?transport=udp",
        "turn:[2001:db8::4]:3478?transport=udp",
        "turn:198.51.100.7:443?transport=tcp",
        "turns:turn.example.org:443?transport=tcp",
        "stun:203.0.113.4:3479",
        "stun:[2001:db8::4]:3479",
    ]
    assert config.targets[0].secret is not None
    listeners = "eturnal:\n  relay_ipv4_addr: 203.0.113.4\n  credentials: {ann: hunter2}\n"
    assert uris(listeners) == ["turn:203.0.113.4:3478?transport=udp", "turn:203.0.113.4:3478?transport=tcp"]


SYNAPSE = """
server_name: example.org
turn_uris: [ "turn:turn.example.org?transport=udp", "turns:turn.example.org?transport=tcp" ]
turn_user_lifetime: 86400000
turn_allow_guests: true
"""


def test_homeserver_yaml_names_what_clients_are_given() -> None:
    minted = read(SYNAPSE + "turn_shared_secret: n0t4\nturn_username: ann\nturn_password: hunter2\n").targets
    assert [item.server.uri for item in minted] == [
        "turn:turn.example.org?transport=udp",
        "turns:turn.example.org?transport=tcp",
    ]
    assert [(item.secret and item.secret.value, item.server.credential) for item in minted] == [("n0t4", None)] * 2
    named = read(SYNAPSE + "turn_username: ann\nturn_password: hunter2\n").targets
    assert [item.server.credential and item.server.credential.username for item in named] == ["ann"] * 2
    assert [item.server.credential for item in read(SYNAPSE).targets] == [None] * 2


def of_kinesis(form: str) -> str:
    return f"turn{form.format('192-0-2-1.t-4dd8f4e8.kinesisvideo.us-west-2.example:443')}"


SERVICES: dict[str, tuple[Any, list[str]]] = {
    "Twilio's, with url and urls": (
        {
            "username": "dc2d",
            "ice_servers": [
                {"url": "stun:stun.example:3478", "urls": "stun:stun.example:3478"},
                {"url": TURN, "urls": TURN, "username": "dc2d", "credential": "tE2="},
            ],
            "date_updated": "Fri, 01 May 2026 01:42:57 +0000",
            "account_sid": "AC",
            "ttl": "86400",
            "password": "tE2=",
        },
        ["stun:stun.example:3478", TURN],
    ),
    "Cloudflare's, at the ports of others": (
        {
            "iceServers": [
                {"urls": ["stun:stun.example:3478", "stun:stun.example:53"]},
                {"urls": ["turn:t.example:53?transport=udp", "turns:t.example:443?transport=tcp"], "username": "bc"},
            ]
        },
        [
            "stun:stun.example:3478",
            "stun:stun.example:53",
            "turn:t.example:53?transport=udp",
            "turns:t.example:443?transport=tcp",
        ],
    ),
    "AWS Kinesis', with TLS over UDP": (
        {
            "IceServerList": [
                {
                    "Password": "p+/=",
                    "Ttl": 299,
                    "Uris": [of_kinesis(":{}?transport=udp"), of_kinesis("s:{}?transport=udp")],
                    "Username": "1795465000:djE6YXJuOmF3czpraW5lc2lz",
                }
            ]
        },
        [of_kinesis(":{}?transport=udp"), of_kinesis("s:{}?transport=udp")],
    ),
    "one that tells when it expires": (
        {"ice_servers": [{"urls": STUN, "credential_type": "password"}], "expires_at": "2026-08-24T14:15:22Z"},
        [STUN],
    ),
    "addresses of IPv6, and what stands in capitals": (
        {"urls": ["stun:[2001:db8::1]", "turns:[2001:DB8:0::1]:443", "TURN:A.Example?transport=TCP"]},
        ["stun:[2001:db8::1]", "turns:[2001:DB8:0::1]:443", "TURN:A.Example?transport=TCP"],
    ),
}


@pytest.mark.parametrize(("shape", "found"), SERVICES.values(), ids=SERVICES)
def test_what_services_answer_is_read_as_it_is(shape: Any, found: list[str]) -> None:
    assert uris(json.dumps(shape)) == found


BAD = {
    "a secret in another file": (
        SYNAPSE + "turn_shared_secret_path: /run/secret\n",
        "$.turn_shared_secret_path: no other file is read",
    ),
    "no list of Synapse": ("turn_uris: 7\n", "$.turn_uris: expected a string or a list of strings, found a number"),
    "credentials of OAuth": (
        '[{"urls":"turn:a","username":"x","credential":{"macKey":"hunter2","accessToken":"hunter2"}}]',
        "$[0].credential: expected a string, found an object",
    ),
    "a name in Unicode": (
        '[{"urls":"stun:b\u00fccher.example"}]',
        "$[0].urls: 'stun:bücher.example': 'bücher.example' is",
    ),
    "nothing": ("", "$: empty"),
    "prose": ("hello", "$: not an ICE server list in JSON, nor TOML, turnserver.conf or eturnal.yml"),
    "a wrong URI": ('{"iceServers":[{"urls":"stun:a"},{"urls":["turn:b","turn//c"]}]}', "$.iceServers[1].urls[1]: "),
    "a number for a URI": ('[{"urls":"stun:a"},{"urls":7}]', "$[1].urls: expected a string or a list of strings"),
    "deep JSON": ("[" * 200_000, "$: nested too deeply"),
    "deep TOML": ("[targets.a]\nurls = " + "[" * 200_000, "$: nested too deeply"),
    "tables in tables": ("[targets" + ".a" * 5000 + "]\nurls = 1", "$: nested too deeply"),
    "lists in lists": ('{"x":' + "[" * 900 + "]" * 900 + ',"urls":"stun:a"}', "$: nested too deeply"),
    "a million URIs": ('[{"urls":[' + ",".join(['"stun:a"'] * 830_000) + "]}]", "$: more than 20000 URIs"),
    "many URIs of one target": (
        "[targets.a]\nurls = [" + ",".join(['"stun:a"'] * 20_001) + "]",
        "$: more than 20000 URIs",
    ),
    "a password with a line break": (
        '{"iceServers":[{"urls":"turn:a","username":"x","credential":"hunter2\\n"}]}',
        "$.iceServers[0].credential: a line break or another control character in it",
    ),
    "half a character in a username": (
        '- urls: turn:a\n  username: "x\\ud800"\n  credential: hunter2\n',
        "$[0].username: a line break or another control character in it",
    ),
    "a secret with a line break": (
        '[targets.a]\nurls = "turn:a"\nsecret = "x\\n"',
        "$.targets.a.secret: a line break or another control character in it",
    ),
    "eturnal's secret with a line break": (
        'eturnal:\n  realm: a.b\n  secret: "x\\n"\n',
        "$.eturnal.secret: a line break",
    ),
    "eturnal's user with a line break": (
        'eturnal:\n  realm: a.b\n  credentials: {"x\\n": y}\n',
        "$.eturnal.credentials: a line break",
    ),
    "deep YAML": ("a: " + "[" * 5000, "$: nested too deeply"),
    "broken TOML": ('[targets.a]\nurls = "stun:a', "$: not TOML: "),
    "broken YAML": ("eturnal:\n  listen: [", "$: not YAML: "),
    "an alias": ("a: &a [1]\neturnal: *a\n", "$: aliases (*name) are not taken (line 2)"),
    "laughs": ("a: &a [l,l]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(9)), "$: aliases (*name)"),
    "a Python object in YAML": ("eturnal: !!python/object/apply:os.system [ls]\n", "$: not YAML: could not determine"),
    "a long file": ("[" + " " * (9 << 20) + "]", "$: longer than 8 MiB"),
    "long YAML": ("a: " + "b" * (300 << 10), "$: longer than 256 KiB"),
    "no target": ("[targets]\n", "$.targets: there is no target"),
    "an unknown key": ('[targets.a]\nurls = "stun:a"\ncritcal = true', "$.targets.a.critcal: not known here"),
    "a wrong depth": ('[targets.a]\nurls = "stun:a"\ndepth = "full"', "$.targets.a.depth: expected one of reach, auth"),
    "an empty variable": ('[targets.a]\nurls = "stun:${HOST}"', "$.targets.a.urls: the environment has no 'HOST'"),
    "a threshold of nothing": ("[thresholds]\nspeed = { warning = 1 }", "$.thresholds.speed: not known here"),
    "thresholds the wrong way": (
        '[thresholds]\nrtt_ms = { warning = 9, critical = 2 }\n[targets.a]\nurls = "stun:a"',
        "$.thresholds.rtt_ms: critical has to be above warning",
    ),
    "lives the wrong way": (
        '[thresholds]\ncertificate_days = { warning = 9, critical = 20 }\n[targets.a]\nurls = "stun:a"',
        "$.thresholds.certificate_days: critical has to be below warning",
    ),
    "coturn without an address": ("lt-cred-mech\nrealm=lab\n", "$: it says nowhere where the server is"),
    "coturn with a wrong port": ("listening-port=x\nrealm=a.b\n", "line 1: listening-port is not a number"),
    "coturn without a transport": ("realm=a.b\nno-udp\nno-tcp\n", "$: UDP, TCP and TLS are all turned off"),
    "eturnal without an address": ("eturnal:\n  secret: x\n", "$.eturnal: it says nowhere where the server is"),
    "eturnal with two transports at once": (
        "eturnal:\n  realm: a.b\n  listen:\n    - transport: [udp, tcp]\n",
        "$.eturnal.listen[0].transport: expected one of udp, tcp, tls, auto",
    ),
    "eturnal with a wrong port": (
        "eturnal:\n  realm: a.b\n  listen:\n    - port: 3478\n    - port: many\n",
        "$.eturnal.listen[1].port: expected a number",
    ),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_one_line_with_its_place(text: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(f"servers: {said}")
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        '[targets.a]\nurls = "turn:a"\ncredential = ["hunter2"]',
        "eturnal:\n  realm: a.b\n  credentials: {ann: [hunter2]}\n",
        '[{"urls":"turn:a","credential":{"x":"hunter2"}}]',
        '[targets.a]\nurls = "turn:a"\nsecret = "hunter2"\nusername = "x"\ncredential = "hunter2"',
    ],
)
def test_no_error_shows_a_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert "hunter2" not in str(caught.value)
