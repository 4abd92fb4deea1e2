"""The agent of a session of two: one check list for every pair, which goes on until the session ends.

aioice's ``Connection`` ends with the first pair that succeeds, gives pairs up after 63 s, sends nothing before
``connect()`` and tells no times. So this agent never calls ``connect``: it lets aioice authenticate checks, answer
them and repair role conflicts (``request_received``, ``respond_error``, ``switch_role``), make requests
(``build_request``) and speak TURN, and drives the check list by itself. Of what aioice does not document it uses
besides: ``_check_list``, ``_early_checks``, ``_early_checks_done``, ``_protocols``, ``_remote_candidates``,
``_find_pair``, ``_add_remote_candidate``, ``_valid_username``.
"""

import asyncio
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from secrets import token_hex
from typing import Any, cast

import aioice
from aioice import ice, stun
from aioice.candidate import candidate_priority

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.session import CheckedPair, LearnedCandidate, Policy, PolicyOutcome, Selection
from rtcdiag.ice import mdns
from rtcdiag.ice.agent import release, to_the_end
from rtcdiag.ice.bases import Bases, OnCandidate, Settings
from rtcdiag.ice.nomination import Nominations, to_nominate
from rtcdiag.ice.pair import SessionPair
from rtcdiag.ice.remote import MAX_CANDIDATES, is_contacted, read_candidate
from rtcdiag.ice.session_socket import Address, SessionSocket

PACE_S = 0.01
"""Between two new checks of all pairs together (RFC 8445 section 14.2 wants 5 ms or more)."""
LOOK_S = 0.01
MOST_PAIRS = 100
"""RFC 8445 section 6.1.2.5."""
MOST_LEARNED = 32
"""More addresses of the other end than so many are not learned from checks: one peer could have a thousand."""
TRIGGER_MS = 50.0
"""A check that came in makes one go out at once, but not more often."""
MOST_ERRORS = 20
"""Error responses a second to those who cannot sign a request."""
RELAY_PREFERENCE = 0x7274
"""The local preference in a check's PRIORITY that tells another rtcdiag: the base of this check is a relay."""
FAIR_MS, FAIR_BESIDE_MS, LATE_MS = 7000.0, 4500.0, 2500.0
"""How long pairs are tried before it is said that they do not answer: where none does; where another does, so that the
other end is there; and at least, where a pair was formed late."""
LONGEST_MS = 9000.0
OnData = Callable[[SessionPair, bytes, float], None]
"""Takes the pair, the data, and when it arrived."""


