"""What is around the hosts of a lab: a name server, a router, and a NAT that two of them share."""

import json
import sys
from pathlib import Path

import pytest

from support.lab import SERVER, asking, behind, lab
from support.nobody import as_nobody
from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab

PEER = Path(__file__).with_name("peer.py")
NAMES = ("--name", "stun.example=203.0.113.10", "--name", "stun.example=2001:db8::10", "--name", "other.test=1.1.1.1")
RESOLVE = """
import socket
for name in ("stun.example", "other.test", "nobody.example"):
    try:
        print(*sorted({one[4][0] for one in socket.getaddrinfo(name, 1)}))
    except socket.gaierror as error:
        print(error.errno == socket.EAI_NONAME)
"""
RESOLVED = "2001:db8::10 203.0.113.10\n1.1.1.1\nTrue\n"
TELL = """
import socket, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(0.2)
    for _ in range(50):
        sock.sendto(b"who", ("192.168.1.1", 5351))
        try:
            print(sock.recvfrom(100))
            break
        except (TimeoutError, ConnectionRefusedError):
            time.sleep(0.05)
"""
"""Ask the router, and print what it says."""
ANSWER = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("192.168.1.1", 5351))
    while True:
        sock.sendto(b"I", sock.recvfrom(100)[1])
"""
GROUP = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as routed:
    routed.connect(("203.0.113.10", 1))
    own = routed.getsockname()[0]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("", 5353))
    joined = socket.inet_aton("224.0.0.251") + socket.inet_aton(own)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    sock.settimeout(0.05)
    heard = None
    for _ in range(40):
        sock.sendto(b"here", ("224.0.0.251", 5353))
        try:
            heard = sock.recvfrom(100)[1][0]
        except TimeoutError:
            pass
    print(heard)
"""
"""Greet a multicast group, and print who else did."""


def test_a_command_resolves_the_names_that_were_given_and_no_others() -> None:
    assert behind("symmetric", *asking_text(RESOLVE), options=NAMES) == RESOLVED


def test_a_user_has_the_name_server_too() -> None:
    done = run(as_nobody([RTCDIAG, "lab", "run", "--nat", "cgnat", *NAMES, "--", *asking_text(RESOLVE)]), timeout=60)
    assert done.stdout == RESOLVED, done.stderr


def test_a_server_is_asked_by_its_name() -> None:
    command = (RTCDIAG, "check-stun", "stun:stun.example", "-q")
    seen = behind("symmetric", *command, options=(*NAMES, "--with", "embedded"))
    assert seen.startswith("healthy")


def asking_text(program: str) -> list[str]:
    return [sys.executable, "-S", "-c", program]


@pytest.mark.parametrize(
    ("word", "reason"),
    [("nonsense", "not a name and an address"), ("a b=1.1.1.1", "not a name"), ("a.b=1.1.1", "not an IP address")],
)
def test_a_name_without_an_address_is_refused(word: str, reason: str) -> None:
    done = lab("run", "--name", word, "--", "true")
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("router", ["192.168.1.1", "2001:db8:1:2::1", "100.64.1.1"])
def test_every_router_on_the_way_answers_a_ping(router: str) -> None:
    assert json.loads(behind(["home-router", "cgnat"], *asking(PEER, "ping", router))) == "echo"


def test_a_program_answers_in_place_of_the_router_and_the_nat_stays() -> None:
    gateway = ("--gateway", f"exec {sys.executable} -S -c '{ANSWER}'", "--with", "embedded")
    assert behind("symmetric", *asking_text(TELL), options=gateway) == "(b'I', ('192.168.1.1', 5351))\n"
    assert behind("symmetric", *asking_text(TELL)) == ""
    seen = behind("symmetric", *asking(PEER, "mapping", f"{SERVER},203.0.113.11", "1"), options=gateway)
    ((one, other),) = json.loads(seen)
    assert one[1] != other[1]


