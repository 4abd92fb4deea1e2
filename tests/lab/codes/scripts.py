"""What the scripted servers of the rows say."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rtcdiag.address import TransportAddress
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.attributes import ErrorCode
from rtcdiag.stun.codec import decode, encode
from rtcdiag.stun.credentials import long_term_key
from rtcdiag.stun.header import MessageClass, Method, looks_like_stun
from rtcdiag.stun.message import Message
from support.scripted import BIGGEST, COOKIE, Close, Reply, Script, binding_success

Replies = list[Reply | Close]
Attributes = tuple[tuple[int, object], ...]
REALM = "wild.test"
KEY = long_term_key("alice", REALM, "wonderland")
HERE = ("127.0.0.1", 9)


# --- Binding ---


def good(data: bytes, source: tuple[str, int]) -> bytes:
    """Return the answer that is right, made without the code under test."""
    return binding_success(data, source)


def _mapped(kind: int, host: str, port: int, mask: int = 0) -> bytes:
    address = struct.unpack("!I", bytes(map(int, host.split("."))))[0]
    return struct.pack("!HHBBHI", kind, 8, 0, 1, port ^ (mask >> 16), address ^ mask)


def answer(request: bytes, *attributes: bytes) -> bytes:
    """Return a Binding success response of raw attributes."""
    body = b"".join(attributes)
    return struct.pack("!HHI", 0x0101, len(body), COOKIE) + request[8:20] + body


def replying(*make: Callable[[bytes, tuple[str, int]], bytes], **how: Any) -> Script:
    """Answer each datagram with these."""
    return lambda data, source: [Reply(one(data, source), **how) for one in make]


def old_form(data: bytes, source: tuple[str, int]) -> bytes:
    """RFC 3489: MAPPED-ADDRESS only."""
    return answer(data, _mapped(0x0001, *source))


def rewritten(data: bytes, source: tuple[str, int]) -> bytes:
    """MAPPED-ADDRESS as a middlebox changed it, which cannot read XOR-MAPPED-ADDRESS."""
    return answer(data, _mapped(0x0001, "192.0.2.99", source[1]), _mapped(0x0020, *source, COOKIE))


def of_a_container(data: bytes, _source: tuple[str, int]) -> bytes:
    """The address of a container's bridge, which stands before the server."""
    return answer(data, _mapped(0x0020, "172.17.0.1", 40_000, COOKIE))


def nowhere(data: bytes, _source: tuple[str, int]) -> bytes:
    """An address that nobody has."""
    return answer(data, _mapped(0x0020, "0.0.0.0", 0, COOKIE))


def no_address(data: bytes, _source: tuple[str, int]) -> bytes:
    """A success that says nothing."""
    return answer(data)


def bad_fingerprint(data: bytes, source: tuple[str, int]) -> bytes:
    """A right answer with a wrong checksum."""
    return answer(data, _mapped(0x0020, *source, COOKIE), struct.pack("!HHI", 0x8028, 4, 0xDEADBEEF))


def cut_off(data: bytes, source: tuple[str, int]) -> bytes:
    """A right answer, and behind it an attribute that is longer than the message."""
    return answer(data, _mapped(0x0020, *source, COOKIE), struct.pack("!HHI", 0x8022, 400, 0))


def every_second_transaction() -> Script:
    """Answer one request and forget the next, with all its repetitions."""
    seen: list[bytes] = []

    def script(data: bytes, source: tuple[str, int]) -> Replies:
        if data[8:20] not in seen:
            seen.append(data[8:20])
        return [Reply(good(data, source))] if seen.index(data[8:20]) % 2 == 0 else []

    return script


def another_transaction(data: bytes, source: tuple[str, int]) -> bytes:
    """An answer to somebody else."""
    return good(data[:8] + bytes(12), source)


def garbage(_data: bytes, _source: tuple[str, int]) -> bytes:
    """Not STUN."""
    return b"\xff" * 40


def biggest(_data: bytes, _source: tuple[str, int]) -> bytes:
    """As much as fits into a datagram."""
    return bytes(BIGGEST)


def server_error(data: bytes, _source: tuple[str, int]) -> bytes:
    """Binding error 500."""
    request = decode(data)
    return encode(MessageClass.ERROR, request.method, request.transaction_id, [(A.ERROR_CODE, ErrorCode(500))])


# --- TURN ---


@dataclass
class Turn:
    """A TURN server over UDP that grants everything and relays nothing, but for what its fields say."""

    refuse: dict[int, int] = field(default_factory=dict)
    """The error of signed requests of a method; 0: no answer."""
    more: Attributes = ()
    """Further attributes of that error."""
    challenge: Attributes = ((A.REALM, REALM), (A.NONCE, b"n"))
    nonce_in_errors: bool = True
    key: bytes | None = KEY
    """Signs the success responses."""
    relayed: TransportAddress | None = field(default_factory=lambda: TransportAddress(*HERE))
    software: str = ""
    reason: str = ""
    lifetime_s: int = 600
    """Of what it grants, where the request names none."""
    delay_ms: float = 0.0
    """Before the answer to a signed Allocate."""
    binding: Callable[[bytes, tuple[str, int]], bytes] = good

    def __call__(self, data: bytes, source: tuple[str, int]) -> Replies:
        if not looks_like_stun(data) or (request := decode(data)).message_class is not MessageClass.REQUEST:
            return []
        if request.method == Method.BINDING:
            return [Reply(self.binding(data, source))]
        if request.username is None:
            return [Reply(self._error(request, 401, self.challenge))]
        code = self.refuse.get(request.method) if not _is_release(request) else None
        if code is not None:
            fresh = ((A.REALM, REALM), (A.NONCE, request.transaction_id)) if self.nonce_in_errors else ()
            return [Reply(self._error(request, code, fresh + self.more))] if code else []
        delay_ms = self.delay_ms if request.method == Method.ALLOCATE else 0.0
        return [Reply(self._granted(request, source), delay_ms=delay_ms)]

    def _granted(self, request: Message, source: tuple[str, int]) -> bytes:
        lifetime = (A.LIFETIME, self.lifetime_s if request.lifetime_s is None else request.lifetime_s)
        if request.method == Method.ALLOCATE:
            relayed = [(A.XOR_RELAYED_ADDRESS, self.relayed)] if self.relayed else []
            attributes = [*relayed, (A.XOR_MAPPED_ADDRESS, TransportAddress(*source)), lifetime]
        else:
            attributes = [lifetime] if request.method == Method.REFRESH else []
        return encode(MessageClass.SUCCESS, request.method, request.transaction_id, attributes, key=self.key)

    def _error(self, request: Message, code: int, attributes: Attributes) -> bytes:
        software = [(A.SOFTWARE, self.software)] if self.software else []
        told = [(A.ERROR_CODE, ErrorCode(code, self.reason)), *attributes, *software]
        return encode(MessageClass.ERROR, request.method, request.transaction_id, told)


@dataclass
class SendsOn:
    """A TURN server that names another one, as coturn does: before it asks for a password, and unsigned."""

    to: TransportAddress | None = None

    def __call__(self, data: bytes, source: tuple[str, int]) -> Replies:
        request = decode(data)
        if request.method == Method.BINDING:
            return [Reply(good(data, source))]
        told = [(A.ERROR_CODE, ErrorCode(300)), (A.ALTERNATE_SERVER, self.to)]
        return [Reply(encode(MessageClass.ERROR, request.method, request.transaction_id, told))]


def _is_release(request: Message) -> bool:
    return request.method == Method.REFRESH and request.lifetime_s == 0
