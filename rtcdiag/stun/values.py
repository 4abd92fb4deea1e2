"""The codec of every attribute value.

One table, `CODECS`, says how a value looks on the wire. A type that is not in the table keeps its bytes.
A value that cannot be read raises ValueError, which `message.decode` turns into a problem.
"""

from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from struct import pack, unpack_from
from typing import Any, NamedTuple

from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode, FamilyErrorCode, IcmpError, attribute_name
from rtcdiag.stun.header import COOKIE

_COOKIE_BYTES = COOKIE.to_bytes(4, "big")


def _xor(data: bytes, transaction_id: bytes) -> bytes:
    mask = (_COOKIE_BYTES + transaction_id)[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(data), "big")


def _pack_address(value: TransportAddress, _transaction_id: bytes) -> bytes:
    return pack("!BBH", 0, 1 if value.ip.version == 4 else 2, value.port) + value.ip.packed


def _unpack_address(data: bytes, _transaction_id: bytes) -> TransportAddress:
    if len(data) < 4:
        raise ValueError("is too short for an address")
    _, family, port = unpack_from("!BBH", data)
    if family == 1 and len(data) >= 8:
        return TransportAddress(IPv4Address(data[4:8]), port)
    if family == 2 and len(data) >= 20:
        return TransportAddress(IPv6Address(data[4:20]), port)
    raise ValueError("is too short for its address" if family in (1, 2) else f"names the unknown family {family}")


def _pack_xor_address(value: TransportAddress, transaction_id: bytes) -> bytes:
    plain = _pack_address(value, transaction_id)
    # The port is masked with the first two bytes of the cookie, the address with the cookie from its start.
    return plain[:2] + _xor(plain[2:4], transaction_id) + _xor(plain[4:], transaction_id)


def _unpack_xor_address(data: bytes, transaction_id: bytes) -> TransportAddress:
    plain = data[:2] + _xor(data[2:4], transaction_id) + _xor(data[4:20], transaction_id)
    return _unpack_address(plain, transaction_id)


