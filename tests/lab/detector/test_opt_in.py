"""The opt-in experiments behind NATs of known flags: what is told is what was set, or undetermined with its reason.

The cases of one test run side by side: most of their time they wait.
"""

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.coturn import coturn
from support.lab import behind
from support.netns import SERVER, SERVERS, Topology
from support.process import RTCDIAG, running

pytestmark = pytest.mark.lab

AT_ONCE = 13
EMBEDDED, COTURN = ("--with", "embedded"), ("--with", "coturn")
ACCEPT_OWN = "echo 1 >/proc/sys/net/ipv4/conf/all/accept_local; "
"""Linux drops what comes in with an address of its own as the source, unless told otherwise."""
UP_TO_S = 8
LIFETIME = ("--lifetime", "--lifetime-up-to", str(UP_TO_S))


class Place(NamedTuple):
    """A NAT, and the server that is asked through it."""

    nat: str
    server: Sequence[str] = EMBEDDED
    before: str = ""
    """Shell commands that go first."""
    uri: str = "$RTCDIAG_LAB_STUN"


def told(place: Place, *options: str, family: str = "ipv4") -> dict[str, Any]:
    """Return the NAT of a family as the report tells it."""
    asked = f'{RTCDIAG} nat-type --json --no-control --fail-on never -s "{place.uri}" "$@"'
    script = f"{place.before}{asked} || test $? -eq 3"
    report = json.loads(behind(place.nat, "sh", "-c", script, "sh", *options, options=place.server))
    nat: dict[str, Any] = report["nat"][family]
    return nat


def all_told(places: Mapping[str, Place], *options: str) -> dict[str, dict[str, Any]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(places, pool.map(lambda place: told(place, *options), places.values()), strict=True))


Plain = Callable[[str], Place]


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    """Return what makes places whose only server has one address: no RFC 5780, so neither RESPONSE-PORT nor PADDING."""
    users = tmp_path / "users"
    users.write_text("ann:secret\n")
    server = ("--internet", f"exec {RTCDIAG} serve stun -q --listen {SERVER} --turn-users {users}")
    return partial(Place, server=server, before="sleep 1; ", uri=f"stun:{SERVER}")


def test_hairpinning_is_told_as_it_was_set() -> None:
    places = {
        "none": (Place("eim/apdf hairpin=none"), False, None),
        "none, coturn": (Place("eim/eif hairpin=none port=random", COTURN), False, None),
        "external": (Place("eim/apdf hairpin=external port=random", COTURN), True, "external"),
        "external, open filter": (Place("eim/eif hairpin=external"), True, "external"),
        "external, several addresses": (
            Place("eim/adf hairpin=external port=random pool=4 pooling=arbitrary"),
            True,
            "external",
        ),
        "internal": (Place("eim/apdf hairpin=internal port=random", before=ACCEPT_OWN), True, "internal"),
        "internal, which this system hides": (Place("eim/apdf hairpin=internal"), False, None),
        "symmetric, open filter": (Place("apdm/eif hairpin=external port=random"), True, "external"),
        "symmetric, open filter, none": (Place("apdm/eif hairpin=none port=random"), False, None),
        "symmetric": (Place("apdm/apdf hairpin=external port=random"), None, None),
        "symmetric, none": (Place("apdm/adf hairpin=none port=random"), None, None),
        "no NAT": (Place("none"), None, None),
        "loss": (Place("eim/apdf hairpin=external loss=5%"), True, "external"),
    }
    seen = all_told({name: place for name, (place, _, _) in places.items()}, "--hairpin")

    assert {name: (nat["hairpinning"], nat["hairpinning_source"]) for name, nat in seen.items()} == {
        name: (hairpinning, source) for name, (_, hairpinning, source) in places.items()
    }
    assert "the filter alone" in seen["symmetric"]["undetermined"]["hairpinning"]
    assert seen["no NAT"]["undetermined"]["hairpinning"] == "there is no NAT"


def test_a_lifetime_is_between_the_bounds_that_are_told_and_no_bound_is_told_that_was_not_seen(plain: Plain) -> None:
    measured = {
        "random ports": (Place("eim/apdf port=random lifetime=3s", COTURN), 3),
        "kept ports": (Place("eim/apdf lifetime=5s"), 5),
        "open filter": (Place("eim/eif lifetime=3s port=random refresh=both"), 3),
        "symmetric": (Place("apdm/apdf port=random lifetime=3s"), 3),
        "firewall": (Place("firewall/apdf lifetime=3s"), 3),
        "loss": (Place("eim/apdf lifetime=5s loss=3%", COTURN), 5),
    }
    others = {
        "long": Place("eim/apdf lifetime=300s", COTURN),
        "no NAT": Place("none"),
        "no RESPONSE-PORT, kept ports": plain("eim/apdf lifetime=3s"),
        "no RESPONSE-PORT, random ports": plain("eim/apdf port=random lifetime=3s"),
        "several addresses": Place("eim/eif pool=8 pooling=arbitrary lifetime=300s"),
        "UDP blocked": Place("eim/apdf udp=blocked"),
    }
    seen = all_told({name: place for name, (place, _) in measured.items()} | others, *LIFETIME)
    bounds = {name: (nat["lifetime_s"], nat["lifetime_below_s"]) for name, nat in seen.items()}

    for name, (_, lifetime_s) in measured.items():
        lives, dies = bounds[name]
        assert (lives or 0) <= lifetime_s <= (dies or 99), (name, bounds[name])
        assert name == "loss" or lifetime_s - 2.5 <= lives < dies <= lifetime_s + 2.5, (name, bounds[name])
    _check_what_was_not_seen(bounds, {name: nat["undetermined"].get("lifetime_s") for name, nat in seen.items()})


