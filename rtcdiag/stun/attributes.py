"""STUN attributes: their numbers and names, and the values that have parts. `values.py` says how each is written."""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class AttributeType(IntEnum):
    """An attribute type that some RFC defines; `str(...)` is its name in the RFC."""

    # RFC 8489 section 18.3, and what RFC 3489 left behind
    MAPPED_ADDRESS = 0x0001
    RESPONSE_ADDRESS = 0x0002
    CHANGE_REQUEST = 0x0003
    SOURCE_ADDRESS = 0x0004
    CHANGED_ADDRESS = 0x0005
    USERNAME = 0x0006
    PASSWORD = 0x0007
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    REFLECTED_FROM = 0x000B
    # RFC 8656 section 18
    CHANNEL_NUMBER = 0x000C
    LIFETIME = 0x000D
    BANDWIDTH = 0x0010
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    EVEN_PORT = 0x0018
    REQUESTED_TRANSPORT = 0x0019
    DONT_FRAGMENT = 0x001A
    ACCESS_TOKEN = 0x001B
    MESSAGE_INTEGRITY_SHA256 = 0x001C
    PASSWORD_ALGORITHM = 0x001D
    USERHASH = 0x001E
    XOR_MAPPED_ADDRESS = 0x0020
    TIMER_VAL = 0x0021
    RESERVATION_TOKEN = 0x0022
    # RFC 8445
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    # RFC 5780 section 7
    PADDING = 0x0026
    RESPONSE_PORT = 0x0027
    # RFC 6062
    CONNECTION_ID = 0x002A
    # comprehension-optional from here on
    ADDITIONAL_ADDRESS_FAMILY = 0x8000
    ADDRESS_ERROR_CODE = 0x8001
    PASSWORD_ALGORITHMS = 0x8002
    ALTERNATE_DOMAIN = 0x8003
    ICMP = 0x8004
    OLD_XOR_MAPPED_ADDRESS = 0x8020
    """From drafts before RFC 5389; some old servers still send it."""
    SOFTWARE = 0x8022
    ALTERNATE_SERVER = 0x8023
    TRANSACTION_TRANSMIT_COUNTER = 0x8025
    CACHE_TIMEOUT = 0x8027
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A
    RESPONSE_ORIGIN = 0x802B
    OTHER_ADDRESS = 0x802C
    ECN_CHECK = 0x802D
    THIRD_PARTY_AUTHORIZATION = 0x802E
    MOBILITY_TICKET = 0x8030

    def __str__(self) -> str:
        return self.name.replace("_", "-")


@lru_cache(maxsize=512)
def attribute_name(attribute_type: int) -> str:
    """Return the name in the RFC, or ``0xABCD`` for a type that no RFC known here defines."""
    try:
        return str(AttributeType(attribute_type))
    except ValueError:
        return f"0x{attribute_type:04X}"


def comprehension_required(attribute_type: int) -> bool:
    """True for the types that an agent must understand or refuse (RFC 8489 section 14)."""
    return attribute_type < 0x8000


class ErrorCode(NamedTuple):
    """The value of ERROR-CODE (RFC 8489 section 14.8)."""

    code: int
    reason: str = ""


class FamilyErrorCode(NamedTuple):
    """The value of ADDRESS-ERROR-CODE: `family` is the byte of the wire, 1 for IPv4 and 2 for IPv6."""

    family: int
    code: int
    reason: str = ""


class IcmpError(NamedTuple):
    """The value of ICMP: what the relay was told about a packet that it sent to a peer."""

    type: int
    code: int
    data: int = 0
