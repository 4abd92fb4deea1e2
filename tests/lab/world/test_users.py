"""The lab without root: in a user namespace, with TAP devices and without."""

import json
import subprocess

import pytest

from support.lab import BEHAVIORS
from support.nobody import as_nobody
from support.process import RTCDIAG, run

pytestmark = pytest.mark.lab

CLOSE_TUN = ("cp /dev/null /run/closed-tun", "chmod 600 /run/closed-tun", "mount --bind /run/closed-tun /dev/net/tun")
HIDE = ("mount -t tmpfs none /run",)
WAYS = {"tap": HIDE, "packet socket": (*HIDE, *CLOSE_TUN)}


def lab_of_nobody(*args: str, before: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return run(as_nobody([RTCDIAG, "lab", "run", *args], *before), timeout=60)


def test_nobody_is_nobody_and_cannot_make_an_interface() -> None:
    done = run(as_nobody(["sh", "-c", "id -u; ip link add x type veth 2>&1"]))
    assert done.stdout.splitlines()[0] == "65534"
    assert "not permitted" in done.stdout


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("spec", ["eim/eif", "adm/adf", "apdm/apdf"])
def test_a_user_has_the_same_nats_as_root(way: str, spec: str) -> None:
    asking = f"{RTCDIAG} nat-type --json --no-control --server $RTCDIAG_LAB_STUN"
    done = lab_of_nobody("--nat", spec, "--with", "embedded", "--", "sh", "-c", asking, before=WAYS[way])
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    nat = report["nat"]["ipv4"]
    assert (nat["behind_nat"], nat["mapping"], nat["filtering"]) == (True, *BEHAVIORS[spec])
    assert report["environment"]["vpn"] is False


@pytest.mark.parametrize("way", WAYS)
def test_tcp_and_large_packets_pass_with_right_checksums(way: str) -> None:
    serve = "python3 -m http.server --bind 203.0.113.10 --directory /usr/bin 80"
    get = """
import pathlib, time, urllib.error, urllib.request
for _ in range(200):
    try:
        got = urllib.request.urlopen("http://203.0.113.10/env", timeout=15).read()
        print(got == pathlib.Path("/usr/bin/env").read_bytes())
        break
    except urllib.error.URLError:
        time.sleep(0.05)
"""
    done = lab_of_nobody("--nat", "symmetric", "--internet", serve, "--", "python3", "-c", get, before=WAYS[way])
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_coturn_serves_a_user_too(way: str) -> None:
    asking = f"{RTCDIAG} check-turn $RTCDIAG_LAB_TURN $RTCDIAG_LAB_TURN6 -q"
    done = lab_of_nobody("--nat", "cgnat", "--with", "coturn", "--", "sh", "-c", asking, before=WAYS[way])
    assert done.stdout.startswith("healthy: 2 of 2"), done.stderr


def test_where_user_namespaces_are_forbidden_one_line_says_so() -> None:
    # A limit of zero holds for this user namespace of ours and what is in it, not for the computer.
    forbid = 'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
    done = run(
        as_nobody(["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh", RTCDIAG, "lab", "run", "true"])
    )
    assert (done.returncode, done.stdout) == (125, "")
    assert "needs root, or user namespaces" in done.stderr
    assert len(done.stderr.splitlines()) == 1
