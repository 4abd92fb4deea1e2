"""SSDP, the discovery of UPnP devices: a search for Internet Gateway Devices, and the answers to it.

UPnP Device Architecture 1.1, section 1.3.
"""

import re
from urllib.parse import urlsplit

import msgspec

from rtcdiag.address import IPAddress, TransportAddress

PORT = 1900
GROUP = "239.255.255.250"
IGD_VERSIONS = (1, 2)
_DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:"
_MOST_BYTES = 2048
_MOST_URL = 256


class Discovered(msgspec.Struct, frozen=True, kw_only=True):
    """One device's answer to a search."""

    igd_version: int
    """Of the search that it answers."""
    location: str
    """The URL of its description; may point anywhere."""


def search(igd_version: int, to: str) -> bytes:
    """Return a search for gateways of a version, to the multicast group or to one host (``to``)."""
    target = f"{_DEVICE}{igd_version}"
    lines = ("M-SEARCH * HTTP/1.1", f"HOST: {to}:{PORT}", 'MAN: "ssdp:discover"', "MX: 1", f"ST: {target}", "")
    return "".join(f"{line}\r\n" for line in lines).encode()


def decode(data: bytes) -> Discovered | None:
    """Return the answer to a search for gateways, None for anything else."""
    if not data.startswith(b"HTTP/1.1 200") or len(data) > _MOST_BYTES:
        return None
    lines = data.decode("latin-1").splitlines()[1:]
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().upper(): value.strip() for name, _, value in pairs}
    target = re.fullmatch(re.escape(_DEVICE) + "([12])", headers.get("ST", ""))
    location = headers.get("LOCATION", "")
    if target is None or not 0 < len(location) <= _MOST_URL or not location.isascii() or not location.isprintable():
        return None
    return Discovered(igd_version=int(target[1]), location=location)


def place_of(location: str, gateway: IPAddress) -> TransportAddress | None:
    """Return where the description is to be had, None where that is not plain HTTP on the gateway itself."""
    try:
        parts = urlsplit(location)
        port = 80 if parts.port is None else parts.port
        place = TransportAddress(parts.hostname or "", port)
    except ValueError:
        return None
    odd = parts.scheme != "http" or parts.username is not None or place.ip != gateway or not place.port
    return None if odd else place
