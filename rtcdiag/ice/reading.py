"""How aioice reads messages: an attribute of a wrong length is no message, instead of an exception in a callback.

Drives ``stun.parse_message`` of aioice, which nothing promises; it has a contract test.
"""

import struct

from aioice import stun

_aioice_parse_message = stun.parse_message


def _parse_message(data: bytes) -> stun.Message:
    """Read a message; ValueError is how aioice takes it that this is none.

    An attribute of a wrong length makes it struct.error instead, which would end as a traceback in asyncio's log.
    """
    try:
        return _aioice_parse_message(data)
    except struct.error as error:
        raise ValueError("an attribute has the wrong length") from error


stun.parse_message = _parse_message
