"""What we say that a browser shows, beside what Debian's Chromium shows in the same network."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.candidates.asking import Found, candidates_in
from lab.candidates.page import PORT
from rtcdiag.evidence.candidate import Exposure
from support.coturn import coturn
from support.netns import SERVER, Client, Topology

pytestmark = [pytest.mark.lab, pytest.mark.browser]

STUN = f"stun:{SERVER}:3478"
CHROMIUM = ("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
FAKE_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
NETWORKS = {
    "eth1": ("192.168.77.4/24", "169.254.7.7/16", "2001:db8:77:0:216:3eff:fe00:1/64"),
    "docker0": ("172.17.0.1/16",),
    "wg0": ("10.66.0.2/24", "fd66::2/64"),
    "vmnet8": ("192.168.56.1/24",),
}
"""A second network with a link-local and a MAC-based address, a container's bridge, a tunnel, a virtual machine's."""


@dataclass(frozen=True)
class Shown:
    """A candidate line of the browser."""

    protocol: str
    address: str
    type: str
    related: str | None

    @classmethod
    def parse(cls, line: str) -> "Shown":
        words = line.split()
        return cls(words[2], words[4], words[7], words[words.index("raddr") + 1] if "raddr" in words else None)


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Topology() as net:
        client = net.client("masquerade")
        client.ip("address add 10.99.0.1/32 dev lo")
        for number, (name, addresses) in enumerate(NETWORKS.items()):
            client.ip(
                f"link add {name} type veth peer name far{number}",
                f"link set far{number} up",
                f"link set {name} up",
                *(f"address add {address} dev {name}" for address in addresses),
            )
        with coturn(
            tmp_path_factory.mktemp("coturn"),
            listen=(SERVER,),
            relay=(SERVER,),
            prefix=net.internet.prefix,
            port=3478,
            tls_port=5349,
            relay_ports=(50000, 50100),
        ):
            yield client


@pytest.fixture(scope="module")
def ours(computer: Client) -> Found:
    return candidates_in(computer, STUN, timeout_ms=500.0)


def shown_by_chromium(computer: Client, directory: Path, *, capture: bool) -> list[Shown]:
    """Return the UDP candidates of a page with, or without, permission for camera and microphone."""
    answer, page = directory / "found", Path(__file__).with_name("page.py")
    server: list[str | Path] = [sys.executable, page, answer, STUN, "true" if capture else "false"]
    browser = [*CHROMIUM, f"--user-data-dir={directory / 'profile'}", *(FAKE_CAMERA if capture else ())]
    with (
        computer.running(server, log=directory / "server.log"),
        computer.running([*browser, f"http://127.0.0.1:{PORT}/"], log=directory / "chromium.log"),
    ):
        end = time.monotonic() + 40
        while not answer.exists() and time.monotonic() < end:
            time.sleep(0.1)
    assert answer.exists(), (directory / "chromium.log").read_text()[-2000:]
    shown = map(Shown.parse, answer.read_text().splitlines())
    return [candidate for candidate in shown if candidate.protocol == "udp"]


def addresses(found: Found, kind: str, field: str, exposure: Exposure) -> set[str]:
    return {item.address.host for item in found.candidates(kind) if getattr(item, field) == exposure}


def test_without_permission_chromium_shows_the_default_route_under_mdns_names_as_we_say(
    computer: Client, ours: Found, tmp_path: Path
) -> None:
    shown = shown_by_chromium(computer, tmp_path, capture=False)
    hosts = [item for item in shown if item.type == "host"]
    assert all(item.address.endswith(".local") for item in hosts)
    mdns = addresses(ours, "host", "browser_without_permission", "mdns")
    assert mdns == {computer.address, computer.address6}
    assert len(hosts) == len(mdns)
    assert not addresses(ours, "host", "browser_without_permission", "as-is")
    reflexive = [item for item in shown if item.type == "srflx"]
    assert {item.address for item in reflexive} == addresses(ours, "srflx", "browser_without_permission", "as-is")
    assert {item.related for item in reflexive} == {"0.0.0.0"}


def test_with_permission_chromium_shows_every_interface_that_we_say_and_no_other(
    computer: Client, ours: Found, tmp_path: Path
) -> None:
    shown = shown_by_chromium(computer, tmp_path, capture=True)
    hosts = {item.address for item in shown if item.type == "host"}
    assert hosts == addresses(ours, "host", "browser_with_permission", "as-is")
    hidden = addresses(ours, "host", "browser_with_permission", "hidden")
    assert hidden == {"10.99.0.1", "192.168.56.1", "2001:db8:77:0:216:3eff:fe00:1"}
    reflexive = {(item.address, item.related) for item in shown if item.type == "srflx"}
    assert reflexive == {(computer.mapped, computer.address)}
