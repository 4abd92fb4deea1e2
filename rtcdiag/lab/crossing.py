"""What is between the hosts of a group and the internet, put together from its plan."""

from collections.abc import Sequence
from random import Random

from rtcdiag.lab.middlebox import Middlebox, Side
from rtcdiag.lab.networks import Networks
from rtcdiag.lab.plan import Group, HostPlan, Layer
from rtcdiag.lab.wire import Deliver, Port, Schedule, Switch, Wire


class Crossing:
    """All the boxes and switches of a group: `inputs` take what is read from each port."""

    def __init__(self, group: Group, internet: Port, seed: int | None) -> None:
        """Lay the wire of what is shared; each host is still to be plugged in."""
        self.schedule = Schedule()
        self.inputs: dict[Port, Deliver] = {}
        self._seed = seed
        self._shared = self._wire(group.shared, "shared")
        self._connect(self._shared, Side.OUTSIDE, internet)
        self._junction: Switch | None = None
        if group.shared:
            self._junction = Switch(Networks(group.networks).has)
            routers = [network[1].packed for network in group.networks]
            self._shared.connect(Side.INSIDE, self._junction.plug(self._shared.entrance(Side.INSIDE), routers))

    def plug_in(self, host: HostPlan, port: Port, gateway: Port | None = None) -> None:
        """Connect a host, and where there is one, the program that answers for its router."""
        wire = self._wire(host.layers, host.side)
        if self._junction is None:
            wire.connect(Side.OUTSIDE, self._shared.entrance(Side.INSIDE))
            self._shared.connect(Side.INSIDE, wire.entrance(Side.OUTSIDE))
        else:
            wire.connect(Side.OUTSIDE, self._junction.plug(wire.entrance(Side.OUTSIDE)))
        if gateway is None:
            self._connect(wire, Side.INSIDE, port)
            return
        lan = Switch(Networks((host.lan, host.lan6)).has)
        wire.connect(Side.INSIDE, lan.plug(wire.entrance(Side.INSIDE)))
        self.inputs[port] = lan.plug(_to(port))
        self.inputs[gateway] = lan.plug(_to(gateway), (host.lan[1].packed, host.lan6[1].packed))

    def _wire(self, layers: Sequence[Layer], name: str) -> Wire:
        # A seed of its own for each: what happens to one host must not change what happens to the other.
        choices = Random(None if self._seed is None else f"{self._seed} {name}")  # noqa: S311 - as a NAT's, not a secret
        return Wire([Middlebox(layer.spec, layer.addresses, choices) for layer in layers], self.schedule)

    def _connect(self, wire: Wire, end: Side, port: Port) -> None:
        wire.connect(end, _to(port))
        self.inputs[port] = wire.entrance(end)


def _to(port: Port) -> Deliver:
    return lambda packet, _now_s: port.write(packet)
