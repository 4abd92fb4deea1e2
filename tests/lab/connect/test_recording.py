"""What a session sends and receives is in the file of packets, and its candidates say where they stand."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from rtcdiag.address import TransportAddress
from rtcdiag.lab.packet import parse
from support.pcapng import packets
from support.sessions import held

pytestmark = pytest.mark.lab
RESTRICTED = "eim/apdf v6=blocked"
ALLOCATE, CHANNEL_BIND = b"\x00\x03", b"\x00\x09"
SERVER = "203.0.113.10:3478"


def datagrams(path: Path) -> list[tuple[str, str, bytes]]:
    """Return source, destination and the first two bytes of every UDP datagram in a file."""
    found = []
    for interface, _, data in packets(path.read_bytes()):
        packet = parse(data) if interface == 0 else None
        if packet is not None and packet.protocol == 17:
            ends = [str(TransportAddress(ip_address(ip), port)) for ip, port in (packet.source, packet.destination)]
            found.append((ends[0], ends[1], data[packet.start + 8 : packet.start + 10]))
    return found


def test_checks_data_and_what_the_relay_is_told_are_recorded_and_candidates_name_their_interface(
    tmp_path: Path,
) -> None:
    seen = held(tmp_path, RESTRICTED, RESTRICTED)

    for side, end in seen.items():
        recorded = datagrams(tmp_path / f"{side}.pcapng")
        ways = {(source, destination) for source, destination, _ in recorded}
        (direct,) = [pair for pair in end.pairs if "direct" in pair["nominated"]]
        assert {(direct["local"], direct["remote"]), (direct["remote"], direct["local"])} <= ways
        (relay,) = [item for item in end.candidates if item["type"] == "relay"]
        bound = {source for source, destination, kind in recorded if (destination, kind) == (SERVER, CHANNEL_BIND)}
        assert bound & {source for source, destination, kind in recorded if (destination, kind) == (SERVER, ALLOCATE)}
        # What a relay sends is none of this computer's packets.
        assert relay["address"] not in {source for source, _ in ways}
        for item in end.candidates:
            assert item["interface"] == "eth0"
            hidden = "mdns" if item["type"] == "host" else "as-is"
            assert (item["browser_without_permission"], item["browser_with_permission"]) == (hidden, "as-is")
        assert relay["relay_protocol"] == "udp"
