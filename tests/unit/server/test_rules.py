"""Configuration, refused peers, nonces and the rate limiter."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.server.config import ConfigError, ServerConfig, SharedSecret, check_config, parse_users, read_users
from rtcdiag.server.effects import Client
from rtcdiag.server.limiter import RateLimiter
from rtcdiag.server.nonces import Nonces
from rtcdiag.server.peers import is_refused_peer
from rtcdiag.targets import Credential
from support.turn_bench import SERVER

USERS = (Credential("alice", "wonderland"),)


def ips(*texts: str) -> dict[str, object]:
    return {"listen": tuple(map(ip_address, texts))}


# --- configuration ---


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (ips(), "no address"),
        (ips("0.0.0.0"), "cannot listen on 0.0.0.0: name the address"),
        (ips("::"), "cannot listen on ::"),
        (ips("224.0.0.1"), "cannot listen on 224.0.0.1"),
        (ips("192.168.1.2"), "refusing to listen on 192.168.1.2 without credentials: give --turn-users FILE"),
        (ips("127.0.0.1", "203.0.113.1"), "refusing to listen on 203.0.113.1"),
        (ips("127.0.0.1", "127.0.0.2", "127.0.0.3"), "more than two ipv4 addresses"),
        (ips("127.0.0.1", "127.0.0.1"), "twice"),
        ({"port": 99999}, "port 99999 is not between"),
        ({"port": 65535}, "port 65536 is not between"),
        ({"port": -1}, "port -1 is not between"),
        ({"port": 5000, "alternate_port": 5000}, "alternate port must not be"),
    ],
)
def test_what_the_server_refuses_is_one_clear_line(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        check_config(ServerConfig(**options))  # type: ignore[arg-type]  # wrong on purpose
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        ServerConfig(),
        ServerConfig(port=0),
        ServerConfig(port=65535, alternate_port=1),
        ServerConfig(listen=(ip_address("::1"), ip_address("127.0.0.1"), ip_address("127.0.0.2"))),
        ServerConfig(listen=(ip_address("203.0.113.1"),), users=USERS),
        ServerConfig(listen=(ip_address("203.0.113.1"),), secret=SharedSecret("north")),
    ],
    ids=["default", "any port", "ports", "families", "users", "secret"],
)
def test_what_can_be_served_is_accepted(config: ServerConfig) -> None:
    check_config(config)


def test_neither_passwords_nor_the_secret_are_printed() -> None:
    text = repr(ServerConfig(users=USERS, secret=SharedSecret("north")))
    assert "wonderland" not in text
    assert "north" not in text


def test_users_are_read_line_by_line() -> None:
    users = parse_users("# people\nalice:wonder:land\n\nbob:b\n", "FILE")
    assert [(user.username, user.password) for user in users] == [("alice", "wonder:land"), ("bob", "b")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alice:a\nsecretword\n", "line 2 of FILE is not user:password"),
        (":secretword", "line 1 of FILE is not"),
        ("secretword:", "line 1 of FILE is not"),
        ("alice:a\nalice:secretword", "line 2 of FILE names a user for the second time"),
        ("# nobody\n", "FILE names no user"),
    ],
)
def test_a_bad_users_file_is_one_line_without_the_password(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_users(text, "FILE")
    assert "secretword" not in str(caught.value)


def test_a_users_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*missing: No such file"):
        read_users(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff:\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_users(tmp_path / "binary")
    (tmp_path / "good").write_text("alice:a\n")
    assert len(read_users(tmp_path / "good")) == 1


# --- peers ---

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "192.0.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "100::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]


@pytest.mark.parametrize("ip", REFUSED)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_what_is_no_host_of_the_internet_is_never_relayed_to(ip: str, allow_loopback: bool) -> None:
    assert is_refused_peer(ip_address(ip), allow_loopback=allow_loopback)


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_relayed_to_only_where_it_is_allowed(ip: str) -> None:
    assert is_refused_peer(ip_address(ip), allow_loopback=False)
    assert not is_refused_peer(ip_address(ip), allow_loopback=True)


@pytest.mark.parametrize("ip", ["8.8.8.8", "203.0.113.1", "2606:4700::1", "64:ff9b::808:808", "2002:808:808::1"])
def test_hosts_of_the_internet_are_relayed_to(ip: str) -> None:
    assert not is_refused_peer(ip_address(ip), allow_loopback=False)


# --- nonces ---


def test_a_nonce_is_good_until_it_ends_and_for_its_client_only() -> None:
    nonces = Nonces(b"secret", 60)
    one = Client("udp", SERVER, TransportAddress("192.0.2.7", 1))
    nonce = nonces.make(1000, one)
    assert nonces.is_good(1000, one, nonce)
    assert nonces.is_good(60_999, one, nonce)
    assert not nonces.is_good(61_000, one, nonce)
    assert not nonces.is_good(1000, one._replace(transport="tcp"), nonce)
    assert not nonces.is_good(1000, one._replace(remote=TransportAddress("192.0.2.7", 2)), nonce)
    assert not Nonces(b"another", 60).is_good(1000, one, nonce)
    assert not nonces.is_good(1000, one, b"f" + nonce)


# --- rate ---


def test_a_source_has_a_burst_and_then_its_rate() -> None:
    limiter = RateLimiter(10, 100)
    ip = ip_address("192.0.2.7")
    assert sum(limiter.allow(0, ip) for _ in range(50)) == 20
    assert not limiter.allow(99, ip)
    assert limiter.allow(200, ip)
    assert sum(limiter.allow(1_000_000, ip) for _ in range(50)) == 20


def test_the_addresses_of_one_ipv6_network_are_one_source() -> None:
    limiter = RateLimiter(1, 100)
    allowed = [limiter.allow(0, ip_address(f"2001:db8::{host:x}")) for host in range(1, 9)]
    assert allowed.count(True) == 2
    assert limiter.allow(0, ip_address("2001:db8:0:1::1"))


def test_the_memory_of_the_limiter_is_bounded() -> None:
    limiter = RateLimiter(1, 100)
    for host in range(1000):
        limiter.allow(0, ip_address(host + (10 << 24)))
    assert len(limiter._buckets) == 100


def test_the_source_that_was_silent_longest_is_forgotten_first() -> None:
    limiter = RateLimiter(1, 2)
    busy = ip_address("192.0.2.1")
    allowed = []
    for host in range(2, 50):
        allowed.append(limiter.allow(0, busy))
        limiter.allow(0, ip_address(f"198.51.100.{host}"))
    assert allowed.count(True) == 2
