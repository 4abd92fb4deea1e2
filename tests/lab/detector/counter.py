"""Writes when and where each Binding request went that passes an internet of the lab, from outside of every program."""

import socket
import sys
import time
from pathlib import Path

ETH_P_IP = 0x0800
BINDING_REQUEST = b"\x00\x01"
COOKIE = bytes.fromhex("2112a442")


def main() -> None:
    """Write a line a request: seconds, the destination's address, the transaction id."""
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)) as sniffing,
        Path(sys.argv[1]).open("w", encoding="ascii", buffering=1) as seen,
    ):
        print("ready", file=seen)
        while True:
            packet, (interface, *_) = sniffing.recvfrom(2048)
            if interface == "lo":  # the lab itself, which waits for its servers
                continue
            header = 4 * (packet[0] & 15)
            stun = packet[header + 8 :]
            if packet[9] == socket.IPPROTO_UDP and stun[:2] == BINDING_REQUEST and stun[4:8] == COOKIE:
                print(time.monotonic(), socket.inet_ntoa(packet[16:20]), stun[8:20].hex(), file=seen)


main()
