"""How far the TCP connections of a mapping are, so that their state does not outlive them (RFC 5382 section 5)."""

from rtcdiag.lab.packet import Endpoint

LIFETIME_S = 7440.0
"""An idle connection lives for 2 hours and 4 minutes at least."""
OPENING_S = 240.0
"""And one that was not answered yet for 4 minutes."""
CLOSED_S = 10.0
"""After a reset, or the end of both directions; shorter than the RFC asks for: blocks of ports are small."""

_FIN, _SYN, _RST = 0x01, 0x02, 0x04
_ENDED_BY_INSIDE, _ENDED_BY_OUTSIDE, _ANSWERED = 1, 2, 4
_ENDED = _ENDED_BY_INSIDE | _ENDED_BY_OUTSIDE
_MOST = 1024


class Connections:
    """The state of each connection by its remote endpoint."""

    def __init__(self) -> None:
        self._states: dict[Endpoint, int] = {}

    def follow(self, remote: Endpoint, flags: int, *, inbound: bool) -> float:
        """Take notice of a segment; return for how long its connection lives on without another one, in seconds."""
        state = self._states.pop(remote, 0)
        if flags & _SYN and not inbound and state & _ENDED == _ENDED:
            state = 0
        state |= _ANSWERED if inbound else 0
        if flags & _RST:
            state |= _ENDED
        elif flags & _FIN:
            state |= _ENDED_BY_OUTSIDE if inbound else _ENDED_BY_INSIDE
        if len(self._states) >= _MOST:
            del self._states[next(iter(self._states))]
        self._states[remote] = state
        if state & _ENDED == _ENDED:
            return CLOSED_S
        return LIFETIME_S if state & _ANSWERED else OPENING_S
