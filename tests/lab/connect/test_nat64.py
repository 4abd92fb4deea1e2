"""A person whose network has IPv6 only, and one who has IPv4 only."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.coturn import USERS, coturn
from support.nat64 import NETWORK_SPECIFIC, nat64, serve_dns64
from support.netns import SERVER, SERVER6, SERVERS, Namespace, Topology
from support.process import RTCDIAG

pytestmark = pytest.mark.lab

NAME, PORT = "meet.example.org", 3480
SHOWN_S = 30.0


class People:
    """The two, and what both ask: one host with one name that has an IPv4 address, and by DNS64 an IPv6 address."""

    def __init__(self, a: Namespace, b: Namespace, directory: Path) -> None:
        self.sides = {"a": a, "b": b}
        self.directory = directory

    def meet(self, *servers: str) -> dict[str, Any]:
        """Run one session, and return the comparison that side a printed."""
        with (
            self._begun("a", servers, "--rendezvous", f"http://{NAME}:{PORT}") as first,
            self._begun("b", servers, self._code()) as second,
        ):
            assert second.wait(60) == first.wait(60)
        return dict(json.loads((self.directory / "printed.a").read_text()))

    def _begun(self, side: str, servers: tuple[str, ...], *options: str) -> "subprocess.Popen[bytes]":
        asked = [word for server in servers for word in ("--server", server)]
        command = [*self.sides[side].prefix, "env", f"RTCDIAG_PASSWORD={USERS['alice']}", str(RTCDIAG), "connect"]
        rest = [
            "--username",
            "alice",
            "--no-control",
            "--no-gateway",
            "--json",
            "--reports-dir",
            str(self.directory / side),
        ]
        with (self.directory / f"printed.{side}").open("w") as out, (self.directory / f"told.{side}").open("w") as err:
            return subprocess.Popen(
                [*command, *options, *asked, *rest], stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def _code(self) -> str:
        until = time.monotonic() + SHOWN_S
        while time.monotonic() < until:
            shown = re.search(r"rtcdiag connect '(http[^']*)'", (self.directory / "told.a").read_text())
            if shown:
                return shown[1]
            time.sleep(0.05)
        raise AssertionError((self.directory / "told.a").read_text())


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    signal = [RTCDIAG, "serve", "signal", "--quiet", "--bind", SERVER, "--port", str(PORT)]
    with (
        Topology() as net,
        coturn(tmp_path, listen=(*SERVERS[:2], SERVER6), relay=(SERVER, SERVER6), prefix=net.internet.prefix),
        net.internet.running(signal, log=tmp_path / "rendezvous"),
        nat64(net, tmp_path / "tayga", "masquerade", NETWORK_SPECIFIC) as six,
    ):
        serve_dns64(net, NETWORK_SPECIFIC, dict.fromkeys((NAME, "stun.example.org"), SERVER))
        yield People(six, net.client("masquerade", ipv6=False), tmp_path)


def test_ipv6_only_and_ipv4_only_do_not_connect_directly_and_that_is_predicted(people: People) -> None:
    told = people.meet("stun:stun.example.org")

    assert (told["verdict"]["direct_p2p"], told["families"]["ipv4"]["direct"]) == ("blocked", "no")
    assert "A has no IPv4 of its own" in told["families"]["ipv4"]["why"]
    assert [item["change"] for item in told["verdict"]["would_change_if"]] == [
        "configure a TURN server that works from there"
    ]


def test_ipv6_only_and_ipv4_only_connect_through_an_ipv4_relay_of_the_first(people: People) -> None:
    told = people.meet("stun:stun.example.org", "turn:stun.example.org")

    assert (told["verdict"]["direct_p2p"], told["families"]["ipv4"]["relayed"]) == ("relay-needed", "yes")
    assert told["families"]["ipv4"]["path"] == {"a": "relay", "b": "srflx"}
