"""However a run ends, no allocation stays on the server: the servers say so themselves."""

import os
import signal
import subprocess
import time

import pytest

from lab.codes.asking import Asked, report_of, turn
from lab.codes.outside import inside
from lab.codes.place import Lab
from support.coturn import Coturn
from support.process import GRACE_S
from support.turn_libraries import LibraryServer

pytestmark = pytest.mark.lab

Server = Coturn | LibraryServer
GONE = "203.0.113.200"
"""An address that nobody has: data for it is lost, so that a run takes its time."""
SERVERS = ("coturn", "pion", "processone")
WAYS = ("udp", "tcp", "tls")


def working(lab: Lab, name: str) -> Server:
    if name == "coturn":
        return lab.tls
    return lab.pion() if name == "pion" else lab.processone()


def without_peers(lab: Lab, name: str) -> Server:
    """A server that grants a relay and lets it send to nobody."""
    if name == "coturn":
        return lab.coturn("denied-peer-ip=0.0.0.0-255.255.255.255", certificate=lab.certificate())
    if name == "pion":
        return lab.pion(deny_peers="true")
    return lab.processone("{turn_max_permissions,1}", "{turn_ipv4_address,{127,0,0,9}}")


def of(server: Server, way: str, name: str = "localhost") -> str:
    return server.uri("turns", host=name) if way == "tls" else server.uri(transport=way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SERVERS)
def test_nothing_is_left_after_success(lab: Lab, name: str, way: str) -> None:
    server = working(lab, name)
    before = server.allocations_ever()
    done = turn(lab, of(server, way)).run("--json")
    assert done.returncode == 0
    assert server.wait_until_empty()
    assert server.allocations_ever() > before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SERVERS)
def test_nothing_is_left_after_failure(lab: Lab, name: str, way: str) -> None:
    server = without_peers(lab, name)
    before = server.allocations_ever()
    told = report_of(turn(lab, of(server, way)).run("--json", "--timeout", "0.5"))
    assert told["verdict"]["status"] != "healthy"
    assert server.wait_until_empty()
    assert server.allocations_ever() > before


def cut_off(asked: Asked, server: Server, how: signal.Signals) -> int:
    """Send a signal as soon as the server has granted something, and return the exit code."""
    before = server.allocations_ever()
    command, env = [*asked.command, "--json"], {**os.environ, **asked.env}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as process:
        try:
            end = time.monotonic() + 15
            while server.allocations_ever() == before:
                assert time.monotonic() < end, "nothing was allocated"
                time.sleep(0.01)
            assert server.allocations() > 0
            process.send_signal(how)
            return process.wait(GRACE_S)
        finally:
            process.kill()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["coturn", "pion"])
@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_left_after_a_signal(lab: Lab, name: str, way: str, how: signal.Signals, code: int) -> None:
    rules = "table inet lost { chain rules1 { type filter hook input priority 0; udp dport RELAY drop; }; }\n"
    secure = lab.certificate("turn.example.org")
    if name == "coturn":
        server: Server = lab.outside(rules=rules, certificate=secure)
    else:
        server = lab.pion_outside(secure, announce=GONE)
    assert cut_off(inside(lab, of(server, way, "turn.example.org")), server, how) == code
    assert server.wait_until_empty()
