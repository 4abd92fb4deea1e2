"""The names behind which browsers hide host candidates: asked for on the local link, a bounded number of times.

Drives ``ice.get_or_create_mdns_protocol`` of aioice, which nothing promises; it has a contract test.
"""

from aioice import Candidate, ice
from aioice.mdns import is_mdns_hostname

TRIES = 3
MOST_NAMES = 8


class Names:
    """What one agent asks; its ``close`` gives the socket back."""

    def __init__(self, owner: ice.Connection) -> None:
        """Ask nobody yet."""
        self._owner = owner
        self.asked = 0
        self.pending = 0
        """Names that are still being asked for."""

    @staticmethod
    def is_name(candidate: Candidate) -> bool:
        """Tell whether a candidate hides its address."""
        return is_mdns_hostname(candidate.host)

    async def resolve(self, name: str) -> str | None:
        """Return the address of a name (RFC 6762), None where nobody says so in three seconds."""
        if self.asked >= MOST_NAMES:
            return None
        self.asked += 1
        self.pending += 1
        try:
            protocol = await ice.get_or_create_mdns_protocol(self._owner)
            for _ in range(TRIES):
                found: str | None = await protocol.resolve(name)
                if found is not None:
                    return found
        except OSError:
            # Somebody else has the port, or there is no multicast here.
            return None
        finally:
            self.pending -= 1
        return None
