"""What the user may set about how a run asks; every probe reads the same."""

from ipaddress import IPv4Address, IPv6Address

import msgspec

from rtcdiag.address import Family
from rtcdiag.proxies import Proxy


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds, local addresses and consents of one run."""

    families: tuple[Family, ...] = (Family.IPV4, Family.IPV6)
    bind: IPv4Address | IPv6Address | None = None
    """The local address of every socket; it leaves the other family out."""
    interface: str | None = None
    """The interface whose addresses are used."""
    port: int = 0
    """The local port of the first UDP socket of each probe; 0 lets the system choose."""
    server_name: str | None = None
    """The name that TLS asks for and verifies in place of the URI's host (``--sni``)."""
    ca_file: str | None = None
    """PEM certificates that are trusted beside the system's."""
    timeout_ms: float = 2000.0
    """How long one UDP transaction waits in all; TCP connects, TLS handshakes and name look-ups twice as long."""
    deadline_ms: float = 30000.0
    """When the whole run ends, whatever is still open."""
    samples: int = 5
    """Binding transactions per address for round-trip times."""
    control: bool = True
    """Whether the documented control hosts may be contacted."""
    gateway: bool = True
    """Whether the default gateway may be asked about itself."""
    proxy: Proxy | None = None
    """The HTTP proxy through which TURN over TCP and TLS is tried too."""
    relay_only: bool = False
    """Gather relay candidates only."""
    ice: bool = False
    """Let two real ICE agents connect through each TURN server that granted an allocation."""
    tcp_relay: bool = False
    """Try whether TURN servers that are asked over TCP or TLS relay TCP connections (RFC 6062)."""
    hairpin: bool = False
    """Try whether the NAT lets two sockets here reach each other by their mapped addresses."""
    lifetime_up_to_s: float | None = None
    """Try how long a mapping lives without traffic, up to this silence in seconds; None does not."""
    fragments: bool = False
    """Try whether datagrams that are cut into fragments get through."""
    quality_s: float | None = None
    """Send packets at the rate of a voice call through each relay for so many seconds; None does not."""
    throughput_kbps: int | None = None
    """Try how much each relay carries, up to this rate of payload in kbit/s; None does not."""
    soak_s: float | None = None
    """Keep each relay in use for so many seconds; None does not."""
