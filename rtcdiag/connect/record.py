"""What one end notes of a session while it goes on, and the evidence that it makes of it."""

from dataclasses import dataclass, field

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Candidate, Observation, PeerSession
from rtcdiag.evidence.session import SessionRole, SessionStop, SessionTimes, SignalingKind
from rtcdiag.ice.agent import Gathered
from rtcdiag.ice.session import SessionAgent

MOST_SELECTIONS = 50


@dataclass
class Record:
    """Times are milliseconds of the run's clock."""

    role: SessionRole
    signaling: SignalingKind
    trickle: bool
    session: str = ""
    stop: SessionStop | None = None
    detail: str = ""
    gathered: list[tuple[float, Gathered]] = field(default_factory=list)
    gave: dict[TransportAddress, str] = field(default_factory=dict)
    """The URI of the server that gave a candidate, by the candidate's address."""
    remote: list[str] = field(default_factory=list)
    gathered_ms: float | None = None
    told_ms: float | None = None
    heard_ms: float | None = None
    remote_complete_ms: float | None = None
    ended_ms: float | None = None
    """When everything was closed; nothing is answered afterwards."""
    more: list[Observation] = field(default_factory=list)
    """What else was seen."""

    def end(self, stop: SessionStop, detail: str = "") -> None:
        """Note what ended the session; the first one stands."""
        if self.stop is None:
            self.stop, self.detail = stop, detail

    def observations(self, agent: SessionAgent, *, released: bool) -> tuple[Observation, ...]:
        """Return the evidence."""
        at_ms = self.ended_ms if self.ended_ms is not None else agent.now_ms()
        candidates = tuple(_candidate(found, t_ms, self.gave.get(found.address)) for t_ms, found in self.gathered)
        return (
            self._session(agent, at_ms, released=released),
            *agent.pairs(at_ms),
            *agent.learned(),
            *candidates,
            *self.more,
        )

    @property
    def _waits(self) -> bool:
        """Whether the other end may not have begun: a person who is handed an answer may take any time over it."""
        return (self.signaling, self.role, self.stop) == ("copied-text", "answerer", "interrupted")

    def _session(self, agent: SessionAgent, at_ms: float, *, released: bool) -> PeerSession:
        selections = agent.selections()
        return PeerSession(
            t_ms=0.0,
            duration_ms=at_ms,
            session=self.session,
            role=self.role,
            signaling=self.signaling,
            trickle=self.trickle,
            stop=self.stop or "interrupted",
            detail=self.detail,
            times=SessionTimes(
                first_candidate_ms=self.gathered[0][0] if self.gathered else None,
                gathered_ms=self.gathered_ms,
                told_ms=self.told_ms,
                heard_ms=self.heard_ms,
                remote_complete_ms=self.remote_complete_ms,
                first_check_ms=agent.first_check_ms,
                first_success_ms=agent.first_success_ms,
                nominated_ms=next((item.t_ms for item in selections if item.policy == "all"), None),
            ),
            policies=agent.policies(at_ms, waiting=self._waits),
            selected=selections[:MOST_SELECTIONS],
            remote_candidates=tuple(self.remote),
            refused_candidates=agent.refused,
            address_changed=agent.address_changed,
            released=released,
        )


def _candidate(found: Gathered, t_ms: float, server: str | None) -> Candidate:
    return Candidate(
        t_ms=t_ms,
        type=found.type,
        address=found.address,
        related=found.related,
        component=found.component,
        priority=found.priority,
        foundation=found.foundation,
        server=server,
        sdp=found.sdp,
    )
