"""The check list of a session: every pair is checked, at its pace, until the session ends.

aioice's ``Connection`` ends with the first pair that succeeds, gives pairs up after 63 s, sends nothing before
``connect()`` and tells no times. So ``connect`` is never called here: aioice authenticates checks, answers them and
repairs role conflicts (``request_received``, ``respond_error``, ``switch_role``), makes requests (``build_request``)
and speaks TURN, and the check list is driven by us. Of what aioice does not document, this uses besides:
``_check_list``, ``_find_pair``, ``_remote_candidates``, ``Candidate._network_host``.
"""

import asyncio
from collections.abc import Callable
from secrets import token_hex
from typing import cast

import aioice
from aioice import ice, stun
from aioice.candidate import candidate_priority

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.session import Policy, Selection
from rtcdiag.ice.learned import Learned, network_address
from rtcdiag.ice.nomination import Nominations, to_nominate
from rtcdiag.ice.pair import SessionPair
from rtcdiag.ice.session_socket import Address, SessionSocket

PACE_S = 0.01
"""Between two new checks of all pairs together (RFC 8445 section 14.2 wants 5 ms or more), and how often to look."""
MOST_PAIRS = 100
"""RFC 8445 section 6.1.2.5."""
TRIGGER_MS = 50.0
"""A check that came in makes one go out at once, but not more often."""
MOST_ERRORS = 20
"""Error responses a second to those who cannot sign a request."""
RELAY_PREFERENCE = 0x7274
"""The local preference in a check's PRIORITY that tells another rtcdiag: the base of this check is a relay."""
_STIR_AGAIN_MS = 5000.0


