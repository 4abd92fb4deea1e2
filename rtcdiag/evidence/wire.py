"""What came over the wire: a STUN message that arrived, and a datagram that was none.

Of these a report holds hundreds, so their JSON leaves out what has its default: an attribute that did not come.
"""

from typing import Literal

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence.base import Failure

Check = Literal["valid", "invalid", "absent", "unchecked"]


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The request of a transaction, decoded; every transmission of it was the same."""

    method: str
    """Its name in the RFC: ``Allocate``."""
    transaction_id: str
    """24 hexadecimal digits."""
    size_bytes: int
    attributes: tuple[str, ...] = ("FINGERPRINT",)
    """Each as ``NAME value``, in their order; of a username the shape, of a nonce the beginning, and of what proves
    who one is nothing."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decoded STUN message that arrived and belongs to the transaction (RFC 8489 section 6.3)."""

    t_ms: float
    """When it arrived, in milliseconds from the start of the run."""
    source: TransportAddress | None
    """Where it really came from: the packet's source, not what an attribute says. None where not known."""
    expected_source: bool = True
    """Whether it came from where it had to come from. An answer from elsewhere decides nothing."""
    late: bool = False
    """Whether it came after the transaction had been given up."""
    size_bytes: int
    success: bool
    """A success response; otherwise an error response with ``error_code``."""
    mapped: TransportAddress | None = None
    """MAPPED-ADDRESS (RFC 8489 section 14.1), what an ALG may rewrite."""
    xor_mapped: TransportAddress | None = None
    """XOR-MAPPED-ADDRESS (RFC 8489 section 14.2)."""
    other_address: TransportAddress | None = None
    """OTHER-ADDRESS (RFC 5780 section 7.4), or CHANGED-ADDRESS of RFC 3489."""
    response_origin: TransportAddress | None = None
    """RESPONSE-ORIGIN (RFC 5780 section 7.3), or SOURCE-ADDRESS of RFC 3489."""
    relayed: TransportAddress | None = None
    """XOR-RELAYED-ADDRESS (RFC 8656 section 18.5)."""
    relayed_also: TransportAddress | None = None
    """The second one, where both families were asked for."""
    family_error: int | None = None
    """The code of ADDRESS-ERROR-CODE: why there is none of the additional family (RFC 8656 section 18.12)."""
    reservation_token: bool = False
    """Whether a RESERVATION-TOKEN came; its value is not kept."""
    alternate_server: TransportAddress | None = None
    """ALTERNATE-SERVER (RFC 8489 section 14.15)."""
    alternate_domain: str | None = None
    """ALTERNATE-DOMAIN (RFC 8489 section 14.16)."""
    lifetime_s: int | None = None
    software: str | None = None
    realm: str | None = None
    nonce: bool = False
    """Whether a NONCE came; its value is not kept."""
    security_features: tuple[str, ...] = ()
    """What the NONCE announces: ``password-algorithms``, ``username-anonymity`` (RFC 8489 section 9.2)."""
    password_algorithms: tuple[int, ...] = ()
    """PASSWORD-ALGORITHMS: 1 is MD5, 2 is SHA-256 (RFC 8489 section 18.5)."""
    error_code: int | None = None
    reason: str | None = None
    """The server's own reason phrase; often empty, never trusted."""
    unknown_attributes: tuple[int, ...] = ()
    """UNKNOWN-ATTRIBUTES of a 420 (RFC 8489 section 14.13)."""
    fingerprint: Check = "absent"
    integrity: Check = "unchecked"
    problems: tuple[str, ...] = ()
    """What is wrong with the message as it was encoded, in words."""
    more_attributes: tuple[str, ...] = ()
    """Attributes that no field above tells, each as ``NAME value``: unknown, repeated or unreadable ones, NONCE, …"""

    @property
    def reflexive(self) -> TransportAddress | None:
        """The address that the server saw: XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS."""
        return self.xor_mapped or self.mapped


class Stray(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that arrived where an answer was awaited, and were none."""

    t_ms: float
    source: TransportAddress | None
    size_bytes: int
    why: Literal["not-stun", "wrong-cookie", "wrong-transaction-id", "wrong-class", "wrong-method", "duplicate"]


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transaction: what was sent when, and all that came back (RFC 8489 section 6.2)."""

    sent_ms: tuple[float, ...]
    """The time of each transmission, in milliseconds from the start of the run; one on TCP and TLS."""
    request: Sent | None = None
    """What was sent; None where nothing could be, and in reports of earlier versions."""
    answers: tuple[Answer, ...] = ()
    """In the order of arrival; the first with ``expected_source`` is the one that counts."""
    strays: tuple[Stray, ...] = ()
    stray_count: int = 0
    """All strays; only the first few are kept."""
    unfinished_bytes: int = 0
    """How much of a message had come over a stream when its end was no longer awaited."""
    failure: Failure | None = None
    """Why there was no answer in time; None where there was one. A late answer counts all the same."""
    refused_by: str | None = None
    """The IP address that sent the ICMP message which ended it; None where none did, or the system does not tell."""
    rtt_ms: float | None = None
    """From the transmission to its answer; None where a retransmission makes it ambiguous (Karn's rule)."""

    @property
    def answer(self) -> Answer | None:
        """The answer that counts: the first from the expected source."""
        for answer in self.answers:
            if answer.expected_source:
                return answer
        return None

    @property
    def succeeded(self) -> bool:
        """Whether the answer that counts is a success response."""
        answer = self.answer
        return answer is not None and answer.success
