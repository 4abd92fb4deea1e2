"""TURN through a real proxy, beside a direct way that is open or blocked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.proxy.asking import Told, check_turn
from support.ca import Authority
from support.coturn import Coturn, coturn
from support.netns import ALTERNATE, OTHER_SERVER, SERVER, SERVER6, Client, Topology
from support.netns import OTHER_SERVER as PROXY
from support.tinyproxy import PORT, tinyproxy

pytestmark = pytest.mark.lab

TCP = "turn:turn.example.org?transport=tcp"
TLS = "turns:turn.example.org"
HTTP_PROXY = f"http://proxy.example.org:{PORT}"
BLOCKED = f"""
table inet block {{
  chain passing {{ type filter hook forward priority filter - 5;
    ip daddr {SERVER} drop
  }}
}}
"""


@dataclass(frozen=True)
class Place:
    """Two computers, one of which reaches no TURN server by itself; a TURN server; and the internet that has both."""

    net: Topology
    free: Client
    shut_in: Client
    server: Coturn
    authority: Authority


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("place")
    authority = Authority(directory)
    certificate = authority.issue("turn.example.org", "proxy.example.org")
    with Topology() as net:
        net.serve_names({"turn.example.org": [SERVER], "proxy.example.org": [PROXY]})
        free, router = net.client(), net.router()
        shut_in = net.client(router)
        router.nft(BLOCKED)
        with coturn(
            directory / "coturn", listen=(SERVER,), relay=(SERVER,), certificate=certificate, prefix=net.internet.prefix
        ) as server:
            yield Place(net, free, shut_in, server, authority)


@pytest.fixture(scope="module")
def open_proxy(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tinyproxy(place.net.internet, tmp_path_factory.mktemp("open"), listen=PROXY):
        yield HTTP_PROXY


def asked(place: Place, where: Client, uri: str, directory: Path, *more: str, **env: str) -> Told:
    words: tuple[str | Path, ...] = ("--ca-file", place.authority.ca_file, "--timeout", "1", *more)
    return check_turn(uri, directory, *words, where=where, env=env)


@pytest.mark.parametrize("uri", [TCP, TLS])
def test_where_both_ways_work_both_are_shown_and_nothing_is_wrong(
    place: Place, open_proxy: str, uri: str, tmp_path: Path
) -> None:
    told = asked(place, place.free, uri, tmp_path, https_proxy=open_proxy)
    assert told.returncode == 0
    assert told.serious == set()
    assert told.severities["turn-also-through-proxy"] == "info"
    assert told.rows == {False: "ok", True: "ok"}
    assert place.server.wait_until_empty()


@pytest.mark.parametrize("uri", [TCP, TLS])
def test_where_only_the_proxy_leads_to_the_server_that_is_the_answer(
    place: Place, open_proxy: str, uri: str, tmp_path: Path
) -> None:
    told = asked(place, place.shut_in, uri, tmp_path, "--require", "relay", ALL_PROXY=open_proxy)
    assert told.returncode == 0
    assert told.serious == {"turn-only-through-proxy"}
    assert told.rows == {False: "failed", True: "ok"}
    assert told.report["verdict"]["status"] == "degraded"
    (tunnel,) = told.evidence("ProxyTunnel")
    assert tunnel["status"] == 200
    assert all(open_proxy in item["server"] for item in told.evidence("Allocation"))


def test_no_proxy_and_the_option_leave_the_proxy_out(place: Place, open_proxy: str, tmp_path: Path) -> None:
    exempt = asked(place, place.free, TCP, tmp_path, https_proxy=open_proxy, no_proxy="example.org")
    without = asked(place, place.free, TCP, tmp_path, "--proxy", "none", https_proxy=open_proxy)
    for told in (exempt, without):
        assert told.evidence("ProxyTunnel") == []
        assert told.rows == {False: "ok"}


def test_udp_never_goes_through_a_proxy(place: Place, open_proxy: str, tmp_path: Path) -> None:
    told = asked(place, place.free, "turn:turn.example.org", tmp_path, https_proxy=open_proxy)
    assert told.evidence("ProxyTunnel") == []


@pytest.mark.usefixtures("open_proxy")
def test_a_name_that_only_the_proxy_can_look_up_is_no_fault(place: Place, tmp_path: Path) -> None:
    place.shut_in.resolve_by("203.0.113.99")
    try:
        at = f"http://{PROXY}:{PORT}"
        told = asked(place, place.shut_in, TCP, tmp_path, https_proxy=at)
    finally:
        place.shut_in.resolve_by("203.0.113.53")
    assert told.serious == {"turn-only-through-proxy"}
    assert told.returncode == 0


def test_a_wrong_password_is_told_through_the_proxy_too(place: Place, open_proxy: str, tmp_path: Path) -> None:
    told = asked(place, place.shut_in, TCP, tmp_path, "--username", "nobody", https_proxy=open_proxy)
    assert told.severities["turn-credentials-rejected"] == "error"
    assert "rejects the username or the password" in told.title("turn-credentials-rejected")


def test_a_proxy_with_a_login_lets_in_who_has_it_and_the_login_is_never_shown(place: Place, tmp_path: Path) -> None:
    with tinyproxy(place.net.internet, tmp_path / "proxy", listen=ALTERNATE, login=("ann", "hunter2")) as at:
        good = f"http://ann:hunter2@{at}"
        told = asked(place, place.shut_in, TCP, tmp_path, https_proxy=good)
        without = asked(place, place.shut_in, TCP, tmp_path, https_proxy=f"http://{at}")
        wrong = asked(place, place.shut_in, TCP, tmp_path, https_proxy=f"http://ann:hunter3@{at}")
        listed = asked(place, place.shut_in, TCP, tmp_path, "--list-contacts", https_proxy=good)
        verbose = check_turn(TCP, tmp_path, "-vv", where=place.shut_in, env={"https_proxy": good}, fmt="text")
    assert told.rows[True] == "ok"
    assert without.severities["proxy-wants-login"] == "error"
    assert "kinds offered: Basic" in without.title("proxy-wants-login")
    assert wrong.severities.keys() & {"proxy-rejects-login", "proxy-wants-login", "proxy-forbids-connect"}
    for run in (told, without, wrong, listed, verbose):
        assert "hunter" not in run.out + run.err
    assert f"http://{at}" in listed.out


def test_a_proxy_that_lets_port_443_through_only_says_so(place: Place, tmp_path: Path) -> None:
    with tinyproxy(place.net.internet, tmp_path / "proxy", listen=ALTERNATE, connect_ports=(443,)) as at:
        told = asked(place, place.shut_in, TCP, tmp_path, https_proxy=f"http://{at}")
        free = asked(place, place.free, TCP, tmp_path, https_proxy=f"http://{at}")
    assert told.severities["proxy-forbids-connect"] == "error"
    assert told.returncode == 1
    assert free.severities["proxy-forbids-connect"] == "info"
    assert free.returncode == 0


def test_a_proxy_that_reaches_the_server_no_more_than_we_do_says_so(place: Place, tmp_path: Path) -> None:
    with tinyproxy(place.net.internet, tmp_path / "proxy", listen=ALTERNATE) as at:
        told = asked(
            place, place.shut_in, "turn:turn.example.org:9?transport=tcp", tmp_path, https_proxy=f"http://{at}"
        )
    assert told.severities["proxy-cannot-connect"] == "error"


def test_a_proxy_at_an_ipv6_address_is_asked_in_brackets(place: Place, tmp_path: Path) -> None:
    with tinyproxy(place.net.internet, tmp_path / "proxy", listen=SERVER6):
        told = asked(place, place.shut_in, TCP, tmp_path, https_proxy=f"http://[{SERVER6}]:{PORT}")
    assert told.rows == {False: "failed", True: "ok"}


def test_a_proxy_that_is_not_there_is_named(place: Place, tmp_path: Path) -> None:
    refused = asked(place, place.shut_in, TCP, tmp_path, https_proxy=f"http://{OTHER_SERVER}:9")
    unknown = asked(place, place.shut_in, TCP, tmp_path, https_proxy="http://nowhere.example.org:3128")
    for told in (refused, unknown):
        assert told.severities["proxy-unreachable"] == "error"
        assert told.rows == {False: "failed", True: "failed"}
