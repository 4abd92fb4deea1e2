"""The ends of the wire on Linux: a TAP device, or where /dev/net/tun is closed, one end of a veth pair.

A TAP, not a TUN: to the host it is an Ethernet interface as any other. Neither does ARP nor neighbor discovery: with
NOARP the kernel sends every packet to the interface's own address, and we know that one.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from typing import NamedTuple

from rtcdiag.lab import linux
from rtcdiag.lab.failure import LabError
from rtcdiag.lab.iproute import ip
from rtcdiag.lab.wire import Port

_TUN_DEVICE = "/dev/net/tun"
_MAX_FRAME = 65_550
_HOST_MAC = bytes.fromhex("020000000001")
_WIRE_MAC = bytes.fromhex("020000000002")
_ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
_IP = frozenset(_ETHERTYPES.values())
_HEADERS = {version: _HOST_MAC + _WIRE_MAC + ethertype for version, ethertype in _ETHERTYPES.items()}
_MEANT_FOR_US = f"address {_HOST_MAC.hex(':')}", "arp off addrgenmode none"

_TUNSETIFF = 0x4004_54CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000

_SIOCETHTOOL = 0x8946
_OFFLOADS = (0x17, 0x1F, 0x24, 0x2C)
"""ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO and ETHTOOL_SGRO of ``ethtool.h``."""
_ETH_P_ALL = 3
_SOL_PACKET, _PACKET_IGNORE_OUTGOING = 263, 23


class TapPort:
    """An interface that is a file here."""

    def __init__(self, name: str) -> None:
        """Make the interface in the present network namespace; it is gone when the last process has closed this."""
        self._file = os.open(_TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        ioctl(self._file, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))

    def fileno(self) -> int:
        """Return the file."""
        return self._file

    def read(self) -> bytes | None:
        """Return the next IP packet, empty for a frame of something else; None where nothing waits."""
        try:
            return _packet(os.read(self._file, _MAX_FRAME))
        except BlockingIOError:
            return None

    def write(self, packet: bytes) -> None:
        """Send an IP packet; what the interface refuses is lost, as on any wire."""
        with suppress(OSError):
            os.write(self._file, _HEADERS[packet[0] >> 4] + packet)


class PacketPort:
    """The other end of a veth pair, in a network namespace that has no addresses."""

    def __init__(self, name: str) -> None:
        """Take hold of an interface in the present network namespace."""
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self._socket.bind((name, _ETH_P_ALL))

    def fileno(self) -> int:
        """Return the socket."""
        return self._socket.fileno()

    def read(self) -> bytes | None:
        """Return the next IP packet, empty for a frame of something else; None where nothing waits."""
        try:
            return _packet(self._socket.recv(_MAX_FRAME))
        except BlockingIOError:
            return None

    def write(self, packet: bytes) -> None:
        """Send an IP packet; what the interface refuses is lost, as on any wire."""
        with suppress(OSError):
            self._socket.send(_HEADERS[packet[0] >> 4] + packet)


def _packet(frame: bytes) -> bytes:
    return frame[14:] if frame[12:14] in _IP else b""


class Network(NamedTuple):
    """A network namespace, held by an open file: it is gone when nobody has it open and nobody is in it."""

    file: int

    @classmethod
    def new(cls) -> "Network":
        """Make one, and stay in it."""
        linux.unshare(linux.NEW_NET)
        return cls(_present())

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in it while the block runs."""
        before = _present()
        linux.enter(self.file)
        try:
            yield
        finally:
            linux.enter(before)
            os.close(before)


def _present() -> int:
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def plug(network: Network, name: str, wires: Network, *, tap: bool) -> Port:
    """Make an interface in a network, not yet up, and return our end of it; `wires` has the other ends of veth pairs.

    Raises OSError and LabError.
    """
    with network.entered():
        if tap:
            port = TapPort(name)
            ip(*(f"link set {name} {words}" for words in _MEANT_FOR_US))
            return port
        far = f"{name}-{network.file}"
        ip(
            f"link add {name} type veth peer name {far} netns /proc/self/fd/{wires.file}",
            *(f"link set {name} {words}" for words in _MEANT_FOR_US),
            keep=(wires.file,),
        )
        _without_offloads(name)
    with wires.entered():
        ip(f"link set {far} arp off addrgenmode none", f"link set {far} up")
        return PacketPort(far)


def _without_offloads(name: str) -> None:
    """Let the kernel hand out whole packets with finished checksums, as it would to a real wire."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in _OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP16x", name.encode(), ctypes.addressof(value))
            try:
                ioctl(any_socket, _SIOCETHTOOL, request)
            except OSError as error:
                raise LabError(f"the interface {name} keeps its checksum offload: {error.strerror}") from None


def tap_is_open() -> bool:
    """Return whether this user may make TAP devices."""
    try:
        os.close(os.open(_TUN_DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True
