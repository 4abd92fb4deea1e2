"""At most one packet a second to an audited server, whatever it is for: requests, repetitions and new connections."""

import asyncio

from rtcdiag.net import Net

GAP_MS = 1050.0
"""A second, and what the way to the server may take off the time between two packets."""


REPEAT_MS = 1500.0
"""When a request over UDP is repeated; the first transmission may have been late."""


class Pace:
    """The only door to an audited server; everything passes it one after the other."""

    def __init__(self, net: Net, expected_s: float) -> None:
        """Begin with the first packet allowed at once; tell how far the audit is by how long it is expected to take."""
        self._net = net
        self._began_ms, self._expected_s = net.now_ms(), expected_s
        self._last_ms: float | None = None

    async def turn(self) -> None:
        """Wait until something more may be sent, and take it as sent."""
        if self._last_ms is not None:
            await asyncio.sleep(max(0.0, self._last_ms + GAP_MS - self._net.now_ms()) / 1000)
        self.note()
        self._net.on_progress("audit", (self._net.now_ms() - self._began_ms) / 1000, self._expected_s)

    def note(self) -> None:
        """Take something as sent now."""
        self._last_ms = self._net.now_ms()