class SessionAgent(aioice.Connection):
    """Use it in this order: `gather` and `start`, `set_remote` and `add_remote` as news come, `settled`, `close`."""

    def __init__(
        self,
        settings: Settings,
        *,
        controlling: bool,
        now_ms: Callable[[], float],
        on_selected: Callable[[Selection], None] = lambda _selection: None,
    ) -> None:
        """Prepare; nothing is opened yet."""
        super().__init__(ice_controlling=controlling, local_username=token_hex(4), local_password=token_hex(16))
        self._settings = settings
        self.now_ms = now_ms
        self.on_data: OnData = lambda _pair, _data, _at_ms: None
        self.bases = Bases(settings, self, self)
        self.refused = 0
        """Candidates of the other end that were not taken."""
        self.heard_ms: float | None = None
        """When the other end's description came."""
        self.first_check_ms: float | None = None
        self.first_success_ms: float | None = None
        self.role_conflicts = 0
        self._lively_ms = float("-inf")
        self._formed_ms = float("-inf")
        self._complete = False
        self._learned: dict[tuple[str, TransportAddress], LearnedCandidate] = {}
        self._nominations = Nominations(on_selected)
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[float] = []
        self._mdns = mdns.Names(self)

    @property
    def ufrag(self) -> str:
        """The own user name fragment."""
        return self.local_username

    @property
    def pwd(self) -> str:
        """The own password."""
        return self.local_password

    @property
    def controlling(self) -> bool:
        """Whether this end nominates; a role conflict may change it."""
        return self.ice_controlling

    @property
    def address_changed(self) -> bool:
        """Whether an own address, or as what a server sees it, changed since it was told."""
        return self.bases.changed

    async def gather(self, on_candidate: OnCandidate) -> None:
        """Gather, telling each candidate as soon as it is there; return when no more comes."""
        await self.bases.gather(on_candidate)
        for remote in list(self._remote_candidates):
            self._pair_remote_candidate(remote)

    def start(self) -> None:
        """Begin to keep mappings alive, and to check once there is something to check."""
        for work in (self._drive(), self.bases.keep_alive()):
            self._task(work)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the other end ---

    def set_remote(self, ufrag: str, pwd: str) -> None:
        """Take how the other end signs; raise ValueError for what nobody can sign with."""
        ice.validate_username(ufrag)
        ice.validate_password(pwd)
        self.remote_username, self.remote_password = ufrag, pwd
        self.heard_ms = self._lively_ms = self.now_ms()
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
        told = [known for known in self._remote_candidates if known.type != "prflx"]
        if candidate is None or len(told) + self._mdns.asked >= MAX_CANDIDATES:
            self.refused += 1
            return False
        if self._mdns.is_name(candidate):
            self._task(self._resolve(candidate))
        else:
            self._add_remote_candidate(candidate, candidate.host)
        return True

    async def _resolve(self, candidate: aioice.Candidate) -> None:
        found = await self._mdns.resolve(candidate.host)
        if found is not None and is_contacted(ip_address(found)):
            self._add_remote_candidate(candidate, found)

    def remote_complete(self) -> None:
        """Take that the other end has no more candidates; checks go on all the same."""
        self._complete = True

    def _pair_remote_candidate(self, remote_candidate: aioice.Candidate) -> None:
        """Pair a remote candidate with every base of its family (aioice)."""
        for sock in self.bases.sockets:
            name = remote_candidate.host != remote_candidate._network_host  # noqa: SLF001 - behind a name of mDNS
            if sock.local_candidate.can_pair_with(remote_candidate) and not (name and sock.relayed):
                self._pair(sock, remote_candidate)

    def _pair(self, sock: SessionSocket, remote: aioice.Candidate) -> SessionPair | None:
        known = cast("SessionPair | None", self._find_pair(sock, remote))
        if known is not None or len(self._check_list) >= MOST_PAIRS:
            return known
        pair = SessionPair(sock, remote, self.now_ms())
        self._formed_ms = self.now_ms()
        self._check_list.append(pair)
        self.sort_check_list()
        return pair

    @property
    def _pairs(self) -> list[SessionPair]:
        return cast("list[SessionPair]", self._check_list)

    # --- checks that go out ---

    async def _drive(self) -> None:
        while True:
            now_ms = self.now_ms()
            self._nominate(now_ms)
            due = next((pair for pair in self._pairs if pair.next_ms <= now_ms), None)
            if due is not None and self.remote_password is not None:
                self._check(due)
                await asyncio.sleep(PACE_S)
            else:
                await asyncio.sleep(LOOK_S)

    def _check(self, pair: SessionPair) -> None:
        assert self.remote_password is not None
        now_ms = self.now_ms()
        request = self.build_request(pair, nominate=pair.nominating)
        if pair.protocol.relayed:
            request.attributes["PRIORITY"] = candidate_priority(1, "prflx", RELAY_PREFERENCE)
        pair.checks += 1
        pair.last_check_ms = now_ms
        pair.first_check_ms = now_ms if pair.first_check_ms is None else pair.first_check_ms
        self.first_check_ms = now_ms if self.first_check_ms is None else self.first_check_ms
        pair.next_ms = now_ms + pair.gap_ms(now_ms, self._lively_ms)
        nominating, controlling = pair.nominating, self.ice_controlling

        def on_answer(message: stun.Message, source: Address, rtt_ms: float) -> None:
            if message.error_code == 487:
                self._yield(pair, was_controlling=controlling)
            # What comes from elsewhere proves no way there (RFC 8445 section 7.2.5.2.1).
            elif message.message_class == stun.Class.RESPONSE and source == pair.remote_addr:
                self._succeeded(pair, message, rtt_ms, nominating=nominating)

        pair.protocol.ask(request, pair.remote_addr, on_answer, key=self.remote_password.encode())

    def _yield(self, pair: SessionPair, *, was_controlling: bool) -> None:
        """Take the other role, as the other end has told (RFC 8445 section 7.2.5.1)."""
        if self.ice_controlling == was_controlling:
            self.role_conflicts += 1
            self.switch_role(ice_controlling=not was_controlling)
        pair.nominating, pair.next_ms = False, self.now_ms()

    def _succeeded(self, pair: SessionPair, message: stun.Message, rtt_ms: float, *, nominating: bool) -> None:
        now_ms = self.now_ms()
        pair.answered += 1
        pair.last_success_ms = now_ms
        if pair.first_success_ms is None:
            pair.first_success_ms, pair.rtt_ms = now_ms, round(rtt_ms, 3)
            self.first_success_ms = now_ms if self.first_success_ms is None else self.first_success_ms
            self._stir(now_ms)
        mapped = message.attributes.get("XOR-MAPPED-ADDRESS")
        if mapped is not None:
            pair.mapped = TransportAddress(*mapped)
            self._learn_own(pair, pair.mapped)
        if nominating or (pair.remote_nominated and not self.ice_controlling):
            pair.nominated, pair.nominating = True, False
        self._nominate(now_ms)

    def _stir(self, now_ms: float) -> None:
        """Check quickly again: the other end is there."""
        if now_ms - self._lively_ms > FAIR_BESIDE_MS:
            for pair in self._pairs:
                pair.next_ms = min(pair.next_ms, now_ms)
        self._lively_ms = max(self._lively_ms, now_ms)

    def _nominate(self, now_ms: float) -> None:
        pairs = self._pairs
        if self.ice_controlling:
            for pair in to_nominate(pairs, now_ms, controlling=True):
                pair.nominating = True
                self._check(pair)
        self._nominations.update(pairs, now_ms, controlling=self.ice_controlling)

    def _learn_own(self, pair: SessionPair, mapped: TransportAddress) -> None:
        sock = pair.protocol
        if not sock.relayed and mapped not in sock.seen_as and len(self._learned) < 2 * MOST_LEARNED:
            told = next(iter(sock.mapped.values()), None)
            self._learned.setdefault(
                ("own", mapped),
                LearnedCandidate(t_ms=self.now_ms(), whose="own", address=mapped, told=told, local=sock.base),
            )

    # --- checks that come in ---

    def request_received(self, message: stun.Message, addr: Address, protocol: ice.StunProtocol) -> None:
        """Answer a check, unless too many addresses have been learned (aioice)."""
        known = any(pair.protocol is protocol and pair.remote_addr == addr for pair in self._pairs)
        learned = sum(candidate.type == "prflx" for candidate in self._remote_candidates)
        if known or (learned < MOST_LEARNED and len(self._check_list) < MOST_PAIRS):
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
        """Take a role; what was nominated as the other one is not (aioice)."""
        super().switch_role(ice_controlling)
        for pair in self._pairs:
            pair.nominating = False

    def check_incoming(self, message: stun.Message, addr: Address, protocol: ice.StunProtocol) -> None:
        """Take a check that was signed and answered (aioice)."""
        sock, now_ms = cast("SessionSocket", protocol), self.now_ms()
        priority = int(message.attributes.get("PRIORITY", 0))
        pair = self._pair(sock, self._known(addr) or self._learn(addr, sock, priority))
        if pair is None:
            return
        pair.heard += 1
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
        here = (known for known in self._remote_candidates if (known._network_host, known.port) == addr)  # noqa: SLF001 - behind a name
        return next(here, None)

    def _learn(self, addr: Address, sock: SessionSocket, priority: int) -> aioice.Candidate:
        """Learn a peer-reflexive candidate (RFC 8445 section 7.3.1.3)."""
        candidate = aioice.Candidate(token_hex(5), 1, "udp", priority, addr[0], addr[1], "prflx")
        told = [known for known in self._remote_candidates if known.type != "prflx"]
        near = next((known for known in told if known._network_host == addr[0]), None)  # noqa: SLF001 - behind a name
        self._remote_candidates.append(candidate)
        address = TransportAddress(*addr)
        self._learned["remote", address] = LearnedCandidate(
            t_ms=self.now_ms(),
            whose="remote",
            address=address,
            told=TransportAddress(addr[0], near.port) if near is not None else None,
            local=sock.base,
        )
        return candidate

    # --- data ---

    def datagram(self, sock: SessionSocket, data: bytes, source: Address) -> None:
        """Hand over data that came on a pair that has answered a check."""
        arrived_ms = self.now_ms() - sock.waited_ms()
        for pair in self._pairs:
            if pair.protocol is sock and pair.remote_addr == source and pair.first_success_ms is not None:
                self.on_data(pair, data, arrived_ms)
                return

    def data_received(self, data: bytes, component: int) -> None:
        """Drop what looked like STUN and is not (aioice)."""

    def forbidden(self, sock: SessionSocket, peer: Address) -> None:
        """Ask a TURN server more seldom for what it refuses."""
        for pair in self._pairs:
            if pair.protocol is sock and pair.remote_addr == peer:
                pair.forbidden = True
                pair.next_ms = self.now_ms() + pair.gap_ms(self.now_ms(), self._lively_ms)

    def selected(self, policy: Policy) -> SessionPair | None:
        """Return the pair that a policy uses."""
        return self._nominations.selected(policy)

    def send_over(self, policy: Policy, data: bytes) -> bool:
        """Send data over a policy's pair, which has answered a check; False where it has none."""
        pair = self.selected(policy)
        if pair is not None:
            pair.protocol.post(data, pair.remote_addr)
        return pair is not None

    # --- what came of it ---

    @property
    def tried(self) -> bool:
        """Whether every pair that exists was given a fair try, in the knowledge that the other end is there."""
        if self.heard_ms is None:
            return False
        now_ms = self.now_ms()
        over_ms = now_ms - self.heard_ms
        beside_ms = now_ms - self.first_success_ms if self.first_success_ms is not None else 0.0
        fair = over_ms >= FAIR_MS or beside_ms >= FAIR_BESIDE_MS
        return fair and (now_ms - self._formed_ms >= LATE_MS or over_ms >= LONGEST_MS)

    async def settled(self, still_waiting: Callable[[], bool] = lambda: False) -> None:
        """Return when the outcome is known: every policy that has pairs has a nominated one, or each had its try.

        ``still_waiting`` tells that the other end may not have begun, so that silence means nothing yet.
        """
        while not self._is_settled(waiting=still_waiting()):  # noqa: ASYNC110 - time itself is what settles it
            await asyncio.sleep(0.02)

    def _is_settled(self, *, waiting: bool) -> bool:
        have = {pair.policy for pair in self._pairs}
        done = self._complete and have and all(self.selected(policy) is not None for policy in have)
        return bool(done) or (self.tried and (self.first_success_ms is not None or not waiting))

    def pairs(self) -> tuple[CheckedPair, ...]:
        """Return every pair and how it went."""
        now_ms = self.now_ms()
        return tuple(pair.row(now_ms) for pair in self._pairs)

    def learned(self) -> tuple[LearnedCandidate, ...]:
        """Return the peer-reflexive candidates, but those that the other end told later."""
        told = {(known._network_host, known.port) for known in self._remote_candidates if known.type != "prflx"}  # noqa: SLF001 - behind a name
        return tuple(
            item
            for item in self._learned.values()
            if item.whose == "own" or (item.address.host, item.address.port) not in told
        )

    def selections(self) -> tuple[Selection, ...]:
        """Return from when on each policy used which pair."""
        return tuple(self._nominations.history)

    def policies(self) -> tuple[PolicyOutcome, ...]:
        """Return what each policy achieved."""
        return self._nominations.outcomes(self._pairs, tried=self.tried)

    # --- the end ---

    async def finish(self) -> bool:
        """Stop, close every socket and release every allocation; whether the servers confirmed it in time."""
        return await to_the_end(self._finish())

    async def _finish(self) -> bool:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        return await release(self)
