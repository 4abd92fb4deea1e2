"""What a verdict is drawn from."""

import msgspec

from rtcdiag.audit.outcome import AuditRow
from rtcdiag.findings import Finding
from rtcdiag.nat import Nat
from rtcdiag.report import Nats, ServerRow
from rtcdiag.traversal import Reach, reach_rows

UDP_BLOCKED = ("udp-blocked", "udp-blocked-relay-works")
"""The codes that prove that no UDP gets through."""
IPV6_BLOCKED = ("no-answer-over-ipv6", "udp-blocked-over-ipv6")
"""The codes that prove it of IPv6, while IPv4 works."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was concluded so far: all that a verdict is drawn from."""

    nats: Nats = Nats()
    servers: tuple[ServerRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Most important first."""
    candidates: int = 0
    audit: tuple[AuditRow, ...] = ()
    linted: bool = False
    """Whether a configuration file was judged."""

    @property
    def udp_blocked(self) -> bool:
        """Whether it was proven that no UDP gets through."""
        return any(finding.code in UDP_BLOCKED for finding in self.findings)

    @property
    def ipv6_blocked(self) -> bool:
        """Whether it was proven that no UDP gets through over IPv6."""
        return self.udp_blocked or any(finding.code in IPV6_BLOCKED for finding in self.findings)

    @property
    def reach(self) -> tuple[Reach, ...]:
        """Whom this host reaches directly, over all families."""
        return reach_rows(self.nats.ipv4, self.nats.ipv6, udp_blocked=self.udp_blocked)

    @property
    def families(self) -> tuple[Nat, ...]:
        """The NATs of the families that were asked."""
        return tuple(nat for nat in (self.nats.ipv4, self.nats.ipv6) if nat is not None)
