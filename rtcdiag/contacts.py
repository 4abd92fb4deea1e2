"""Whom a run contacts when the user names no server: the whole list, in one place that costs nothing to import.

Besides these, a run asks the system's resolver for their names, and the default gateway about itself. Nothing else is
contacted.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Use = Literal["nat-behavior", "binding", "second-port", "control", "nat64", "web-check", "clock"]


class Contact(NamedTuple):
    """One host that a run may contact."""

    target: str
    """A STUN URI, or ``HOST:PORT`` of a control host."""
    operator: str
    """Who runs it, as far as is publicly known."""
    use: Use
    """``nat-behavior``: offers OTHER-ADDRESS (RFC 5780); ``binding``: Binding only; ``second-port``: of one of those,
    asked where it has no second address; ``control``: TCP connect only;
    ``clock``: HTTPS, only where a clock is in doubt; ``nat64``: a name that is only looked up;
    ``web-check``: one plain HTTP request, only where no UDP is answered."""


class WebContact(NamedTuple):
    """A host that answers one plain HTTP request always alike, so that another answer is somebody else's."""

    target: str
    """``http://HOST/PATH``."""
    operator: str
    content: bytes = b""
    """What it answers with status 200, without white space around it; empty: 204, which has no content."""
    use: Use = "web-check"

    @property
    def host(self) -> str:
        """Return the name of the host."""
        return self.target.removeprefix("http://").partition("/")[0]

    @property
    def path(self) -> str:
        """Return what to ask the host for."""
        return "/" + self.target.removeprefix("http://").partition("/")[2]


# One host per operator: answers that agree then come from independent networks. Those of the first kind were published
# as advertising OTHER-ADDRESS and passing a behavior test; whether one still does is verified in every run.
STUN_SERVERS: tuple[Contact, ...] = (
    Contact("stun:stun.nextcloud.com:3478", "Nextcloud GmbH", "nat-behavior"),
    Contact("stun:stun.voipgate.com:3478", "voipGATE S.A.", "nat-behavior"),
    Contact("stun:stun.dus.net:3478", "dus.net GmbH", "nat-behavior"),
    Contact("stun:stun.m-online.net:3478", "M-net Telekommunikations GmbH", "nat-behavior"),
    Contact("stun:stun.sip.us:3478", "SIP.US", "nat-behavior"),
    Contact("stun:stun.pure-ip.com:3478", "Pure IP", "nat-behavior"),
    Contact("stun:stun.l.google.com:19302", "Google", "binding"),
    Contact("stun:stun.cloudflare.com:3478", "Cloudflare", "binding"),
)

# Hosts that answer on two ports, as far as is publicly known: a server without a second address tells by its second
# port whether a NAT's mapping depends on the destination's port. Asked beside the first, whoever named the server.
SECOND_PORTS: dict[str, tuple[int, int]] = {
    "stun.l.google.com": (19302, 3478),
    "stun1.l.google.com": (19302, 3478),
    "stun2.l.google.com": (19302, 3478),
    "stun3.l.google.com": (19302, 3478),
    "stun4.l.google.com": (19302, 3478),
    "stun.nextcloud.com": (3478, 443),
}


def second_port(host: str, port: int) -> int | None:
    """Return the other port of a host that is known to answer on two; None for any other host or port."""
    ports = SECOND_PORTS.get(host, ())
    return next((other for other in ports if other != port), None) if port in ports else None


def second_ports(targets: Iterable[str]) -> tuple[Contact, ...]:
    """Return what may be asked besides these ``stun:`` URIs."""
    found = []
    for target in targets:
        scheme, _, rest = target.partition(":")
        host, _, port = rest.partition("?")[0].partition(":")
        other = second_port(host.lower(), int(port or 3478)) if scheme == "stun" and (port or "0").isdigit() else None
        found += [Contact(f"stun:{host.lower()}:{other}", "", "second-port")] if other is not None else []
    return tuple(found)


# Connected to and closed again, without a byte sent: a network that reaches none of them has no internet, whatever
# STUN servers say. Two are addresses, so that a broken resolver is not mistaken for a broken network.
CONTROL_HOSTS: tuple[Contact, ...] = (
    Contact("1.1.1.1:443", "Cloudflare", "control"),
    Contact("[2606:4700:4700::1111]:443", "Cloudflare", "control"),
    Contact("dns.google:443", "Google", "control"),
)

# Asked over HTTPS for its time (Date), and only where a TURN server refuses time-limited credentials in a run that asks
# control hosts anyway.
CLOCK_HOSTS: tuple[Contact, ...] = (Contact("dns.google", "Google", "clock"),)

# A name whose IPv4 addresses everybody knows: the IPv6 addresses that name service gives beside them tell the prefix of
# a NAT64 (RFC 7050). Asked only where there is no way out over IPv4, or where an answer came through such a prefix.
NAT64_NAME = "ipv4only.arpa"
CONTROL_NAMES: tuple[Contact, ...] = (Contact(NAT64_NAME, "IANA", "nat64"),)

# Read-only questions, where the way to the servers passes a default gateway; no mapping is made.
GATEWAY: tuple[str, ...] = (
    "NAT-PMP and PCP, UDP port 5351",
    "SSDP, UDP port 1900, and multicast to 239.255.255.250",
    "UPnP over HTTP, at the URL on the gateway that it names",
)

# What browsers and phones ask for the same purpose: two have no content (204), the third is documented with its own.
# Three operators, so that one that changes its mind names no sign-in page.
WEB_CHECKS: tuple[WebContact, ...] = (
    WebContact("http://connectivitycheck.gstatic.com/generate_204", "Google"),
    WebContact("http://cp.cloudflare.com/generate_204", "Cloudflare"),
    WebContact("http://detectportal.firefox.com/success.txt", "Mozilla", b"success"),
)
