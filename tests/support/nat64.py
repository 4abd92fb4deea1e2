"""An access network with IPv6 only, whose way to IPv4 is Debian's tayga and the kernel's NAT behind it (RFC 6146)."""

import contextlib
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

from support.netns import Client, Router, Topology
from support.nft import Nat

WELL_KNOWN = "64:ff9b::/96"
NETWORK_SPECIFIC = "2001:db8:64::/96"
RESOLVER6 = "2001:db8::10"
"""Where the test internet's name server is asked over IPv6."""

_POOL = "192.168.255.0/24"
"""Tayga gives each IPv6 host one of these; the kernel's NAT makes one public address of them."""


def synthesized(prefix: str, address: str) -> str:
    """Return what stands for an IPv4 address under a prefix of 96 bits (RFC 6052 section 2.2)."""
    return str(IPv6Address(int(IPv6Network(prefix).network_address) | int(IPv4Address(address))))


def serve_dns64(net: Topology, prefix: str, names: dict[str, str], *, ipv4only: bool = True) -> None:
    """Answer, over both families, AAAA of ``ipv4only.arpa`` and of the names by addresses under the prefix."""
    records = {name: [address, synthesized(prefix, address)] for name, address in names.items()}
    told = ("192.0.0.170", "192.0.0.171") if ipv4only else ()
    special = [f"--host-record=ipv4only.arpa,{ip},{synthesized(prefix, ip)}" for ip in told]
    net.serve_names(records, f"--listen-address={RESOLVER6}", *special)


@contextlib.contextmanager
def nat64(
    net: Topology, directory: Path, nat: Nat = "masquerade", prefix: str = WELL_KNOWN, *, ipv4: bool = False
) -> Iterator[Client]:
    """Give a computer behind such a router, with ``ipv4`` one that has IPv4 too (behind the same NAT)."""
    router = net.router(nat)
    with _translator(router, directory, prefix):
        client = net.client(router)
        if not ipv4:
            client.ip(f"address delete {client.address}/{router.lan.prefixlen} dev eth0")
            client.resolve_by(RESOLVER6)
        yield client


@contextlib.contextmanager
def _translator(router: Router, directory: Path, prefix: str) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "tayga.conf"
    lines = ["tun-device nat64", "ipv4-addr 192.168.255.1", f"ipv6-addr {router.wan6[:-3]}ffff:{router.number:x}"]
    lines += [f"prefix {prefix}", f"dynamic-pool {_POOL}", f"data-dir {directory}"]
    configuration.write_text("\n".join(lines) + "\n")
    command = ["tayga", "--config", str(configuration)]
    made = router.run([*command, "--mktun"])
    assert made.returncode == 0, made.stderr
    router.ip("link set nat64 up", f"route add {_POOL} dev nat64", f"route add {prefix} dev nat64")
    router.nft('add rule inet filter passing iifname "nat64" oifname "wan" accept')
    with router.running([*command, "-d"], log=directory / "tayga.log"):
        yield
