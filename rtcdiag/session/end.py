"""One end of a session: its observations in one place, and what each policy achieved."""

from ipaddress import ip_address
from typing import Literal

import msgspec

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress
from rtcdiag.evidence import Candidate, CheckedPair, Evidence, Gathering, LearnedCandidate, PeerSession, PeerStream
from rtcdiag.evidence.candidate import CandidateType
from rtcdiag.evidence.session import Policy
from rtcdiag.session.told import Told, told_candidates

Whose = Literal["own", "remote"]
Answer = Literal["yes", "no", "untested", "unfinished"]
"""Whether a policy connected. ``untested``: no candidate pair is of it. ``unfinished``: there was no time to tell."""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """What one end saw of a session."""

    session: PeerSession
    pairs: tuple[CheckedPair, ...]
    learned: tuple[LearnedCandidate, ...]
    streams: tuple[PeerStream, ...]
    candidates: tuple[Candidate, ...]
    gatherings: tuple[Gathering, ...]
    told: tuple[Told, ...]
    """What the other end told."""
    own: frozenset[IPAddress]
    """This computer's addresses."""

    @property
    def reached(self) -> tuple[CheckedPair, ...]:
        """The pairs on which a check was answered."""
        return tuple(pair for pair in self.pairs if pair.state == "succeeded" and pair.answered)

    def of(self, policy: Policy) -> tuple[CheckedPair, ...]:
        """Return the pairs of a policy."""
        return tuple(pair for pair in self.pairs if policy == "all" or (policy == "relay") == self.relayed(pair))

    def relayed(self, pair: CheckedPair) -> bool:
        """Tell whether a relay is on the way, also where checks come from another port of a relay's address."""
        relays = {told.address.ip for told in self.told if told.type == "relay" and told.address is not None}
        return pair.relayed or (pair.remote_type == "prflx" and pair.remote.ip in relays)

    @property
    def witnessed(self) -> bool:
        """Whether something shows that the other end was there: of copied text, nothing but its packets does."""
        return self.session.signaling != "copied-text" or bool(self.heard or self.reached)

    def answer(self, policy: Policy) -> Answer:
        """Return whether a policy connected: a yes needs a check that was answered, a no that somebody was there."""
        if any(pair in self.reached for pair in self.of(policy)):
            return "yes"
        outcome = next((one.outcome for one in self.session.policies if one.policy == policy), "ended-early")
        match outcome:
            case "no-pair-answered" if self.witnessed:
                return "no"
            case "no-pairs":
                return "untested"
            case _:
                return "unfinished"

    @property
    def with_browser(self) -> bool:
        """Whether the other end is a page that this program served."""
        return self.session.signaling == "browser"

    @property
    def same_computer(self) -> bool:
        """Whether the other end answered at an address of this computer: both run on it."""
        return any(pair.remote.ip in self.own or pair.remote.scope is Scope.LOOPBACK for pair in self.reached)

    @property
    def heard(self) -> int:
        """How many checks of the other end came in."""
        return sum(pair.heard for pair in self.pairs)

    @property
    def sent(self) -> int:
        """How many datagrams of checks went out."""
        return sum(pair.requests for pair in self.pairs)

    @property
    def inside(self) -> tuple[Whose, ...]:
        """The ends of which nobody was told a public IPv4 address, although direct pairs were tried over IPv4.

        Beyond a NAT, such an end cannot be reached whatever the NAT does: that nothing answers proves nothing of it.
        """
        tried = [pair for pair in self.of("direct") if pair.local.family is Family.IPV4]
        if not tried or not (self.candidates or self.gatherings):
            return ()
        own = any(_is_public(item.type, item.address) for item in self.candidates if item.type != "relay")
        remote = any(_is_public(pair.remote_type, pair.remote) for pair in tried)
        told: tuple[tuple[Whose, bool], ...] = (("own", own), ("remote", remote))
        return tuple(whose for whose, is_told in told if not is_told)

    def families(self) -> tuple[Family, ...]:
        """Return the families that have pairs."""
        return tuple(dict.fromkeys(pair.local.family for pair in self.pairs))

    def server_reflexive(self, base: TransportAddress) -> frozenset[TransportAddress]:
        """Return what servers saw of a base."""
        found = (item for item in self.candidates if item.type == "srflx" and item.related == base)
        return frozenset(item.address for item in found)


def end_of(evidence: Evidence) -> End | None:
    """Return what this end saw; None where no session was held."""
    sessions = evidence.of(PeerSession)
    if not sessions:
        return None
    pairs = evidence.of(CheckedPair)
    return End(
        session=sessions[0],
        pairs=pairs,
        learned=evidence.of(LearnedCandidate),
        streams=evidence.of(PeerStream),
        candidates=evidence.of(Candidate),
        gatherings=evidence.of(Gathering),
        told=told_candidates(sessions[0].remote_candidates),
        own=_own(evidence, pairs),
    )


def _is_public(kind: CandidateType, address: TransportAddress) -> bool:
    return address.family is Family.IPV4 and (kind == "srflx" or address.scope is Scope.GLOBAL)


def _own(evidence: Evidence, pairs: tuple[CheckedPair, ...]) -> frozenset[IPAddress]:
    texts = [text for item in evidence.environment.interfaces for text in item.addresses]
    found = {ip for text in texts if (ip := _ip(text)) is not None}
    return frozenset(found | {pair.local.ip for pair in pairs if pair.local_type != "relay"})


def _ip(text: str) -> IPAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def latest(gatherings: tuple[Gathering, ...]) -> Gathering | None:
    """Return the gathering that ended last; None where none tells when it did."""
    ended = [item for item in gatherings if item.duration_ms is not None]
    return max(ended, key=lambda item: item.t_ms + (item.duration_ms or 0.0), default=None)
