"""The STUN header: class, method, magic cookie and length (RFC 8489 section 5)."""

from enum import IntEnum, StrEnum
from struct import pack, unpack_from

COOKIE = 0x2112A442
HEADER_BYTES = 20


class Fault(StrEnum):
    """Why bytes are not a STUN message."""

    TOO_SHORT = "too-short"
    NOT_STUN = "not-stun"
    """The two leading bits are not zero (RFC 8489 section 5)."""
    WRONG_COOKIE = "wrong-cookie"
    WRONG_LENGTH = "wrong-length"
    """The length field says more than there is."""


class StunError(ValueError):
    """Bytes that cannot be read as a STUN message."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class MessageClass(IntEnum):
    """The class of a message (RFC 8489 section 5)."""

    REQUEST = 0
    INDICATION = 1
    SUCCESS = 2
    ERROR = 3


class Method(IntEnum):
    """A method that some RFC defines."""

    BINDING = 0x001
    SHARED_SECRET = 0x002
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009
    CONNECT = 0x00A
    CONNECTION_BIND = 0x00B
    CONNECTION_ATTEMPT = 0x00C


def message_type(message_class: MessageClass, method: int) -> int:
    """Interleave class and method into the 14-bit message type (RFC 8489 section 5)."""
    high, middle, low = method & 0xF80, method & 0x070, method & 0x00F
    return high << 2 | (message_class & 2) << 7 | middle << 1 | (message_class & 1) << 4 | low


def split_type(number: int) -> tuple[MessageClass, int]:
    """Undo `message_type`."""
    method = (number & 0x3E00) >> 2 | (number & 0x00E0) >> 1 | number & 0x000F
    return MessageClass((number & 0x0100) >> 7 | (number & 0x0010) >> 4), method


def looks_like_stun(data: bytes) -> bool:
    """True when the first bytes are those of a STUN message: two zero bits and the magic cookie."""
    return len(data) >= HEADER_BYTES and data[0] < 0x40 and data[4:8] == pack("!I", COOKIE)


def check_header(data: bytes) -> None:
    """Raise StunError unless a whole STUN message starts here."""
    if len(data) < HEADER_BYTES:
        raise StunError(Fault.TOO_SHORT, f"{len(data)} bytes are too few for a STUN message")
    if data[0] >= 0x40:
        raise StunError(Fault.NOT_STUN, f"a STUN message does not start with 0x{data[0]:02X}")
    _, length, cookie = unpack_from("!HHI", data)
    if cookie != COOKIE:
        raise StunError(Fault.WRONG_COOKIE, f"the magic cookie is 0x{cookie:08X}")
    if len(data) < HEADER_BYTES + length:
        raise StunError(Fault.WRONG_LENGTH, f"the length field says {length}, {len(data) - HEADER_BYTES} are there")