def _check_what_was_not_seen(bounds: Mapping[str, tuple[Any, Any]], why: Mapping[str, Any]) -> None:
    assert UP_TO_S <= bounds["long"][0] <= UP_TO_S + 1
    assert bounds["long"][1] is bounds["several addresses"][1] is None
    assert bounds["no NAT"] == bounds["no RESPONSE-PORT, kept ports"] == bounds["UDP blocked"] == (None, None)
    assert (why["no NAT"], why["UDP blocked"]) == ("there is no NAT", "no answer over UDP")
    assert "a NAT that keeps ports" in why["no RESPONSE-PORT, kept ports"]
    lives, dies = bounds["no RESPONSE-PORT, random ports"]
    assert lives is None
    assert 3 <= dies <= 5.5


def test_a_mapping_that_carries_packets_for_a_while_lives_as_long_as_that_of_a_call(tmp_path: Path) -> None:
    """Linux keeps a mapping for longer once packets have gone both ways for two seconds."""
    with Topology() as net, coturn(tmp_path, listen=SERVERS[:2], relay=[SERVER], prefix=net.internet.prefix):
        router = net.router("masquerade")
        client = net.client(router, ipv6=False)
        script = "cd /proc/sys/net/netfilter; echo 3 >nf_conntrack_udp_timeout; echo 5 >nf_conntrack_udp_timeout_stream"
        assert router.run(["sh", "-euc", script]).returncode == 0
        done = client.run([RTCDIAG, "nat-type", "--json", "--no-control", "-s", f"stun:{SERVER}", *LIFETIME])
        nat = json.loads(done.stdout)["nat"]["ipv4"]

    assert 3.5 <= nat["lifetime_s"] <= 5
    assert 5 <= nat["lifetime_below_s"] <= 7.5


def test_ctrl_c_reports_the_silences_that_have_ended(tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    script = f"exec {RTCDIAG} nat-type -q --no-control -s $RTCDIAG_LAB_STUN -o {output} --lifetime --lifetime-up-to 24"
    command = [RTCDIAG, "lab", "run", "--nat", "eim/apdf lifetime=300s", *EMBEDDED, "--", "sh", "-c", script]
    with running(command, log=tmp_path / "log") as process:
        with pytest.raises(Exception, match="timed out"):
            process.wait(15)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    report = json.loads(output.read_text())

    assert report["interrupted"] is True
    assert 3 <= report["nat"]["ipv4"]["lifetime_s"] < 18
    assert report["nat"]["ipv4"]["lifetime_below_s"] is None


def test_fragments_are_told_as_the_nat_treats_them(plain: Plain) -> None:
    places = {
        "open": (Place("eim/apdf", COTURN), True, True, 1500),
        "open, embedded": (Place("apdm/apdf port=random"), True, True, 1500),
        "blocked": (Place("eim/apdf fragments=blocked", COTURN), False, False, 1500),
        "blocked, as much padding as was sent": (Place("eim/apdf fragments=blocked"), False, None, 1500),
        "cut again": (Place("eim/apdf mtu=1400", COTURN), True, True, 1400),
        "cut again, silently": (Place("eim/apdf mtu=1400 icmp=blocked"), True, True, 1400),
        "no PADDING": (plain("eim/apdf fragments=blocked"), None, None, 1500),
        "no PADDING, open": (plain("eim/apdf"), True, None, 1500),
        "UDP blocked": (Place("eim/apdf udp=blocked"), None, None, None),
        "loss": (Place("eim/apdf loss=5%", COTURN), True, True, 1500),
    }
    seen = all_told({name: place for name, (place, *_) in places.items()}, "--fragments")

    assert {
        name: (nat["fragments_outbound"], nat["fragments_inbound"], nat["mtu_bytes"]) for name, nat in seen.items()
    } == {name: tuple(expected) for name, (_, *expected) in places.items()}
    assert "does PADDING" in seen["no PADDING"]["undetermined"]["fragments_outbound"]


@pytest.mark.parametrize(("fragments", "passes"), [("open", True), ("blocked", False)])
def test_fragments_of_ipv6_are_another_question(fragments: str, passes: bool) -> None:
    place = Place(f"eim/apdf fragments={fragments}", COTURN, uri="$RTCDIAG_LAB_STUN6")
    nat = told(place, "--fragments", "-6", family="ipv6")

    assert (nat["fragments_outbound"], nat["fragments_inbound"], nat["mtu_bytes"]) == (passes, passes, 1500)
