"""Which of the other end's candidates are taken: who sends a description must not make this computer scan others."""

from ipaddress import IPv6Address, ip_address

from aioice import Candidate
from aioice.mdns import is_mdns_hostname

from rtcdiag.address import IPAddress, Scope, scope_of

MAX_CANDIDATES = 32
_LONGEST = 1000
_NEVER = (Scope.UNSPECIFIED, Scope.LOOPBACK, Scope.LINK_LOCAL, Scope.MULTICAST, Scope.RESERVED)
_METADATA = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
"""Where clouds tell their machines secrets."""


def read_candidate(sdp: str) -> Candidate | None:
    """Return a candidate from its SDP value (RFC 8839 section 5.1), with or without ``a=`` and ``candidate:``.

    None where it is none, not over UDP, not of the first component, or at an address that is never contacted.
    """
    if len(sdp) > _LONGEST:
        return None
    text = sdp.strip().removeprefix("a=").removeprefix("candidate:")
    try:
        candidate = Candidate.from_sdp(text)
    except ValueError:
        return None
    usual = candidate.component == 1 and candidate.transport.lower() == "udp" and 0 < candidate.port <= 65535
    known = candidate.type in ("host", "srflx", "relay") and 0 <= candidate.priority < 2**32
    return candidate if usual and known and _may_be_sent_to(candidate.host) else None


def _may_be_sent_to(host: str) -> bool:
    if is_mdns_hostname(host):
        return True
    try:
        return is_contacted(ip_address(host))
    except ValueError:
        return False


def is_contacted(ip: IPAddress) -> bool:
    """Tell whether checks may be sent to an address at all."""
    mapped = isinstance(ip, IPv6Address) and (ip.ipv4_mapped is not None or ip.scope_id is not None)
    return not mapped and ip not in _METADATA and scope_of(ip) not in _NEVER
