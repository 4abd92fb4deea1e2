"""The verdict: one status, one answer about direct peer-to-peer, one sentence, and what would change it."""

from rtcdiag.verdict.changes import opened_port
from rtcdiag.verdict.direct import ONLY_AMONG_RELAYS, relays
from rtcdiag.verdict.drawing import NAT_COMMANDS, verdict_of
from rtcdiag.verdict.known import IPV6_BLOCKED, UDP_BLOCKED, Known

__all__ = [
    "IPV6_BLOCKED",
    "NAT_COMMANDS",
    "ONLY_AMONG_RELAYS",
    "UDP_BLOCKED",
    "Known",
    "opened_port",
    "relays",
    "verdict_of",
]
