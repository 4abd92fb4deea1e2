"""What ails logins, relays and certificates, by real servers in one run: each code, and how long what expires lives."""

import base64
import contextlib
import hashlib
import hmac
import json
import struct
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.ca import Authority
from support.coturn import coturn
from support.netns import ALTERNATE, SERVER, Topology
from support.process import RTCDIAG, run
from support.scripted import COOKIE, Reply, scripted_udp

pytestmark = pytest.mark.lab
_ALICE = {"username": "alice", "credential": "wonderland"}


def _minted(left_s: int) -> dict[str, str]:
    """Return a login of coturn's use-auth-secret that is good for so long."""
    name = f"{int(time.time()) + left_s}:alice"
    made = hmac.new(b"north", name.encode(), "sha1").digest()
    return {"username": name, "credential": base64.b64encode(made).decode()}


# Each login is made when the servers run: one made while tests are collected may be old by then.
FAULTS: dict[str, tuple[Callable[[], dict[str, str]], str, str | None]] = {
    f"turn:{SERVER}:3500": (_ALICE.copy, "ok", None),  # its nonces are stale after a second
    f"turn:{SERVER}:3520": (_ALICE.copy, "failed", "turn-credentials-rejected"),  # its key is made for another realm
    f"turn:{SERVER}:3540": (_ALICE.copy, "failed", "turn-relay-half-open"),  # a firewall swallows what is relayed
    f"turn:{SERVER}:3540?transport=tcp": (_ALICE.copy, "failed", "turn-relay-half-open"),
    f"turn:{SERVER}:3560": (partial(_minted, 7200), "ok", None),
    f"turn:{SERVER}:3560?transport=udp": (partial(_minted, 300), "warning", "turn-credentials-expire-soon"),
    f"turn:{SERVER}:3560?transport=tcp": (partial(_minted, -300), "failed", "turn-credentials-expired"),
    "turns:ten.example:3590": (_ALICE.copy, "warning", "tls-certificate-expires-soon"),
    "turns:three.example:3610": (_ALICE.copy, "failed", "health-threshold"),
}


@contextlib.contextmanager
def servers(net: Topology, authority: Authority, directory: Path) -> Iterator[None]:
    """Run a coturn for each port of the list."""
    here: dict[str, Any] = {"listen": (SERVER,), "relay": (SERVER,), "prefix": net.internet.prefix}
    key = hashlib.md5(b"alice:other.test:wonderland", usedforsecurity=False).hexdigest()
    stale, ten, three = ["stale-nonce=1"], authority.issue("ten.example", days=(-30, 10)), (-87, 3)
    there = here | {"listen": (ALTERNATE,), "relay": (ALTERNATE,)}
    with (
        coturn(directory / "stale", port=3500, relay_ports=(50001, 50100), extra=stale, **here),
        coturn(directory / "realm", port=3520, relay_ports=(50101, 50200), users={"alice": f"0x{key}"}, **here),
        coturn(directory / "swallowed", port=3540, relay_ports=(51001, 51100), **here),
        coturn(directory / "secret", port=3560, relay_ports=(50201, 50300), secret="north", **here),
        coturn(directory / "ten", port=3580, tls_port=3590, relay_ports=(50301, 50400), certificate=ten, **there),
        coturn(
            directory / "three",
            port=3600,
            tls_port=3610,
            relay_ports=(50401, 50500),
            certificate=authority.issue("three.example", days=three),
            **there,
        ),
    ):
        yield


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return each target's result."""
    directory = tmp_path_factory.mktemp("logins")
    authority, config = Authority(directory), directory / "servers.json"
    config.write_text(json.dumps([{"urls": uri, **login()} for uri, (login, _, _) in FAULTS.items()]))
    with Topology() as net:
        net.serve_names({"ten.example": [ALTERNATE], "three.example": [ALTERNATE]})
        chain = "type filter hook input priority 0; udp dport 51001-51100 drop;"
        net.internet.nft(f"table inet swallows {{ chain in {{ {chain} }}\n}}\n")
        with servers(net, authority, directory):
            words: list[str | Path] = [RTCDIAG, "health", config, "--ca-file", authority.ca_file, "--json"]
            done = net.client("masquerade").run(words, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    return {item["uri"]: item for item in json.loads(done.stdout)["targets"]}


def test_each_fault_of_a_login_a_relay_or_a_certificate_has_its_code(told: dict[str, dict[str, Any]]) -> None:
    expected = {uri: (status, code) for uri, (_, status, code) in FAULTS.items()}
    assert {uri: (item["status"], item["finding"]) for uri, item in told.items()} == expected


@pytest.mark.parametrize(("uri", "left_s"), [("", 7200), ("?transport=udp", 300), ("?transport=tcp", -300)])
def test_the_life_that_a_login_has_left_is_told_also_when_it_is_over(
    told: dict[str, dict[str, Any]], uri: str, left_s: int
) -> None:
    found = told[f"turn:{SERVER}:3560{uri}"]
    assert left_s - 60 < found["paths"][0]["figures"]["credential_s"] <= left_s


def test_the_life_of_a_certificate_is_told_in_days(told: dict[str, dict[str, Any]]) -> None:
    days = [told[uri]["paths"][0]["figures"]["certificate_days"] for uri in FAULTS if uri.startswith("turns:")]
    assert [round(value) for value in days] == [10, 3]


def _refusing(data: bytes, _source: tuple[str, int]) -> list[Reply]:
    """Ask for a login whatever comes, each time with another nonce."""
    _refusing.count = getattr(_refusing, "count", 0) + 1  # type: ignore[attr-defined]  # a script keeps no state else
    nonce, realm = b"%016d" % _refusing.count, b"loop.test   "  # type: ignore[attr-defined]  # as above
    fields = struct.pack("!HHHBB", 0x0009, 4, 0, 4, 1), struct.pack("!HH", 0x0014, 9) + realm
    body = b"".join((*fields, struct.pack("!HH", 0x0015, 16) + nonce))
    kind = struct.unpack_from("!H", data)[0] | 0x0110
    return [Reply(struct.pack("!HHI", kind, len(body), COOKIE) + data[8:20] + body)]


def test_a_server_that_asks_for_a_login_for_ever_is_asked_only_so_often(tmp_path: Path) -> None:
    config = tmp_path / "servers.json"
    with scripted_udp(_refusing) as server:
        config.write_text(json.dumps({"urls": f"turn:127.0.0.1:{server.port}", **_ALICE}))
        done = run([RTCDIAG, "health", config, "--json"], timeout=30)
        asked = len(server.received)
    (found,) = json.loads(done.stdout)["targets"]
    assert (done.returncode, found["finding"]) == (1, "turn-credentials-rejected")
    assert asked < 20
