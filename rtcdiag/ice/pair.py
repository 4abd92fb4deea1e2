"""One candidate pair of a session, and what became of its checks. Extends ``ice.CandidatePair`` of aioice."""

from typing import cast

from aioice import Candidate, ice

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.evidence.session import CheckedPair, PairState, Policy
from rtcdiag.ice.session_socket import SessionSocket

QUICK_MS, WATCH_MS, CALM_MS, CONSENT_MS, FORBIDDEN_MS = 500.0, 1000.0, 2500.0, 4000.0, 15_000.0
FIRST_MS, FIRST_CHECKS = 250.0, 4
"""The first checks come in a closer row: one that a NAT swallowed before the other end opened it is soon made up."""
QUICK_FOR_MS = 60_000.0
DEAD_MS = 15_000.0
"""A pair that answered nothing for so long has failed."""


class SessionPair(ice.CandidatePair):
    """All times are milliseconds of the run's clock."""

    protocol: SessionSocket

    def __init__(self, sock: SessionSocket, remote: Candidate, now_ms: float) -> None:
        """Form a pair that has not been checked."""
        super().__init__(sock, remote)
        self.formed_ms = now_ms
        self.next_ms = now_ms
        """When the next check is due."""
        self.first_check_ms: float | None = None
        self.last_check_ms = float("-inf")
        self.checks = 0
        self.answered = 0
        self.heard = 0
        self.rtt_ms: float | None = None
        self.first_success_ms: float | None = None
        self.last_success_ms = float("-inf")
        self.mapped: TransportAddress | None = None
        self.remote_base_relayed = False
        self.forbidden = False
        """Whether the TURN server said that it does not relay to there."""
        self.nominating = False
        """Whether its checks carry USE-CANDIDATE, until one is answered."""
        self.selected_for: tuple[Policy, ...] = ()
        """The policies that have used it."""

    @property
    def relayed(self) -> bool:
        """Whether a relay is on the way."""
        return self.protocol.relayed or self.remote_candidate.type == "relay" or self.remote_base_relayed

    @property
    def policy(self) -> Policy:
        """The policy beside ``all`` that it belongs to."""
        return "relay" if self.relayed else "direct"

    def began(self, now_ms: float, lively_since_ms: float) -> None:
        """Take that a check goes out."""
        self.checks += 1
        self.last_check_ms = now_ms
        self.first_check_ms = now_ms if self.first_check_ms is None else self.first_check_ms
        self.next_ms = now_ms + self.gap_ms(now_ms, lively_since_ms)

    def succeeded(self, now_ms: float, rtt_ms: float, mapped: TransportAddress | None) -> None:
        """Take that a check was answered."""
        self.answered += 1
        self.last_success_ms = now_ms
        if self.first_success_ms is None:
            self.first_success_ms, self.rtt_ms = now_ms, round(rtt_ms, 3)
        self.mapped = mapped or self.mapped
        self.next_ms = now_ms + self.gap_ms(now_ms, now_ms)

    def is_alive(self, now_ms: float) -> bool:
        """Tell whether checks are answered."""
        return now_ms - self.last_success_ms <= DEAD_MS

    def gap_ms(self, now_ms: float, lively_since_ms: float) -> float:
        """Return how long after a check the next one is due.

        ``lively_since_ms`` is since when the other end may have been checking.
        """
        if self.nominating and self.rtt_ms is not None:
            return min(QUICK_MS, max(50.0, 2 * self.rtt_ms))
        if self.forbidden:
            return FORBIDDEN_MS
        if self.is_alive(now_ms):
            # What is used shows whether the other end is still there.
            return WATCH_MS if self.selected_for else CONSENT_MS
        if self.checks <= FIRST_CHECKS:
            return FIRST_MS
        return QUICK_MS if now_ms - lively_since_ms < QUICK_FOR_MS else CALM_MS

    def state_at(self, now_ms: float) -> PairState:
        """Return its state (RFC 8445 section 6.1.2.6)."""
        if self.first_success_ms is not None:
            return "succeeded" if self.is_alive(now_ms) else "failed"
        if not self.checks:
            return "waiting"
        return "in-progress" if now_ms - (self.first_check_ms or 0.0) < QUICK_MS else "failed"

    @property
    def local_type(self) -> CandidateType:
        """The type of the local candidate of the valid pair: as what the other end saw it, once it said so."""
        told = cast("CandidateType", self.protocol.local_candidate.type)
        if self.mapped is None or told == "relay" or self.mapped == self.protocol.base:
            return told
        return "srflx" if self.mapped in self.protocol.mapped.values() else "prflx"

    @property
    def remote(self) -> TransportAddress:
        """Where checks are sent to."""
        return TransportAddress(*self.remote_addr)

    def row(self, now_ms: float) -> CheckedPair:
        """Return what is told of it."""
        return CheckedPair(
            t_ms=self.formed_ms if self.first_check_ms is None else self.first_check_ms,
            local=self.protocol.base,
            local_type=self.local_type,
            remote=self.remote,
            remote_type=cast("CandidateType", self.remote_candidate.type),
            state=self.state_at(now_ms),
            checks=self.checks,
            requests=self.checks,
            answered=self.answered,
            rtt_ms=self.rtt_ms,
            first_success_ms=self.first_success_ms,
            heard=self.heard,
            nominated=self.selected_for,
            mapped=self.mapped,
            remote_base_relayed=self.remote_base_relayed,
        )
