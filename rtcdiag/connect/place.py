"""Where a candidate of a session stands on this computer, and whether a browser would show it."""

from typing import NamedTuple

from rtcdiag.address import family_of
from rtcdiag.evidence.candidate import Exposure
from rtcdiag.ice.agent import Gathered
from rtcdiag.net import Net
from rtcdiag.net.routes import INTERNET, source_towards
from rtcdiag.probes.exposure import exposure


class Place(NamedTuple):
    """What is told of a candidate beside what SDP says."""

    interface: str | None
    browser_without_permission: Exposure
    browser_with_permission: Exposure


def place_of(net: Net, found: Gathered) -> Place:
    """Look at a candidate when it is found: later, the network may be another."""
    interface = net.interface_of(found.base) if found.base is not None else None
    chosen = source_towards(INTERNET[family_of(found.base)]) if found.base is not None else None
    return Place(interface, *exposure(found.type, found.base, interface, on_default_route=found.base == chosen))
