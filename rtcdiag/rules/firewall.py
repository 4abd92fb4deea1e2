"""This computer's own firewall, where it forbids UDP as such: said once, not of every server of the default list."""

from collections.abc import Iterator

from rtcdiag.evidence import Evidence
from rtcdiag.findings import Finding, find
from rtcdiag.rules.answers import forbidden

_SHOWN = 20


def local_firewall(evidence: Evidence) -> Iterator[Finding]:
    """Name the firewall of this computer where nothing at all gets past it over UDP."""
    found = forbidden(evidence)
    if found:
        where = {item.destination for item in found}
        ids = [item.id for item in found[:_SHOWN]]
        yield find("local-firewall", *ids, address=f"{len(where)} addresses", transport="udp")