class CheckList(aioice.Connection):
    """Every pair of one agent. All times are milliseconds of the run's clock."""

    def __init__(
        self, *, controlling: bool, now_ms: Callable[[], float], on_selected: Callable[[Selection], None]
    ) -> None:
        """Begin without pairs."""
        super().__init__(ice_controlling=controlling)
        self.now_ms = now_ms
        self.first_check_ms: float | None = None
        self.first_success_ms: float | None = None
        self.role_conflicts = 0
        self.lively_ms = float("-inf")
        """Since when, or when last, the other end was known to be checking."""
        self.first_sign_ms: float | None = None
        self.last_sign_ms: float | None = None
        """When the other end first and last showed that it is there: by a check, an answer, or sealed words."""
        self.formed_ms = float("-inf")
        """When the latest pair was formed."""
        self.former: list[SessionPair] = []
        """Pairs whose base is gone."""
        self.learning = Learned()
        self.nominations = Nominations(on_selected)
        self._errors: list[float] = []

    @property
    def every_pair(self) -> list[SessionPair]:
        """All pairs, the best first."""
        return cast("list[SessionPair]", self._check_list)

    def pair_of(self, sock: SessionSocket, remote: aioice.Candidate) -> SessionPair | None:
        """Return the pair of a base and a remote candidate, formed if need be; None where there are too many."""
        known = cast("SessionPair | None", self._find_pair(sock, remote))
        if known is not None or len(self._check_list) >= MOST_PAIRS:
            return known
        pair = SessionPair(sock, remote, self.now_ms())
        self.formed_ms = self.now_ms()
        self._check_list.append(pair)
        self.sort_check_list()
        return pair

    def forget(self, sock: SessionSocket) -> None:
        """Check no more from a base whose address is gone."""
        gone = [pair for pair in self.every_pair if pair.protocol is sock]
        self.former = [*self.former, *gone][-MOST_PAIRS:]
        self._check_list[:] = [pair for pair in self.every_pair if pair.protocol is not sock]
        self.nominations.forget(gone)

    def witness(self) -> None:
        """Take that the other end shows that it is there."""
        self.last_sign_ms = self.now_ms()
        if self.first_sign_ms is None:
            self.first_sign_ms = self.last_sign_ms

    # --- checks that go out ---

    async def drive(self) -> None:
        """Check whatever is due, without end."""
        while True:
            now_ms = self.now_ms()
            self._nominate(now_ms)
            due = next((pair for pair in self.every_pair if pair.next_ms <= now_ms), None)
            if due is not None and self.remote_password is not None:
                self._check(due)
            await asyncio.sleep(PACE_S)

    def _check(self, pair: SessionPair) -> None:
        now_ms, nominating, controlling = self.now_ms(), pair.nominating, self.ice_controlling
        request = self.build_request(pair, nominate=nominating)
        if pair.protocol.relayed:
            request.attributes["PRIORITY"] = candidate_priority(1, "prflx", RELAY_PREFERENCE)
        self.first_check_ms = now_ms if self.first_check_ms is None else self.first_check_ms
        pair.began(now_ms, self.lively_ms)

        def on_answer(message: stun.Message, source: Address, rtt_ms: float) -> None:
            if message.error_code == 487:
                self._yield(pair, was_controlling=controlling)
            # What comes from elsewhere proves no way there (RFC 8445 section 7.2.5.2.1).
            elif message.message_class == stun.Class.RESPONSE and source == pair.remote_addr:
                self._succeeded(pair, message, rtt_ms, nominating=nominating)

        assert self.remote_password is not None
        pair.protocol.ask(request, pair.remote_addr, on_answer, key=self.remote_password.encode())

    def _yield(self, pair: SessionPair, *, was_controlling: bool) -> None:
        """Take the other role, as the other end has told (RFC 8445 section 7.2.5.1)."""
        if self.ice_controlling == was_controlling and not self.remote_is_lite:
            self.switch_role(ice_controlling=not was_controlling)
        pair.next_ms = self.now_ms()

    def _succeeded(self, pair: SessionPair, message: stun.Message, rtt_ms: float, *, nominating: bool) -> None:
        now_ms = self.now_ms()
        self.witness()
        mapped = message.attributes.get("XOR-MAPPED-ADDRESS")
        pair.succeeded(now_ms, rtt_ms, TransportAddress(*mapped) if mapped is not None else None)
        if self.first_success_ms is None:
            self.first_success_ms = now_ms
        if pair.mapped is not None:
            self.learning.own(pair.protocol, pair.mapped, now_ms)
        if nominating or (pair.remote_nominated and not self.ice_controlling):
            pair.nominated, pair.nominating = True, False
        self._stir(now_ms)
        self._nominate(now_ms)

    def _stir(self, now_ms: float) -> None:
        """Check quickly again: the other end is there."""
        if now_ms - self.lively_ms > _STIR_AGAIN_MS:
            for pair in self.every_pair:
                pair.next_ms = min(pair.next_ms, now_ms)
        self.lively_ms = max(self.lively_ms, now_ms)

    def _nominate(self, now_ms: float) -> None:
        if self.ice_controlling:
            for pair in to_nominate(self.every_pair, now_ms, controlling=True):
                pair.nominating = True
                self._check(pair)
        self.nominations.update(self.every_pair, now_ms, controlling=self.ice_controlling)

    # --- checks that come in ---

    def request_received(self, message: stun.Message, addr: Address, protocol: ice.StunProtocol) -> None:
        """Answer a check, unless too many addresses have been learned (aioice)."""
        known = any(pair.protocol is protocol and pair.remote_addr == addr for pair in self.every_pair)
        if known or (self.learning.has_room and len(self._check_list) < MOST_PAIRS):
            super().request_received(message, addr, protocol)

    def respond_error(
        self, request: stun.Message, addr: Address, protocol: ice.StunProtocol, error_code: tuple[int, str]
    ) -> None:
        """Refuse a check, but not any number of them (aioice)."""
        now_ms = self.now_ms()
        self._errors = [at for at in self._errors if at > now_ms - 1000]
        if len(self._errors) < MOST_ERRORS:
            self._errors.append(now_ms)
            super().respond_error(request, addr, protocol, error_code)

    def switch_role(self, ice_controlling: bool) -> None:
        """Take the other role, and nominate nothing that is under way (aioice)."""
        super().switch_role(ice_controlling)
        self.role_conflicts += 1
        for pair in self.every_pair:
            pair.nominating = False

    def check_incoming(self, message: stun.Message, addr: Address, protocol: ice.StunProtocol) -> None:
        """Take a check that was signed and has been answered (aioice)."""
        sock, now_ms = cast("SessionSocket", protocol), self.now_ms()
        priority = int(message.attributes.get("PRIORITY", 0))
        pair = self.pair_of(sock, self._known(addr) or self._learn(addr, sock, priority))
        if pair is None:
            return
        pair.heard += 1
        self.witness()
        pair.remote_base_relayed |= (priority >> 8) & 0xFFFF == RELAY_PREFERENCE
        self._stir(now_ms)
        if "USE-CANDIDATE" in message.attributes and not self.ice_controlling:
            pair.remote_nominated = True
            pair.nominated = pair.nominated or pair.first_success_ms is not None
        if not pair.is_alive(now_ms):
            pair.next_ms = max(now_ms, pair.last_check_ms + TRIGGER_MS)
            if pair.next_ms <= now_ms:
                self._check(pair)
        self._nominate(now_ms)

    def _known(self, addr: Address) -> aioice.Candidate | None:
        return next((known for known in self._remote_candidates if network_address(known) == addr), None)

    def _learn(self, addr: Address, sock: SessionSocket, priority: int) -> aioice.Candidate:
        """Learn a peer-reflexive candidate (RFC 8445 section 7.3.1.3)."""
        self.learning.remote(sock, addr, self._remote_candidates, self.now_ms())
        candidate = aioice.Candidate(token_hex(5), 1, "udp", priority, addr[0], addr[1], "prflx")
        self._remote_candidates.append(candidate)
        return candidate

    # --- data ---

    def answered(self, sock: SessionSocket, source: Address) -> SessionPair | None:
        """Return the pair on which data came, if it has answered a check."""
        mine = (pair for pair in self.every_pair if pair.protocol is sock and pair.remote_addr == source)
        return next((pair for pair in mine if pair.first_success_ms is not None), None)

    def data_received(self, data: bytes, component: int) -> None:
        """Drop what looked like STUN and is not (aioice)."""

    def forbidden(self, sock: SessionSocket, peer: Address) -> None:
        """Ask a TURN server more seldom for what it refuses."""
        for pair in self.every_pair:
            if pair.protocol is sock and pair.remote_addr == peer:
                pair.forbidden = True
                pair.next_ms = self.now_ms() + pair.gap_ms(self.now_ms(), self.lively_ms)

    @property
    def is_nominating(self) -> bool:
        """Whether an answer may be under way that nominates a pair, as it may be at the other end already."""
        return any(pair.nominating or (pair.remote_nominated and not pair.nominated) for pair in self.every_pair)

    def selected(self, policy: Policy) -> SessionPair | None:
        """Return the pair that a policy uses."""
        return self.nominations.selected(policy)
