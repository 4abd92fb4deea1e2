"""httpx without its own command line.

``import httpx`` also imports that where click is installed, and with it rich and pygments: two thirds of the time, of
which a person waits who has joined a room.
"""

import sys
from typing import Any

_hidden = "click" not in sys.modules
_modules: dict[str, Any] = sys.modules
if _hidden:
    _modules["click"] = None
try:
    import httpx
    from httpx_sse import EventSource, ServerSentEvent
finally:
    if _hidden:
        del _modules["click"]

__all__ = ["EventSource", "ServerSentEvent", "httpx"]
