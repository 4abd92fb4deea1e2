"""Peer-reflexive candidates: addresses that only checks showed (RFC 8445 sections 7.2.5.3.1 and 7.3.1.3), a few."""

from aioice import Candidate

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.session import LearnedCandidate
from rtcdiag.ice.session_socket import Address, SessionSocket

MOST = 32
"""More of one side are not learned: one peer could have a thousand."""


def network_address(candidate: Candidate) -> Address:
    """Return where a remote candidate is reached; behind a name of mDNS it is not its host."""
    return candidate._network_host, candidate.port  # noqa: SLF001 - nothing else tells it, and it has a contract test


class Learned:
    """What one agent learned, of both sides."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._own: dict[TransportAddress, LearnedCandidate] = {}
        self._remote: dict[Address, LearnedCandidate] = {}

    @property
    def has_room(self) -> bool:
        """Whether one more address of the other end may be learned."""
        return len(self._remote) < MOST

    def own(self, sock: SessionSocket, mapped: TransportAddress, now_ms: float) -> None:
        """Take as what the other end saw a check of ours."""
        if not sock.relayed and mapped not in sock.seen_as and len(self._own) < MOST:
            told = next(iter(sock.mapped.values()), None)
            learned = LearnedCandidate(t_ms=now_ms, whose="own", address=mapped, told=told, local=sock.base)
            self._own.setdefault(mapped, learned)

    def remote(self, sock: SessionSocket, addr: Address, known: list[Candidate], now_ms: float) -> None:
        """Take where a check of the other end came from; ``known`` are its candidates."""
        near = next((one.port for one in known if one.type != "prflx" and network_address(one)[0] == addr[0]), None)
        told = TransportAddress(addr[0], near) if near is not None else None
        self._remote[addr] = LearnedCandidate(
            t_ms=now_ms, whose="remote", address=TransportAddress(*addr), told=told, local=sock.base
        )

    def rows(self, known: list[Candidate]) -> tuple[LearnedCandidate, ...]:
        """Return all but those that the other end told later."""
        told = {network_address(one) for one in known if one.type != "prflx"}
        return (*self._own.values(), *(item for addr, item in self._remote.items() if addr not in told))
