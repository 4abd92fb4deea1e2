"""What STUN servers say of a session's sockets: asked at the beginning, and again so that no NAT forgets them."""

import asyncio
from collections.abc import Callable
from secrets import token_hex

import aioice
from aioice import stun
from aioice.candidate import candidate_foundation, candidate_priority

from rtcdiag.address import Family, TransportAddress
from rtcdiag.ice import reading as reading  # noqa: PLC0414 - aioice reads messages through it from now on
from rtcdiag.ice.agent import Missed
from rtcdiag.ice.relay import why
from rtcdiag.ice.session_socket import Address, SessionSocket
from rtcdiag.ice.settings import Answers, Settings
from rtcdiag.targets import Transport

RETRY_MS = (0.0, 250.0, 500.0, 1000.0)
"""When a server is asked again, after the first time."""


class Reflexive:
    """Asks STUN servers for server-reflexive candidates."""

    def __init__(
        self,
        settings: Settings,
        now_ms: Callable[[], float],
        tell: Callable[[SessionSocket, aioice.Candidate], None],
        on_changed: Callable[[SessionSocket, TransportAddress], None],
    ) -> None:
        """``on_changed`` takes a socket and the server that sees it under another address than before."""
        self._settings, self._now_ms, self._tell, self._on_changed = settings, now_ms, tell, on_changed
        # A foundation is a hash of the base's address: of private ones there are so few that it can be turned back.
        self._salt = token_hex(16) if settings.hide_local else ""

    def _begun(self, server: TransportAddress) -> Answers:
        return Answers(server=server, transport=Transport.UDP, began_ms=self._now_ms())

    async def gather(self, server: TransportAddress, socks: list[SessionSocket]) -> None:
        """Ask a server on every socket of its family, and tell what comes of it."""
        answers = self._begun(server)
        asking = [sock for sock in socks if sock.base.family is server.family and not sock.relayed]
        await asyncio.gather(*(self._one(sock, server, answers) for sock in asking))
        if asking:
            self._settings.on_server(answers)

    async def _one(self, sock: SessionSocket, server: TransportAddress, answers: Answers) -> None:
        await self._settings.pace(server.ip)
        answered = asyncio.Event()
        began_ms = self._now_ms()
        for after_ms in RETRY_MS:
            left_ms = self._settings.timeout_ms - (self._now_ms() - began_ms)
            if left_ms <= 0 or await _is_set(answered, min(after_ms, left_ms) / 1000):
                break
            self.ask(sock, server, answered.set)
        left_ms = self._settings.timeout_ms - (self._now_ms() - began_ms)
        if await _is_set(answered, max(0.0, left_ms) / 1000):
            self._note(sock, server, answers)
        else:
            answers.missed.append(Missed("srflx", sock.base, *why(TimeoutError())))

    def ask(self, sock: SessionSocket, server: TransportAddress, done: Callable[[], None]) -> None:
        """Ask a server as what it sees a socket."""
        sock.kept_ms = self._now_ms()

        def on_answer(message: stun.Message, source: Address, _rtt_ms: float) -> None:
            mapped = message.attributes.get("XOR-MAPPED-ADDRESS") or message.attributes.get("MAPPED-ADDRESS")
            if mapped is not None and source == (server.host, server.port):
                self._seen(sock, server, TransportAddress(*mapped))
                done()

        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        sock.ask(request, (server.host, server.port), on_answer)

    def _seen(self, sock: SessionSocket, server: TransportAddress, mapped: TransportAddress) -> None:
        before = sock.mapped.get(server)
        sock.mapped[server] = mapped
        if before not in (None, mapped):
            self._on_changed(sock, server)

    def again(self, sock: SessionSocket, server: TransportAddress) -> None:
        """Tell under which address a server sees a socket now."""
        answers = self._begun(server)
        self._note(sock, server, answers)
        self._settings.on_server(answers)

    def _note(self, sock: SessionSocket, server: TransportAddress, answers: Answers) -> None:
        self._tell_new(sock, server, answers)
        nothing_translates = sock.mapped[server] == sock.base
        answers.redundant += nothing_translates
        answers.candidates += not nothing_translates

    def _tell_new(self, sock: SessionSocket, server: TransportAddress, answers: Answers) -> None:
        mapped, base = sock.mapped[server], sock.base
        # Redundant where nothing translates, or another server saw the same (RFC 8445 section 5.1.3).
        if mapped in sock.told or (mapped == base and not self._settings.hide_local):
            return
        hidden = self._settings.hide_local
        candidate = aioice.Candidate(
            foundation=candidate_foundation("srflx", "udp", self._salt + base.host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "srflx", sock.local_candidate.priority >> 8 & 0xFFFF),
            host=mapped.host,
            port=mapped.port,
            type="srflx",
            related_address=_nowhere(mapped.family) if hidden else base.host,
            related_port=9 if hidden else base.port,
        )
        answers.told.append(mapped)
        self._tell(sock, candidate)


async def _is_set(event: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


def _nowhere(family: Family) -> str:
    """Return how SDP says that an address is hidden (RFC 8839 section 5.1)."""
    return "0.0.0.0" if family is Family.IPV4 else "::"  # noqa: S104 - it is told, not bound
