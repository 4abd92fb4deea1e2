"""The agent of a session of two: candidates both ways, one check list, data, and what came of it all.

Of what aioice does not document, this uses: ``_early_checks``, ``_early_checks_done``, ``_valid_username``,
``_add_remote_candidate``, ``_pair_remote_candidate``, and ``ice.validate_username`` and ``ice.validate_password``.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from typing import Any

import aioice
from aioice import ice

from rtcdiag.evidence.session import CheckedPair, LearnedCandidate, Policy, PolicyOutcome, Selection
from rtcdiag.ice import mdns
from rtcdiag.ice.agent import release, to_the_end
from rtcdiag.ice.bases import Bases
from rtcdiag.ice.checklist import CheckList
from rtcdiag.ice.learned import network_address
from rtcdiag.ice.pair import DEAD_MS, SessionPair
from rtcdiag.ice.remote import MAX_CANDIDATES, is_contacted, read_candidate
from rtcdiag.ice.session_socket import Address, SessionSocket
from rtcdiag.ice.settings import OnCandidate, Settings

FAIR_MS, FAIR_BESIDE_MS, LATE_MS = 6500.0, 4500.0, 2500.0
"""How long pairs are tried before it is said that they do not answer: where none does; where another does, so that the
other end is there; and at least, where a pair was formed late."""
LONGEST_MS = 8500.0
_LOOK_S = 0.02
_UNDER_WAY_S = 1.0
"""How long an answer may be under way that was sent before a farewell, which other ways may carry faster."""
OnData = Callable[[SessionPair, bytes, float], None]
"""Takes the pair, the data, and when it arrived."""


class SessionAgent(CheckList):
    """Use it in this order: `start` and `gather`, `set_remote` and `add_remote` as news come, `settled`, `finish`."""

    def __init__(
        self,
        settings: Settings,
        *,
        controlling: bool,
        now_ms: Callable[[], float],
        on_selected: Callable[[Selection], None] = lambda _selection: None,
    ) -> None:
        """Prepare; nothing is opened yet."""
        super().__init__(controlling=controlling, now_ms=now_ms, on_selected=on_selected)
        self.on_data: OnData = lambda _pair, _data, _at_ms: None
        self.refused = 0
        """Candidates of the other end that were not taken."""
        self._taken = 0
        """And how many were, names that lead nowhere and repetitions among them."""
        self.heard_ms: float | None = None
        """When the other end's description came."""
        self._bases = Bases(settings, self, self, self._pair_base, self.forget)
        self._gathered = self._complete = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._names = mdns.Names(self)
        self._asks_names = not settings.relay_only

    @property
    def ufrag(self) -> str:
        """The own user name fragment."""
        return self.local_username

    @property
    def pwd(self) -> str:
        """The own password."""
        return self.local_password

    @property
    def changes(self) -> int:
        """How often an own address, or as what a server sees it, changed since it was told."""
        return self._bases.changes

    async def gather(self, on_candidate: OnCandidate) -> None:
        """Gather, telling each candidate as soon as it is there; return when no more comes."""
        await self._bases.gather(on_candidate)
        self._gathered = True

    def start(self) -> None:
        """Begin to keep mappings alive, and to check once there is something to check."""
        for work in (self.drive(), self._bases.keep_alive()):
            self._task(work)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the other end ---

    def set_remote(self, ufrag: str, pwd: str, *, lite: bool = False) -> None:
        """Take how the other end signs; raise ValueError for what nobody can sign with.

        A ``lite`` agent checks nothing, so this end controls, whoever offered (RFC 8445 section 6.1.1).
        """
        ice.validate_username(ufrag)
        ice.validate_password(pwd)
        self.remote_is_lite = lite
        self.ice_controlling = self.ice_controlling or lite
        self.remote_username, self.remote_password = ufrag, pwd
        self.heard_ms = self.lively_ms = self.now_ms()
        early = list(self._early_checks)
        self._early_checks.clear()
        self._early_checks_done = True
        for check in early:
            # Its user name could only be half checked before.
            if self._valid_username(check[0].attributes["USERNAME"]):
                self.check_incoming(*check)

    def add_remote(self, sdp: str) -> bool:
        """Take one more candidate of the other end; False where it is refused."""
        candidate = read_candidate(sdp)
        if candidate is None or self._taken >= MAX_CANDIDATES:
            self.refused += 1
            return False
        self._taken += 1
        if self._names.is_name(candidate):
            # No relay is paired with such a name, so who uses relays only need not ask the local link for it.
            if self._asks_names:
                self._task(self._resolve(candidate))
        else:
            self._add_remote_candidate(candidate, candidate.host)
        return True

    async def _resolve(self, candidate: aioice.Candidate) -> None:
        found = await self._names.resolve(candidate.host)
        if found is not None and is_contacted(ip_address(found)):
            self._add_remote_candidate(candidate, found)

    def remote_complete(self) -> None:
        """Take that the other end has no more candidates; checks go on all the same."""
        self._complete = True

    def _pair_remote_candidate(self, remote_candidate: aioice.Candidate) -> None:
        """Pair a remote candidate with every base of its family (aioice)."""
        host = network_address(remote_candidate)[0]
        for sock in self._bases.sockets:
            # Relaying to a name of the local link would tell its address to the TURN server.
            hidden = sock.relayed and host != remote_candidate.host
            if sock.base.ip.version == ip_address(host).version and not hidden:
                self.pair_of(sock, remote_candidate)

    def _pair_base(self, _sock: SessionSocket) -> None:
        for remote in list(self._remote_candidates):
            self._pair_remote_candidate(remote)

    # --- data ---

    def datagram(self, sock: SessionSocket, data: bytes, source: Address) -> None:
        """Hand over data that came on a pair that has answered a check."""
        arrived_ms = self.now_ms() - sock.waited_ms()
        pair = self.answered(sock, source)
        if pair is not None:
            self.on_data(pair, data, arrived_ms)

    def stamp_arrivals(self) -> None:
        """Let the system note when datagrams arrive, where it can: what is measured next is less than a millisecond."""
        for sock in self._bases.sockets:
            if sock.stamped is not None:
                sock.stamped.stamp()

    def send_over(self, policy: Policy, data: bytes) -> bool:
        """Send data over a policy's pair, which has answered a check; False where it has none."""
        pair = self.selected(policy)
        if pair is not None:
            pair.protocol.post(data, pair.remote_addr)
        return pair is not None

    # --- what came of it ---

    def tried(self, at_ms: float, *, waiting: bool = False) -> bool:
        """Tell whether every pair that exists had been given a fair try, if the other end was there.

        ``waiting`` tells that it may not have been, until it was heard first.
        """
        since_ms = self.first_sign_ms if waiting else self.heard_ms
        if since_ms is None:
            return False
        over_ms = at_ms - since_ms
        beside_ms = at_ms - self.first_success_ms if self.first_success_ms is not None else 0.0
        fair = over_ms >= FAIR_MS or beside_ms >= FAIR_BESIDE_MS
        return fair and (at_ms - self.formed_ms >= LATE_MS or over_ms >= LONGEST_MS)

    async def settled(self, *, waiting: bool = False, first: bool = False) -> None:
        """Return when the outcome is known: every policy that has pairs has a nominated one, or each had its try.

        ``waiting`` tells that the other end may not have begun, so that silence means nothing until it is heard;
        ``first`` that the first selected pair will do.
        """
        while not (first and self.selected("all") is not None) and not self._is_settled(waiting=waiting):  # noqa: ASYNC110 - time itself is what settles it
            await asyncio.sleep(_LOOK_S)

    async def answers_under_way(self) -> None:
        """Wait for the answers to nominations: an end that has left may have used the pair already."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UNDER_WAY_S):
                while self.is_nominating:  # noqa: ASYNC110 - it is looked for every few milliseconds anyway
                    await asyncio.sleep(_LOOK_S)

    @property
    def _is_whole(self) -> bool:
        """Whether neither end has more candidates to come."""
        return self._gathered and self._complete and not self._names.pending

    def _is_settled(self, *, waiting: bool) -> bool:
        have = {pair.policy for pair in self.every_pair}
        if self._is_whole and have and all(self.selected(policy) is not None for policy in have):
            return True
        now_ms = self.now_ms()
        if waiting and self.first_success_ms is None:
            # Checks came in and none was answered: who sent them gave up, or is gone.
            return self.last_sign_ms is not None and now_ms - self.last_sign_ms > DEAD_MS
        return self.tried(now_ms, waiting=waiting)

    def pairs(self, at_ms: float) -> tuple[CheckedPair, ...]:
        """Return every pair and how it stood then."""
        return tuple(pair.row(at_ms) for pair in (*self.former, *self.every_pair))

    def learned(self) -> tuple[LearnedCandidate, ...]:
        """Return the peer-reflexive candidates, but those that the other end told later."""
        return self.learning.rows(self._remote_candidates)

    def selections(self) -> tuple[Selection, ...]:
        """Return from when on each policy used which pair."""
        return tuple(self.nominations.history)

    def policies(self, *, tried: bool) -> tuple[PolicyOutcome, ...]:
        """Return what each policy has achieved; ``tried`` tells whether both ends gave all pairs a fair try."""
        lost = {policy for pair in self.former for policy in ("all", pair.policy)}
        return self.nominations.outcomes(self.every_pair, tried=tried, whole=self._is_whole, lost=lost)

    # --- the end ---

    async def finish(self) -> bool:
        """Stop, close every socket and release every allocation; whether the servers confirmed it in time."""
        return await to_the_end(self._finish())

    async def _finish(self) -> bool:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        return await release(self) and not self._bases.abandoned

    async def close(self) -> None:
        """Release all allocations side by side, then the rest (aioice)."""
        await asyncio.gather(*(sock.close() for sock in self._bases.adopted))
        await super().close()
