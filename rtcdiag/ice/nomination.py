"""Which pair each policy uses, read off one check list. Nothing here sends.

Both ends take the best of the pairs that were nominated, so that they agree without a word: one without a relay before
one with, then by the pair's priority (RFC 8445 section 6.1.2.3).
"""

from collections.abc import Callable, Collection, Iterable

from aioice import ice

from rtcdiag.evidence.session import Policy, PolicyOutcome, Selection
from rtcdiag.ice.pair import SessionPair

POLICIES: tuple[Policy, ...] = ("all", "direct", "relay")


class Nominations:
    """The selected pair of each policy over time."""

    def __init__(self, on_selected: Callable[[Selection], None]) -> None:
        """Take who is told whenever a policy uses another pair."""
        self.history: list[Selection] = []
        self._selected: dict[Policy, SessionPair] = {}
        self._on_selected = on_selected

    def selected(self, policy: Policy) -> SessionPair | None:
        """Return the pair that a policy uses."""
        return self._selected.get(policy)

    def forget(self, gone: list[SessionPair]) -> None:
        """Select none of these any more."""
        self._selected = {policy: pair for policy, pair in self._selected.items() if pair not in gone}

    def update(self, pairs: Iterable[SessionPair], now_ms: float, *, controlling: bool) -> None:
        """Look at all pairs again."""
        nominated = [pair for pair in pairs if pair.nominated and pair.is_alive(now_ms)]
        for policy in POLICIES:
            chosen = best([pair for pair in nominated if policy in ("all", pair.policy)], controlling=controlling)
            if chosen is not None and chosen is not self._selected.get(policy):
                self._selected[policy] = chosen
                if policy not in chosen.selected_for:
                    chosen.selected_for += (policy,)
                self._note(policy, chosen, now_ms)

    def _note(self, policy: Policy, pair: SessionPair, now_ms: float) -> None:
        row = pair.row(now_ms)
        selection = Selection(
            t_ms=now_ms,
            policy=policy,
            local=row.local,
            local_type=row.local_type,
            remote=row.remote,
            remote_type=row.remote_type,
        )
        self.history.append(selection)
        self._on_selected(selection)

    def outcomes(
        self, pairs: list[SessionPair], *, tried: bool, whole: bool, lost: Collection[Policy]
    ) -> tuple[PolicyOutcome, ...]:
        """Return what each policy achieved.

        ``tried`` tells whether all pairs were given a fair try, ``whole`` whether no more pairs were to come, ``lost``
        which policies had pairs from an address that this computer has no more.
        """
        return tuple(self._outcome(policy, pairs, tried=tried, whole=whole, lost=policy in lost) for policy in POLICIES)

    def _outcome(
        self, policy: Policy, pairs: list[SessionPair], *, tried: bool, whole: bool, lost: bool
    ) -> PolicyOutcome:
        of = [pair for pair in pairs if policy in ("all", pair.policy)]
        first_ms = min((pair.first_success_ms for pair in of if pair.first_success_ms is not None), default=None)
        nominated_ms = next((item.t_ms for item in self.history if item.policy == policy), None)
        if nominated_ms is not None:
            return PolicyOutcome(
                policy=policy, outcome="connected", first_success_ms=first_ms, nominated_ms=nominated_ms
            )
        if not of and lost:
            # That nothing answers an address that is gone proves nothing.
            return PolicyOutcome(policy=policy, outcome="ended-early")
        if not of and (tried or whole):
            return PolicyOutcome(policy=policy, outcome="no-pairs")
        answered = first_ms is not None or not tried
        return PolicyOutcome(
            policy=policy, outcome="ended-early" if answered else "no-pair-answered", first_success_ms=first_ms
        )


def best(pairs: list[SessionPair], *, controlling: bool) -> SessionPair | None:
    """Return the best of some pairs, None of none."""
    return max(pairs, key=lambda pair: (not pair.relayed, _priority(pair, controlling=controlling)), default=None)


def _priority(pair: SessionPair, *, controlling: bool) -> int:
    return ice.candidate_pair_priority(pair.local_candidate, pair.remote_candidate, controlling)


def to_nominate(pairs: Iterable[SessionPair], now_ms: float, *, controlling: bool) -> list[SessionPair]:
    """Return the pairs that the controlling end ought to nominate now: the best of each policy, where it is not yet."""
    alive = [pair for pair in pairs if pair.first_success_ms is not None and pair.is_alive(now_ms)]
    chosen = (best([pair for pair in alive if pair.policy == policy], controlling=controlling) for policy in POLICIES)
    return [pair for pair in chosen if pair is not None and not pair.nominated and not pair.nominating]
