"""What a web page sees of a candidate."""

from ipaddress import ip_address

import pytest

from rtcdiag.evidence.candidate import CandidateType, Exposure
from rtcdiag.probes.exposure import exposure

LAN = "192.168.1.4"


def seen(kind: CandidateType, base: str, interface: str | None = "eth0", *, default: bool) -> tuple[Exposure, Exposure]:
    return exposure(kind, ip_address(base), interface, on_default_route=default)


def test_a_host_candidate_of_the_default_route_is_an_mdns_name_until_permission_is_given() -> None:
    assert seen("host", LAN, default=True) == ("mdns", "as-is")


def test_a_host_candidate_elsewhere_is_hidden_until_permission_is_given() -> None:
    assert seen("host", LAN, default=False) == ("hidden", "as-is")


def test_a_reflexive_candidate_of_the_default_route_needs_no_permission() -> None:
    assert seen("srflx", LAN, default=True) == ("as-is", "as-is")


def test_a_reflexive_candidate_elsewhere_is_hidden_until_permission_is_given() -> None:
    assert seen("srflx", LAN, default=False) == ("hidden", "as-is")


@pytest.mark.parametrize("default", [True, False])
def test_a_relay_candidate_is_always_shown(default: bool) -> None:
    assert seen("relay", LAN, "lo", default=default) == ("as-is", "as-is")


@pytest.mark.parametrize(
    ("base", "interface"),
    [
        ("127.0.0.2", "lo"),
        ("192.168.7.1", "lo0"),
        ("fe80::1", "eth0"),
        ("2001:db8::216:3eff:fe00:1", "eth0"),
        ("192.168.56.1", "vmnet8"),
        ("10.211.55.2", "vnic0"),
        ("192.168.56.1", "VMware Virtual Ethernet Adapter for VMnet8"),
    ],
)
@pytest.mark.parametrize("default", [True, False])
def test_loopback_link_local_mac_based_and_virtual_machine_addresses_are_never_enumerated(
    base: str, interface: str, default: bool
) -> None:
    assert seen("host", base, interface, default=default) == ("hidden", "hidden")


@pytest.mark.parametrize("interface", ["docker0", "br-12ab34cd", "tun0", "wlan0", "longhaul0"])
def test_container_and_vpn_interfaces_are_enumerated(interface: str) -> None:
    assert seen("host", "172.17.0.1", interface, default=False)[1] == "as-is"


def test_an_unknown_base_is_not_taken_for_a_forbidden_one() -> None:
    assert exposure("srflx", None, None, on_default_route=False) == ("hidden", "as-is")
