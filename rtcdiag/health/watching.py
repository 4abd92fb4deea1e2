"""What changed from one round to the next."""

import msgspec

from rtcdiag.health.result import HealthResult, HealthStatus

_WORKS: dict[HealthStatus, bool | None] = {
    "ok": True,
    "warning": True,
    "failed": False,
    "not-tested": None,
    "skipped": None,
}


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """A target that fares otherwise than in the round before."""

    name: str
    uri: str
    before: HealthStatus
    now: HealthStatus
    finding: str | None = None
    summary: str

    @property
    def recovers(self) -> bool:
        """Whether it works now, and did not."""
        return bool(_WORKS[self.now]) and not _WORKS[self.before]


class Watcher:
    """Remembers how each target fared last: a word for each."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._before: dict[tuple[str, str], HealthStatus] = {}
        self._flips: list[Flip] = []

    def see(self, result: HealthResult) -> None:
        """Compare a result with the one before; an answer that is missing changes nothing."""
        key = (result.name, result.uri)
        before = self._before.get(key)
        if _WORKS[result.status] is None and before is not None:
            return
        self._before[key] = result.status
        if before is not None and before != result.status:
            self._flips.append(
                Flip(
                    name=result.name,
                    uri=result.uri,
                    before=before,
                    now=result.status,
                    finding=result.finding,
                    summary=result.summary,
                )
            )

    def flips(self) -> tuple[Flip, ...]:
        """Return what changed since this was last asked."""
        found, self._flips = tuple(self._flips), []
        return found