NAT_PMP = """
import socket, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(0.2)
    for _ in range(50):
        sock.sendto(bytes(2), ("192.168.1.1", 5351))
        try:
            answer = sock.recv(100)
        except (TimeoutError, ConnectionRefusedError):
            time.sleep(0.05)
        else:
            print(answer[1], socket.inet_ntoa(answer[8:12]))
            break
"""
"""Ask the router for its external address (RFC 6886 section 3.2)."""


def test_miniupnpd_on_the_router_tells_the_address_of_the_wan(tmp_path: Path) -> None:
    config = tmp_path / "miniupnpd.conf"
    config.write_text("ext_ifname=wan\nlistening_ip=lan\nenable_natpmp=yes\nallow 1024-65535 0.0.0.0/0 1024-65535\n")
    # It takes addresses for documentation for none.
    address = "ip address flush dev wan; ip address add 1.2.3.4/32 dev wan"
    gateway = f"{address}; exec miniupnpd -d -f {config} -P {tmp_path}/pid 2>/dev/null"
    assert behind("home-router", *asking_text(NAT_PMP), options=("--gateway", gateway)) == "128 1.2.3.4\n"


def test_a_gateway_that_fails_ends_the_lab_and_one_without_a_router_is_refused() -> None:
    done = lab("run", "--nat", "open", "--gateway", "exit 3", "--", "sleep", "20")
    assert (done.returncode, done.stderr) == (
        125,
        "rtcdiag: the command on the gateway ended early, with exit code 3\n",
    )
    done = lab("run", "--gateway", "true", "--", "true")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def met(*args: str, tmp_path: Path) -> tuple[list[str], list[list[object]]]:
    """Return what two hosts heard at each other's mapped address, and where each was mapped."""
    done = lab("pair", *args, "--with", "embedded", "--", *asking(PEER, "meet", SERVER, str(tmp_path)))
    heard = sorted(json.loads(line) for line in done.stdout.splitlines())
    return heard, [json.loads((tmp_path / side).read_text()) for side in "ab"]


@pytest.mark.parametrize("own", [(), ("--a", "home-router", "--b", "home-router")], ids=["one LAN", "own routers"])
@pytest.mark.parametrize(("hairpin", "heard"), [("external", ["from a", "from b"]), ("none", ["nothing"] * 2)])
def test_hosts_behind_one_nat_meet_at_its_address_where_it_hairpins(
    own: tuple[str, ...], hairpin: str, heard: list[str], tmp_path: Path
) -> None:
    shared = f"eim/apdf port=random hairpin={hairpin}"
    seen, (one, other) = met(*own, "--shared", shared, tmp_path=tmp_path)
    assert seen == heard
    assert one[0] == other[0] == "203.0.113.130"
    assert one[1] != other[1]


def test_hosts_with_nats_of_their_own_behind_a_shared_firewall_keep_their_own_addresses(tmp_path: Path) -> None:
    heard, (one, other) = met("--a", "cgnat", "--b", "port-restricted", "--shared", "firewall", tmp_path=tmp_path)
    assert heard == ["from a", "from b"]
    assert one[0] != other[0]


def test_hosts_in_one_lan_hear_each_others_multicast() -> None:
    done = lab("pair", "--shared", "home-router", "--", *asking_text(GROUP))
    assert sorted(done.stdout.split()) == ["192.168.1.2", "192.168.1.3"]


def test_hosts_apart_hear_no_multicast() -> None:
    assert lab("pair", "--a", "home-router", "--b", "home-router", "--", *asking_text(GROUP)).stdout == "None\nNone\n"


def test_a_user_has_shared_nats_too() -> None:
    meeting = asking(PEER, "meet", SERVER, "/run")
    command = [RTCDIAG, "lab", "pair", "--a", "home-router", "--shared", "cgnat", "--with", "embedded", "--", *meeting]
    done = run(as_nobody(command, "mount -t tmpfs -o mode=777 none /run"), timeout=60)
    assert sorted(done.stdout.split("\n")) == ["", '"from a"', '"from b"'], done.stderr
