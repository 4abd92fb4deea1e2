"""Every fact that a probe can see: frozen, JSON in and out, no field that could hold a credential.

A new kind of evidence is a class in a file of its subject and a line in ``KINDS``.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.audit import (
    AuditAllocation,
    AuditNonce,
    AuditPermission,
    AuditScope,
    AuditSize,
    AuditTls,
    ConfigLine,
    SecretShape,
    TurnConfig,
)
from rtcdiag.evidence.base import Failure, Observation
from rtcdiag.evidence.binding import Binding, Change, Purpose, Role
from rtcdiag.evidence.browser import BrowserPair, BrowserSelection, BrowserView, DataChannel, ServerError
from rtcdiag.evidence.candidate import Candidate, Gathering
from rtcdiag.evidence.connection import Certificate, Connect, Resolution, TlsHandshake
from rtcdiag.evidence.crash import Crash
from rtcdiag.evidence.environment import Environment, Interface
from rtcdiag.evidence.gateway import GatewayQuery, Hop
from rtcdiag.evidence.hairpin import Hairpin, HairpinEnd
from rtcdiag.evidence.ice import IceMeeting
from rtcdiag.evidence.lifetime import IdleMapping, Inward
from rtcdiag.evidence.quality import Jitter, PacketStream, RateStep, RelayQuality, RelayThroughput, Spread
from rtcdiag.evidence.service import ClockReading, IceService, ServiceOutcome
from rtcdiag.evidence.session import CheckedPair, LearnedCandidate, PeerSession, PeerStream
from rtcdiag.evidence.size import SizedBinding, SizeTest
from rtcdiag.evidence.soak import DataStop, RelaySoak, Upkeep
from rtcdiag.evidence.target import CredentialShape, Skipped, Target
from rtcdiag.evidence.tcp_relay import PeerConnection, RelayedStream
from rtcdiag.evidence.tls_trial import TlsTrial, Trial
from rtcdiag.evidence.tunnel import ProxyTunnel
from rtcdiag.evidence.turn import (
    Allocation,
    AllocationTrial,
    Challenge,
    Permission,
    Redirect,
    Refresh,
    RelayedData,
    TurnStep,
)
from rtcdiag.evidence.vantage import KnockArrival, VantageBinding, VantageKnock, VantageOpening, VantagePoint
from rtcdiag.evidence.web import WebCheck
from rtcdiag.evidence.wire import Answer, Check, Exchange, Sent, Stray

__all__ = [
    "KINDS",
    "Allocation",
    "AllocationTrial",
    "Answer",
    "AnyObservation",
    "AuditAllocation",
    "AuditNonce",
    "AuditPermission",
    "AuditScope",
    "AuditSize",
    "AuditTls",
    "Binding",
    "BrowserPair",
    "BrowserSelection",
    "BrowserView",
    "Candidate",
    "Certificate",
    "Challenge",
    "Change",
    "Check",
    "CheckedPair",
    "ClockReading",
    "ConfigLine",
    "Connect",
    "Crash",
    "CredentialShape",
    "DataChannel",
    "DataStop",
    "Environment",
    "Evidence",
    "Exchange",
    "Failure",
    "GatewayQuery",
    "Gathering",
    "Hairpin",
    "HairpinEnd",
    "Hop",
    "IceMeeting",
    "IceService",
    "IdleMapping",
    "Interface",
    "Inward",
    "Jitter",
    "KnockArrival",
    "LearnedCandidate",
    "Observation",
    "PacketStream",
    "PeerConnection",
    "PeerSession",
    "PeerStream",
    "Permission",
    "ProxyTunnel",
    "Purpose",
    "RateStep",
    "Redirect",
    "Refresh",
    "RelayQuality",
    "RelaySoak",
    "RelayThroughput",
    "RelayedData",
    "RelayedStream",
    "Resolution",
    "Role",
    "SecretShape",
    "Sent",
    "ServerError",
    "ServiceOutcome",
    "SizeTest",
    "SizedBinding",
    "Skipped",
    "Spread",
    "Stray",
    "Target",
    "TlsHandshake",
    "TlsTrial",
    "Trial",
    "TurnConfig",
    "TurnStep",
    "Upkeep",
    "VantageBinding",
    "VantageKnock",
    "VantageOpening",
    "VantagePoint",
    "WebCheck",
    "decode_value",
    "encode_value",
]

KINDS: tuple[type[Observation], ...] = (
    IceService,
    Target,
    Resolution,
    Connect,
    ProxyTunnel,
    TlsHandshake,
    TlsTrial,
    WebCheck,
    ClockReading,
    Binding,
    Challenge,
    Allocation,
    AllocationTrial,
    PeerConnection,
    RelayedStream,
    Redirect,
    Permission,
    RelayedData,
    Refresh,
    IceMeeting,
    PeerSession,
    CheckedPair,
    LearnedCandidate,
    PeerStream,
    BrowserView,
    DataChannel,
    RelayQuality,
    RelayThroughput,
    RelaySoak,
    VantagePoint,
    VantageOpening,
    VantageKnock,
    VantageBinding,
    Candidate,
    Gathering,
    GatewayQuery,
    Hop,
    Hairpin,
    IdleMapping,
    SizedBinding,
    AuditScope,
    AuditPermission,
    AuditAllocation,
    AuditSize,
    AuditNonce,
    AuditTls,
    TurnConfig,
    Skipped,
    Crash,
)

AnyObservation = (
    IceService
    | Target
    | Resolution
    | Connect
    | ProxyTunnel
    | TlsHandshake
    | TlsTrial
    | WebCheck
    | ClockReading
    | Binding
    | Challenge
    | Allocation
    | AllocationTrial
    | PeerConnection
    | RelayedStream
    | Redirect
    | Permission
    | RelayedData
    | Refresh
    | IceMeeting
    | PeerSession
    | CheckedPair
    | LearnedCandidate
    | PeerStream
    | BrowserView
    | DataChannel
    | RelayQuality
    | RelayThroughput
    | RelaySoak
    | VantagePoint
    | VantageOpening
    | VantageKnock
    | VantageBinding
    | Candidate
    | Gathering
    | GatewayQuery
    | Hop
    | Hairpin
    | IdleMapping
    | SizedBinding
    | AuditScope
    | AuditPermission
    | AuditAllocation
    | AuditSize
    | AuditNonce
    | AuditTls
    | TurnConfig
    | Skipped
    | Crash
)

_Kind = TypeVar("_Kind", bound=Observation)
_Conclusion = TypeVar("_Conclusion")


class Evidence(msgspec.Struct, frozen=True, dict=True):
    """All that one run saw; everything that a report concludes is a function of it."""

    started_at_s: float = 0.0
    """When the run began, in UNIX seconds: a rule's only notion of now."""
    environment: Environment = Environment()
    observations: tuple[Observation, ...] = ()

    def of(self, kind: type[_Kind], where: Callable[[_Kind], bool] = lambda _: True) -> tuple[_Kind, ...]:
        """Return the observations of one kind for which ``where`` holds, in the order of the plan."""
        # Every rule asks, some for each path: the kinds are told apart once.
        found = self.once(kind, lambda: tuple(item for item in self.observations if isinstance(item, kind)))
        return tuple(filter(where, found))

    def once(self, key: Hashable, conclude: Callable[[], _Conclusion]) -> _Conclusion:
        """Return what is concluded from this evidence alone under a key: the first time concluded, then remembered."""
        known: dict[Hashable, Any] = self.__dict__.setdefault("known", {})
        if key not in known:
            known[key] = conclude()
        conclusion: _Conclusion = known[key]
        return conclusion


def encode_value(value: object) -> str:
    """Tell msgspec how to write the one type that it does not know; raise NotImplementedError for any other."""
    if isinstance(value, TransportAddress):
        return str(value)
    raise NotImplementedError(f"no JSON form for {type(value).__name__}")


_read_address = lru_cache(maxsize=1024)(TransportAddress.parse)
"""A report has few addresses and says each many times."""


def decode_value(kind: type[Any], value: object) -> TransportAddress:
    """Tell msgspec how to read the one type that it does not know; raise ValueError where the text is none."""
    if kind is TransportAddress and isinstance(value, str):
        return _read_address(value)
    raise ValueError(f"{value!r} is no transport address")
