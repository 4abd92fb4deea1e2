"""What is between the hosts of a group and the internet, put together from its plan."""

from collections.abc import Sequence
from random import Random

from rtcdiag.lab.middlebox import Middlebox, Side
from rtcdiag.lab.networks import Networks
from rtcdiag.lab.packet_log import LoggedBox, PacketLog
from rtcdiag.lab.plan import Group, HostPlan, Layer
from rtcdiag.lab.wire import Box, Deliver, Port, Schedule, Switch, Wire


class Crossing:
    """All the boxes and switches of a group: `inputs` take what is read from each port."""

    def __init__(self, group: Group, internet: Port, seed: int | None, log: PacketLog | None = None) -> None:
        """Lay the wire of what is shared, not yet plugged in; ``log`` is told of every packet."""
        self.schedule = Schedule()
        self.inputs: dict[Port, Deliver] = {}
        self._seed, self._log = seed, log
        self._shared = self._wire(group.shared, "shared")
        self._connect(self._shared, Side.OUTSIDE, self._to(internet, "internet"), internet)
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
            self._connect(wire, Side.INSIDE, self._to(port, host.side), port)
            return
        lan = Switch(Networks((host.lan, host.lan6)).has)
        wire.connect(Side.INSIDE, lan.plug(wire.entrance(Side.INSIDE)))
        self.inputs[port] = lan.plug(self._to(port, host.side))
        self.inputs[gateway] = lan.plug(self._to(gateway, "gateway"), (host.lan[1].packed, host.lan6[1].packed))

    def _wire(self, layers: Sequence[Layer], name: str) -> Wire:
        # A seed of its own for each: what happens to one host must not change what happens to the other.
        choices = Random(None if self._seed is None else f"{self._seed} {name}")  # noqa: S311 - as a NAT's, not a secret
        boxes: list[Box] = [
            self._logged(Middlebox(layer.spec, layer.addresses, choices), f"{name}{place}")
            for place, layer in enumerate(layers, 1)
        ]
        return Wire(boxes, self.schedule)

    def _logged(self, box: Middlebox, name: str) -> Box:
        return box if self._log is None else LoggedBox(box, name, self._log)

    def _connect(self, wire: Wire, end: Side, deliver: Deliver, port: Port) -> None:
        wire.connect(end, deliver)
        self.inputs[port] = wire.entrance(end)

    def _to(self, port: Port, where: str) -> Deliver:
        log = self._log
        if log is None:
            return lambda packet, _now_s: port.write(packet)

        def deliver(packet: bytes, _now_s: float) -> None:
            port.write(packet)
            log.delivered(where, packet)

        return deliver
