"""What a report says of this computer."""

import re
from pathlib import Path

import ifaddr
import msgspec
import pytest

from rtcdiag.address import Family
from rtcdiag.evidence import Environment, Failure
from rtcdiag.net import Net
from rtcdiag.net.routes import INTERNET
from rtcdiag.options import RunOptions
from rtcdiag.probes import environment as subject
from rtcdiag.probes.environment import InterfaceRole, environment, in_container, operating_system, role_by_name

V4, V6 = INTERNET[Family.IPV4], INTERNET[Family.IPV6]


class Computer:
    """What the operating system would say, in place of this one's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses: dict[str, list[str]] = {"lo": ["127.0.0.1", "::1"]}
        self.routed: dict[Family, frozenset[str]] = {}
        self.sources: dict[object, str | Failure] = {V4: Failure.NETWORK_UNREACHABLE, V6: Failure.NETWORK_UNREACHABLE}
        monkeypatch.setattr(ifaddr, "get_adapters", self._adapters)
        monkeypatch.setattr(subject, "source_towards", self._source)
        monkeypatch.setattr(subject, "interface_towards", lambda _destination: None)
        monkeypatch.setattr(subject, "default_routes", self.routed.get)
        # The names of a made-up computer mean nothing to the system that the test runs on.
        monkeypatch.setattr(subject, "_SYSFS", Path("/nowhere"))

    def _adapters(self) -> list[ifaddr.Adapter]:
        return [
            ifaddr.Adapter(name, name, [self._ip(text, name) for text in texts])
            for name, texts in self.addresses.items()
        ]

    def _ip(self, text: str, name: str) -> ifaddr.IP:
        return ifaddr.IP((text, 0, 3 if text.startswith("fe80") else 0) if ":" in text else text, 24, name)

    def _source(self, destination: object) -> object:
        from ipaddress import ip_address

        source = self.sources[destination]
        return source if isinstance(source, Failure) else ip_address(source)

    def described(self, options: RunOptions | None = None) -> Environment:
        return environment(Net(options or RunOptions()))


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    return Computer(monkeypatch)


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("loopback", ["lo", "lo0"]),
        ("ethernet", ["eth0", "en0", "enp3s0", "eno1", "ens192", "enx00e04c", "end0", "eth0.100", "bond0"]),
        ("wifi", ["wlan0", "wlp2s0", "wl0", "wlx00c0ca"]),
        (
            "vpn",
            ["tun0", "tap1", "wg0", "wg-mullvad", "utun3", "ppp0", "tailscale0", "ipsec0", "zt7nnig26", "nordlynx"],
        ),
        ("container", ["docker0", "br-12ab34cd", "veth12ab", "cni0", "virbr0", "vmnet8", "lxcbr0", "bridge100"]),
        ("mobile", ["wwan0", "wwp0s20", "rmnet_data0", "pdp_ip0"]),
        ("other", ["br0", "bridge0", "awdl0", "ifb0", "dummy0", "lan", "wan", "local", "", "x" * 300]),
    ],
)
def test_a_role_is_guessed_from_the_name(role: InterfaceRole, names: list[str]) -> None:
    assert {name: role_by_name(name) for name in names} == dict.fromkeys(names, role)


@pytest.mark.parametrize(
    ("role", "description"),
    [
        ("loopback", "Software Loopback Interface 1"),
        ("ethernet", "Ethernet"),
        ("ethernet", "Intel(R) Ethernet Connection I219-V"),
        ("ethernet", "Realtek PCIe GbE Family Controller"),
        ("wifi", "Wi-Fi"),
        ("wifi", "Intel(R) Wi-Fi 6 AX201 160MHz"),
        ("wifi", "Microsoft Wi-Fi Direct Virtual Adapter"),
        ("vpn", "TAP-Windows Adapter V9"),
        ("vpn", "WireGuard Tunnel"),
        ("vpn", "CloudflareWARP"),
        ("container", "vEthernet (WSL)"),
        ("container", "Hyper-V Virtual Ethernet Adapter"),
        ("container", "VMware Virtual Ethernet Adapter for VMnet8"),
        ("mobile", "Generic Mobile Broadband Adapter"),
    ],
)
def test_a_role_is_guessed_from_a_description_of_windows(role: InterfaceRole, description: str) -> None:
    assert role_by_name(description) == role


def test_a_computer_without_a_network_has_no_default_route_and_no_family(computer: Computer) -> None:
    found = computer.described()
    assert (found.default_route, found.ipv4, found.ipv6, found.vpn) == (None, False, False, False)
    assert [interface.name for interface in found.interfaces] == ["lo"]


def test_the_default_route_is_the_interface_that_holds_the_source_address(computer: Computer) -> None:
    computer.addresses |= {"eth0": ["192.168.1.4"], "wlan0": ["10.0.0.9", "fe80::1", "2001:db8:1::9"]}
    computer.sources = {V4: "10.0.0.9", V6: "2001:db8:1::9"}
    found = computer.described()
    assert (found.default_route, found.ipv4, found.ipv6, found.vpn) == ("wlan0", True, True, False)


def test_with_ipv6_alone_its_interface_is_the_default_one(computer: Computer) -> None:
    computer.addresses["wwan0"] = ["2001:db8:1::9"]
    computer.sources[V6] = "2001:db8:1::9"
    found = computer.described()
    assert (found.default_route, found.ipv4, found.ipv6) == ("wwan0", False, True)


def test_a_default_route_through_a_tunnel_is_a_vpn_and_a_tunnel_beside_it_is_none(computer: Computer) -> None:
    computer.addresses |= {"eth0": ["192.168.1.4"], "wg0": ["10.66.0.2"]}
    computer.sources[V4] = "192.168.1.4"
    assert not computer.described().vpn
    computer.sources[V4] = "10.66.0.2"
    assert computer.described().vpn


@pytest.mark.parametrize(
    ("source", "counts"), [("2001:db8::9", True), ("fd00::9", True), ("fe80::9", False), ("::1", False)]
)
def test_ipv6_counts_with_a_global_or_unique_local_source_only(computer: Computer, source: str, counts: bool) -> None:
    computer.sources[V6] = source
    assert computer.described().ipv6 is counts


def test_an_ipv4_route_through_loopback_is_none(computer: Computer) -> None:
    computer.sources[V4] = "127.0.0.1"
    found = computer.described()
    assert (found.ipv4, found.default_route) == (False, None)


def test_a_link_local_address_is_told_without_its_zone(computer: Computer) -> None:
    computer.addresses["eth0"] = ["fe80::1"]
    assert computer.described().interfaces[1].addresses == ("fe80::1",)


def test_options_change_nothing_about_this_computer(computer: Computer) -> None:
    computer.addresses |= {"eth0": ["192.168.1.4"], "wlan0": ["10.0.0.9"]}
    computer.sources[V4] = "192.168.1.4"
    asked = RunOptions(interface="wlan0", families=(Family.IPV6,))
    assert computer.described(asked) == computer.described()


def test_the_system_is_named_by_number_and_not_by_what_its_builder_called_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kernel:
        sysname, release, nodename = "Linux", "6.1.0-13-alices-laptop", "alices-laptop"

    monkeypatch.setattr("os.uname", Kernel)
    monkeypatch.setattr("sys.platform", "linux")
    assert operating_system() == "Linux 6.1.0"
    Kernel.release = "5.15.90.1-microsoft-standard-WSL2"
    assert operating_system() == "Linux 5.15.90.1 (WSL)"


def test_nothing_in_it_looks_like_a_mac_address_or_names_the_computer(computer: Computer) -> None:
    import getpass
    import socket

    text = msgspec.json.encode(computer.described()).decode()
    assert not re.search(r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", text, re.IGNORECASE)
    for secret in (socket.gethostname(), getpass.getuser()):
        assert f'"{secret}"' not in text
        assert f" {secret}" not in text


@pytest.mark.parametrize(
    ("groups", "inside"),
    [
        ("0::/\n", False),
        ("12:cpu:/user.slice\n", False),
        ("12:cpu:/docker/0123456789ab\n", True),
        ("0::/kubepods.slice/kubepods-burstable.slice\n", True),
        ("0::/lxc/web\n", True),
    ],
)
def test_a_container_shows_in_its_control_groups(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, groups: str, inside: bool
) -> None:
    monkeypatch.delenv("container", raising=False)
    monkeypatch.setattr(subject, "_CONTAINER_FILES", (tmp_path / "absent",))
    monkeypatch.setattr(subject, "_PROCESSES", tmp_path)
    monkeypatch.setattr(subject, "_CGROUP", tmp_path / "cgroup")
    assert not in_container()
    (tmp_path / "cgroup").write_text(groups)
    assert in_container() is inside


@pytest.mark.parametrize(("other", "inside"), [("net:[1]", True), ("net:[2]", False)])
def test_a_network_made_inside_a_container_is_not_the_containers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: str, inside: bool
) -> None:
    for pid, parent, network in (("self", "7", "net:[1]"), ("7", "1", "net:[1]"), ("1", "0", other)):
        (tmp_path / pid / "ns").mkdir(parents=True)
        (tmp_path / pid / "ns" / "net").symlink_to(network)
        (tmp_path / pid / "stat").write_text(f"5 (a) b) S {parent} 1 1 0")
    monkeypatch.setattr(subject, "_PROCESSES", tmp_path)
    monkeypatch.setenv("container", "podman")

    assert in_container() is inside


def test_a_container_whose_processes_tell_nothing_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subject, "_PROCESSES", tmp_path)
    monkeypatch.setenv("container", "podman")

    assert in_container()


def test_a_container_shows_in_its_engines_file_or_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(subject, "_PROCESSES", tmp_path)
    monkeypatch.setattr(subject, "_CGROUP", tmp_path / "absent")
    monkeypatch.setattr(subject, "_CONTAINER_FILES", (tmp_path / "engine",))
    monkeypatch.delenv("container", raising=False)
    assert not in_container()
    monkeypatch.setenv("container", "podman")
    assert in_container()
    monkeypatch.delenv("container")
    (tmp_path / "engine").touch()
    assert in_container()


@pytest.mark.parametrize(
    ("files", "role"),
    [
        ({"wireless/level": ""}, "wifi"),
        ({"type": "772\n"}, "loopback"),
        ({"type": "65534\n"}, "vpn"),
        ({"type": "519\n"}, "mobile"),
        ({"type": "1\n"}, "ethernet"),
        ({}, "ethernet"),
    ],
)
def test_what_linux_knows_of_an_interface_comes_before_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], role: str
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(subject, "_SYSFS", tmp_path)
    for name, text in files.items():
        path = tmp_path / "eth0" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert subject.role_of("eth0") == role


@pytest.mark.parametrize("name", ["..", "a/../lo", "."])
def test_an_interface_name_leads_nowhere_else_in_the_file_system(name: str) -> None:
    assert subject.role_of(name) == "other"
