"""Networks of one person, as reports tell them."""

from dataclasses import dataclass
from typing import Any

from rtcdiag.address import TransportAddress
from rtcdiag.compare import Asked
from rtcdiag.evidence import Environment, Interface
from rtcdiag.nat import BEHAVIORS, Behavior, Nat
from rtcdiag.report import Nats, Report, Verdict

EIM, ADM, APDM = BEHAVIORS
APDF = APDM
ASKED = Asked(id="c", started_at="2026-11-23T12:00:00.000Z")
VERDICT = Verdict(status="healthy", direct_p2p="likely", confidence="high", summary="Fine.")


@dataclass
class Home:
    """A place to make a report from."""

    mapping: Behavior = EIM
    filtering: Behavior = APDF
    public: str = "203.0.113.7"
    local: str = "192.168.1.4"
    ipv6: Nat | None = None
    has_ipv6: bool = False
    tracks: bool | None = False
    """Whether an unasked packet costs the NAT its port; None where that was not tested."""

    def report(self, **more: Any) -> Report:
        nat = Nat(
            interface="eth0",
            address=self.local,
            behind_nat=self.public != self.local,
            mapping=self.mapping,
            filtering=self.filtering,
            mapped=(TransportAddress(self.public, 5000),),
            pooling="paired",
            tracks_unsolicited=self.tracks,
        )
        interface = Interface(name="eth0", role="ethernet", addresses=(self.local,))
        environment = Environment(
            os="Linux 6.1", interfaces=(interface,), ipv4=True, ipv6=self.has_ipv6 or self.ipv6 is not None
        )
        settings = {"environment": environment, "verdict": VERDICT, "nat": Nats(ipv4=nat, ipv6=self.ipv6)} | more
        fields = {"id": f"r-{self.public}-{self.local}", "command": "report", "started_at": "2026-11-23T11:00:00.000Z"}
        return Report(duration_ms=1.0, **fields | settings)  # type: ignore[arg-type] # of a report
