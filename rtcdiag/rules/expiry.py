"""Time-limited credentials: have they expired, by whose clock, and is a wrong clock to blame for it."""

import msgspec

from rtcdiag.clocks import AGREE_S, Clocks, clocks_of
from rtcdiag.evidence import Evidence, Target
from rtcdiag.findings import Facts

_MOST_S = 1e10


class Expired(msgspec.Struct, frozen=True):
    """Why a server takes credentials for expired: the code, and its facts."""

    code: str
    facts: Facts


def now_s(evidence: Evidence) -> float:
    """Return the time of the run in UNIX seconds, put right where this computer's clock is known to be wrong."""
    clocks = clocks_of(evidence.observations)
    wrong = clocks.own == "wrong" and clocks.offset_s is not None
    return evidence.started_at_s - (clocks.offset_s or 0.0 if wrong else 0.0)


def expired(evidence: Evidence, target: Target | None) -> Expired | None:
    """Tell whether the credentials of a server have expired by its own clock, as far as that is known; None if not."""
    expires_at = target.credential.expires_at if target and target.credential else None
    if target is None or expires_at is None:
        return None
    here_s, clocks = evidence.started_at_s, clocks_of(evidence.observations)
    server_s = clocks.of("server", target.host)
    there_s = now_s(evidence) if server_s is None else here_s - server_s
    if expires_at >= there_s:
        return None
    why = _clock_ahead(clocks, server_s) if expires_at >= here_s else _clock_behind(clocks, expires_at, here_s, there_s)
    if why:
        return Expired("turn-credentials-clock-skew", {"clocks": why})
    return Expired("turn-credentials-expired", {"expired_s_ago": round(min(there_s - expires_at, _MOST_S))})


def _clock_ahead(clocks: Clocks, server_s: float | None) -> str:
    """Say which clock is wrong where credentials are good by this computer's."""
    if clocks.own == "wrong" and clocks.offset_s is not None:
        return f"the clock of this computer is {apart(clocks.offset_s)}"
    if clocks.own == "right" and server_s is not None:
        return f"its clock is {apart(-server_s)}"
    return f"its clock and that of this computer are {seconds(server_s or 0.0)} s apart"


def _clock_behind(clocks: Clocks, expires_at: float, here_s: float, there_s: float) -> str:
    """Say where a service makes credentials that are old already, and would not be without its clock's error."""
    service_s = clocks.of("service")
    behind_s = 0.0 if service_s is None else there_s - (here_s - service_s)
    if behind_s <= AGREE_S or expires_at + behind_s < there_s:
        return ""
    return f"the clock of the service that made them is {seconds(behind_s)} s behind"


def apart(offset_s: float) -> str:
    """Return ``3600 s ahead`` or ``3600 s behind``."""
    return f"{seconds(offset_s)} s {'ahead' if offset_s > 0 else 'behind'}"


def seconds(offset_s: float) -> int:
    """Return an offset's size in whole seconds; bounded, because other computers tell any time."""
    return round(min(abs(offset_s), _MOST_S))
