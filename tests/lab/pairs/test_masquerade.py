"""What ``compare`` predicts for two people behind the kernel's own masquerade is what two real agents achieve."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.coturn import USERS, coturn
from support.netns import SERVER, SERVERS, Client, Topology
from support.pairs import AGENT, BY_ORDER, Outcome, agent_line, outcome
from support.process import RTCDIAG

pytestmark = pytest.mark.lab
TRIES = ("a", "b", "relay")
"""Who checks first, then with a relay; at one moment they cannot, for between namespaces a packet is there at once."""
ACCEPTS = "add chain inet filter input { policy accept; }\n"
"""What is sent to the router itself gets in, as on a Linux system that nobody gave a firewall."""


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with Topology() as net:
        directory = tmp_path_factory.mktemp("coturn")
        with coturn(directory, listen=SERVERS[:2], relay=(SERVER,), prefix=net.internet.prefix):
            yield net


def client(net: Topology, *, accepts: bool) -> Client:
    router = net.router("masquerade")
    if accepts:
        router.nft(ACCEPTS)
    return net.client(router, ipv6=False)


def together(sides: dict[str, Client], line: str) -> None:
    """Run a line of the shell on both sides at once."""
    ((user, password),) = USERS.items()
    with ExitStack() as stack:
        runs = [
            stack.enter_context(
                subprocess.Popen(
                    [*host.prefix, "sh", "-euc", line],
                    env={
                        **os.environ,
                        "RTCDIAG_LAB_SIDE": side,
                        "RTCDIAG_LAB_STUN": f"stun:{SERVER}:3478",
                        "RTCDIAG_LAB_TURN": f"turn:{SERVER}:3478",
                        "RTCDIAG_USERNAME": user,
                        "RTCDIAG_PASSWORD": password,
                    },
                )
            )
            for side, host in sides.items()
        ]
        assert [run.wait(timeout=60) for run in runs] == [0, 0]


def tried(net: Topology, directory: Path, *, a: bool, b: bool) -> Outcome:
    sides = {"a": client(net, accepts=a), "b": client(net, accepts=b)}
    asked = "--no-control --no-gateway -4 -s $RTCDIAG_LAB_STUN -s $RTCDIAG_LAB_TURN"
    reports = f"--reports-dir {directory}/$RTCDIAG_LAB_SIDE --json"
    together(sides, f"{RTCDIAG} report {asked} {reports} > {directory}/$RTCDIAG_LAB_SIDE.json || test $? = 1")
    for name in TRIES:
        line = agent_line(Path(RTCDIAG), AGENT, name, directory, 1, 5.0)
        together(sides, f"{line} > {directory}/$RTCDIAG_LAB_SIDE.{name}")
    return outcome(Path(RTCDIAG), directory, TRIES)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("a", "b", "direct", "by_order"),
    [
        (True, True, "unknown", {"a": False, "b": False}),
        (True, False, "unknown", {"a": True, "b": False}),
        pytest.param(False, True, "unknown", {"a": False, "b": True}, marks=pytest.mark.slow),
        pytest.param(False, False, "yes", {"a": True, "b": True}, marks=pytest.mark.slow),
    ],
)
def test_two_masquerades_connect_in_the_orders_that_were_predicted(
    internet: Topology, tmp_path: Path, a: bool, b: bool, direct: str, by_order: dict[str, bool]
) -> None:
    found = tried(internet, tmp_path, a=a, b=b)

    assert (found.predicted["direct"], BY_ORDER in found.whys) == (direct, direct == "unknown")
    assert found.by_order == by_order, found
    assert (found.predicted["relayed"], found.happened["relay"]) == ("yes", True), found
