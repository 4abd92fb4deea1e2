"""What one end notes of a session while it goes on, and the evidence that it makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from rtcdiag.address import TransportAddress
from rtcdiag.connect.place import Place
from rtcdiag.evidence import Candidate, Observation, PeerSession
from rtcdiag.evidence.session import SessionRole, SessionStop, SessionTimes, SignalingKind
from rtcdiag.ice.agent import Gathered
from rtcdiag.ice.session import SessionAgent
from rtcdiag.targets import Transport

MOST_SELECTIONS = 50
SIGNS_MS = 1500.0
"""So often, or nearly, an end that is there shows it: its checks come in, or its answers."""
_RELAY_PROTOCOLS: dict[Transport, Literal["udp", "tcp", "tls"]] = {
    Transport.UDP: "udp",
    Transport.TCP: "tcp",
    Transport.TLS: "tls",
}


class Giver(NamedTuple):
    """The server that gave a candidate."""

    uri: str | None
    transport: Transport | None
    """How this computer talks to it, where it relays."""


@dataclass
class Record:
    """Times are milliseconds of the run's clock."""

    place: Callable[[Gathered], Place]
    role: SessionRole
    signaling: SignalingKind
    trickle: bool
    session: str = ""
    stop: SessionStop | None = None
    detail: str = ""
    gathered: list[tuple[float, Gathered, Place]] = field(default_factory=list)
    gave: dict[TransportAddress, Giver] = field(default_factory=dict)
    """The server that gave a candidate, by the candidate's address."""
    remote: list[str] = field(default_factory=list)
    gathered_ms: float | None = None
    told_ms: float | None = None
    heard_ms: float | None = None
    remote_complete_ms: float | None = None
    waits: bool = False
    """Whether the other end may not have begun: a person who is handed an answer may take any time over it."""
    application: bool = False
    """Whether the other end is an application that copied text led to, and no rtcdiag."""
    stops_early: bool = False
    """Whether the other end may check nothing more once a pair is nominated, as RFC 8445 section 8.1.2 says."""
    watched: bool = False
    """Whether the other end, while it is there, shows so again and again."""
    ended_ms: float | None = None
    """When everything was closed; nothing is answered afterwards."""
    more: list[Observation] = field(default_factory=list)
    """What else was seen."""

    def take(self, t_ms: float, found: Gathered) -> None:
        """Note a candidate."""
        self.gathered.append((t_ms, found, self.place(found)))

    def end(self, stop: SessionStop, detail: str = "") -> None:
        """Note what ended the session; the first one stands."""
        if self.stop is None:
            self.stop, self.detail = stop, detail

    def observations(self, agent: SessionAgent, *, released: bool) -> tuple[Observation, ...]:
        """Return the evidence."""
        at_ms = self.ended_ms if self.ended_ms is not None else agent.now_ms()
        candidates = tuple(self._candidate(*item) for item in self.gathered)
        return (
            self._session(agent, at_ms, released=released),
            *agent.pairs(at_ms),
            *agent.learned(),
            *candidates,
            *self.more,
        )

    def tried(self, agent: SessionAgent, at_ms: float) -> bool:
        """Tell whether the other end was there while all pairs were given a fair try, as far as it would show.

        Of copied text, nothing shows it where no packet comes: then it is left to who judges.
        """
        if self.stops_early:
            at_ms = min([at_ms, *(item.t_ms for item in agent.selections()[:1])])
        signs = agent.last_sign_ms
        if self.watched and (signs is not None or self.signaling != "copied-text"):
            return signs is not None and agent.tried(min(at_ms, signs + SIGNS_MS), waiting=self.waits)
        return self.stop != "peer-left" and agent.tried(at_ms, waiting=self.waits)

    def _session(self, agent: SessionAgent, at_ms: float, *, released: bool) -> PeerSession:
        selections = agent.selections()
        return PeerSession(
            t_ms=0.0,
            duration_ms=at_ms,
            session=self.session,
            role=self.role,
            signaling=self.signaling,
            trickle=self.trickle,
            application=self.application,
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
                last_sign_ms=agent.last_sign_ms,
            ),
            policies=agent.policies(tried=self.tried(agent, at_ms)),
            selected=selections[:MOST_SELECTIONS],
            remote_candidates=tuple(self.remote),
            refused_candidates=agent.refused,
            address_changed=agent.changes > 0,
            released=released,
        )

    def _candidate(self, t_ms: float, found: Gathered, place: Place) -> Candidate:
        giver = self.gave.get(found.address, Giver(None, None))
        return Candidate(
            t_ms=t_ms,
            type=found.type,
            address=found.address,
            related=found.related,
            component=found.component,
            priority=found.priority,
            foundation=found.foundation,
            relay_protocol=_RELAY_PROTOCOLS[giver.transport] if giver.transport is not None else None,
            server=giver.uri,
            sdp=found.sdp,
            **place._asdict(),
        )
