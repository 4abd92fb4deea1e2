"""What the last minute has shown of this network: the controls of a program that runs for months."""

from rtcdiag.evidence import Evidence
from rtcdiag.fleet import Controls

KEPT_S = 60.0
_MOST = 8


class Lately:
    """The checks of the last minute in which somebody answered, at most a few of them."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._seen: dict[str, tuple[float, Evidence]] = {}

    def learn(self, host: str, evidence: Evidence, now_s: float) -> None:
        """Remember a check of a host, if it shows anything."""
        if not _of(evidence).answered:
            return
        self._seen.pop(host, None)
        self._seen[host] = (now_s, evidence)
        while len(self._seen) > _MOST:
            del self._seen[next(iter(self._seen))]

    def controls(self, now_s: float) -> Controls:
        """Return what was shown since a minute ago, the newest first."""
        return _of(*(evidence for at_s, evidence in reversed(self._seen.values()) if now_s - at_s < KEPT_S))


def _of(*seen: Evidence) -> Controls:
    controls = Controls()
    for evidence in seen:
        controls.learn(evidence)
    return controls