def _pack_text(value: str | bytes, _transaction_id: bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _unpack_text(data: bytes, _transaction_id: bytes) -> str:
    return data.decode(errors="replace")


def _pack_bytes(value: bytes, _transaction_id: bytes) -> bytes:
    return value


def _unpack_bytes(data: bytes, _transaction_id: bytes) -> bytes:
    return data


def _pack_flag(_value: None, _transaction_id: bytes) -> bytes:
    return b""


def _unpack_flag(_data: bytes, _transaction_id: bytes) -> bool:
    return True


def _pack_number(form: str, value: int, _transaction_id: bytes) -> bytes:
    return pack(form, value)


def _unpack_number(form: str, data: bytes, _transaction_id: bytes) -> int:
    # Only the leading number counts, so that a sender that leaves the reserved bytes out is still understood.
    width = {"H": 2, "B": 1, "I": 4, "Q": 8}[form[1]]
    if len(data) < width:
        raise ValueError(f"has {len(data)} bytes instead of {width}")
    return int.from_bytes(data[:width], "big")


def _code_bytes(code: int) -> bytes:
    return pack("!BB", code // 100, code % 100)


def _code_of(data: bytes) -> int:
    if len(data) < 4:
        raise ValueError("is too short for an error code")
    return (data[2] & 7) * 100 + data[3]


def _pack_error(value: ErrorCode, _transaction_id: bytes) -> bytes:
    return b"\0\0" + _code_bytes(value.code) + value.reason.encode()


def _unpack_error(data: bytes, _transaction_id: bytes) -> ErrorCode:
    return ErrorCode(_code_of(data), data[4:].decode(errors="replace"))


def _pack_family_error(value: FamilyErrorCode, _transaction_id: bytes) -> bytes:
    return bytes([value.family, 0]) + _code_bytes(value.code) + value.reason.encode()


def _unpack_family_error(data: bytes, _transaction_id: bytes) -> FamilyErrorCode:
    code = _code_of(data)
    return FamilyErrorCode(data[0], code, data[4:].decode(errors="replace"))


def _pack_types(value: tuple[int, ...], _transaction_id: bytes) -> bytes:
    return pack(f"!{len(value)}H", *value)


def _unpack_types(data: bytes, _transaction_id: bytes) -> tuple[int, ...]:
    return unpack_from(f"!{len(data) // 2}H", data)


def _pack_icmp(value: IcmpError, _transaction_id: bytes) -> bytes:
    return pack("!HHI", 0, value.type << 9 | value.code, value.data)


def _unpack_icmp(data: bytes, _transaction_id: bytes) -> IcmpError:
    if len(data) < 8:
        raise ValueError("is too short for an ICMP error")
    _, both, rest = unpack_from("!HHI", data)
    return IcmpError(both >> 9, both & 0x1FF, rest)


class Codec(NamedTuple):
    """How the value of one attribute type is written and read; both take the transaction id as well."""

    pack: Callable[[Any, bytes], bytes]
    unpack: Callable[[bytes, bytes], Any]
    sizes: tuple[int, ...] = ()
    """The sizes in bytes that the RFC allows; empty where any is."""


def _number(form: str, *sizes: int) -> Codec:
    return Codec(partial(_pack_number, form), partial(_unpack_number, form), sizes)


_ADDRESS = Codec(_pack_address, _unpack_address, (8, 20))
_XOR_ADDRESS = Codec(_pack_xor_address, _unpack_xor_address, (8, 20))
_TEXT = Codec(_pack_text, _unpack_text)
_BYTES = Codec(_pack_bytes, _unpack_bytes)
_FLAG = Codec(_pack_flag, _unpack_flag, (0,))
_UNSIGNED_32 = _number("!I", 4)
_FIRST_BYTE_OF_4 = _number("!Bxxx", 4)

CODECS: dict[int, Codec] = {
    A.MAPPED_ADDRESS: _ADDRESS,
    A.RESPONSE_ADDRESS: _ADDRESS,
    A.CHANGE_REQUEST: _UNSIGNED_32,
    A.SOURCE_ADDRESS: _ADDRESS,
    A.CHANGED_ADDRESS: _ADDRESS,
    A.USERNAME: _TEXT,
    A.PASSWORD: _TEXT,
    A.MESSAGE_INTEGRITY: Codec(_pack_bytes, _unpack_bytes, (20,)),
    A.ERROR_CODE: Codec(_pack_error, _unpack_error),
    A.UNKNOWN_ATTRIBUTES: Codec(_pack_types, _unpack_types),
    A.REFLECTED_FROM: _ADDRESS,
    A.CHANNEL_NUMBER: _number("!Hxx", 4),
    A.LIFETIME: _UNSIGNED_32,
    A.BANDWIDTH: _UNSIGNED_32,
    A.XOR_PEER_ADDRESS: _XOR_ADDRESS,
    A.DATA: _BYTES,
    A.REALM: _TEXT,
    A.NONCE: _BYTES,  # echoed byte for byte, so never decoded
    A.XOR_RELAYED_ADDRESS: _XOR_ADDRESS,
    A.REQUESTED_ADDRESS_FAMILY: _FIRST_BYTE_OF_4,
    A.EVEN_PORT: _number("!B", 1),
    A.REQUESTED_TRANSPORT: _FIRST_BYTE_OF_4,
    A.DONT_FRAGMENT: _FLAG,
    A.ACCESS_TOKEN: _BYTES,
    A.MESSAGE_INTEGRITY_SHA256: Codec(_pack_bytes, _unpack_bytes, (16, 20, 24, 28, 32)),
    A.PASSWORD_ALGORITHM: _BYTES,
    A.USERHASH: Codec(_pack_bytes, _unpack_bytes, (32,)),
    A.XOR_MAPPED_ADDRESS: _XOR_ADDRESS,
    A.TIMER_VAL: _UNSIGNED_32,
    A.RESERVATION_TOKEN: Codec(_pack_bytes, _unpack_bytes, (8,)),
    A.PRIORITY: _UNSIGNED_32,
    A.USE_CANDIDATE: _FLAG,
    A.PADDING: _BYTES,
    A.RESPONSE_PORT: _number("!Hxx", 2, 4),  # RFC 5780 can be read both ways, and servers do
    A.CONNECTION_ID: _UNSIGNED_32,
    A.ADDITIONAL_ADDRESS_FAMILY: _FIRST_BYTE_OF_4,
    A.ADDRESS_ERROR_CODE: Codec(_pack_family_error, _unpack_family_error),
    A.PASSWORD_ALGORITHMS: _BYTES,
    A.ALTERNATE_DOMAIN: _TEXT,
    A.ICMP: Codec(_pack_icmp, _unpack_icmp, (8,)),
    A.OLD_XOR_MAPPED_ADDRESS: _XOR_ADDRESS,
    A.SOFTWARE: _TEXT,
    A.ALTERNATE_SERVER: _ADDRESS,
    A.TRANSACTION_TRANSMIT_COUNTER: _BYTES,
    A.CACHE_TIMEOUT: _UNSIGNED_32,
    A.FINGERPRINT: _UNSIGNED_32,
    A.ICE_CONTROLLED: _number("!Q", 8),
    A.ICE_CONTROLLING: _number("!Q", 8),
    A.RESPONSE_ORIGIN: _ADDRESS,
    A.OTHER_ADDRESS: _ADDRESS,
    A.ECN_CHECK: _BYTES,
    A.THIRD_PARTY_AUTHORIZATION: _TEXT,
    A.MOBILITY_TICKET: _BYTES,
}


def pack_value(attribute_type: int, value: Any, transaction_id: bytes) -> bytes:
    """Return the bytes of a value: see `CODECS` for what each type takes; a type without a codec takes bytes."""
    return CODECS.get(attribute_type, _BYTES).pack(value, transaction_id)


def unpack_value(attribute_type: int, data: bytes, transaction_id: bytes) -> Any:
    """Return the value of an attribute; raise ValueError where nothing can be made of the bytes."""
    return CODECS.get(attribute_type, _BYTES).unpack(data, transaction_id)


def size_problem(attribute_type: int, size_bytes: int) -> str | None:
    """Say what is wrong with the size of an attribute that could be read all the same."""
    sizes = CODECS.get(attribute_type, _BYTES).sizes
    if not sizes or size_bytes in sizes:
        return None
    return f"{attribute_name(attribute_type)} has {size_bytes} bytes instead of {' or '.join(map(str, sizes))}"
