"""A relay candidate from a TURN server, over UDP, TCP or TLS, and why there is none.

Drives ``ice.relayed_candidate`` of aioice, which nothing promises; it has a contract test.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import aioice
from aioice import ice, stun

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure
from rtcdiag.net.failures import failure_of
from rtcdiag.net.stream import TlsSettings, verifying_context
from rtcdiag.targets import Credential, Transport

GRACE_S = 0.5
"""How long an Allocate that was given up may still be answered: that allocation has to be released too."""
_TURN_TRANSPORT = {Transport.UDP: "udp", Transport.TCP: "tcp", Transport.TLS: "tcp"}


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A TURN server by a literal address: aioice's own name look-up has no bound."""

    address: TransportAddress
    transport: Transport
    """UDP, TCP or TLS: asked for DTLS, aioice would silently talk in the clear."""
    credential: Credential | None
    tls: TlsSettings

    def __post_init__(self) -> None:
        """Refuse what aioice cannot do."""
        if self.transport not in _TURN_TRANSPORT:
            raise ValueError(f"aioice does not speak TURN over {self.transport}")


async def allocate(
    relay: Relay, protocol_factory: Callable[[], ice.StunProtocol], *, component: int = 1, hide_related: bool
) -> tuple[aioice.Candidate, ice.StunProtocol]:
    """Get a relay candidate and the socket behind it; raise what `EXPECTED` has."""
    secure = relay.transport is Transport.TLS
    context = _naming_context(relay.tls) if secure else None
    credential = relay.credential
    return await ice.relayed_candidate(
        component=component,
        hide_related_address=hide_related,
        protocol_factory=protocol_factory,
        turn_server=(relay.address.host, relay.address.port),
        turn_username=credential.username if credential else None,
        turn_password=credential.password if credential else None,
        # It goes to asyncio as it is, which takes a context as well as a bool.
        turn_ssl=cast("bool", context),
        turn_transport=_TURN_TRANSPORT[relay.transport],
    )


async def allocate_within(
    relay: Relay,
    protocol_factory: Callable[[], ice.StunProtocol],
    adopt: Callable[[ice.StunProtocol], None],
    *,
    timeout_ms: float,
    component: int = 1,
    hide_related: bool,
) -> aioice.Candidate:
    """Get a relay candidate in time, over TCP and TLS in twice that; raise what `EXPECTED` has.

    ``adopt`` takes every socket that there is, however late the answer came: its allocation has to be released.
    """

    def done(task: asyncio.Task[tuple[aioice.Candidate, ice.StunProtocol]]) -> None:
        if not task.cancelled() and task.exception() is None:
            adopt(task.result()[1])

    allocating = asyncio.create_task(allocate(relay, protocol_factory, component=component, hide_related=hide_related))
    allocating.add_done_callback(done)
    try:
        patience = 1 if relay.transport is Transport.UDP else 2
        async with asyncio.timeout(patience * timeout_ms / 1000):
            candidate, _ = await asyncio.shield(allocating)
        return candidate
    finally:
        if not allocating.done():
            await asyncio.wait({allocating}, timeout=GRACE_S)
            allocating.cancel()
            await asyncio.wait({allocating})


class _NamingContext(ssl.SSLContext):
    """Asks for a name and verifies it, although the connection is made to a literal address.

    The session is the verifying context's, which is read once for all connections.
    """

    settings: TlsSettings

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Put the name in place of the address that asyncio was told to connect to (ssl)."""
        named = {**kwargs, "server_hostname": self.settings.server_name}
        return verifying_context(self.settings.ca_file).wrap_bio(*args, **named)


def _naming_context(settings: TlsSettings) -> ssl.SSLContext:
    context = _NamingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.settings = settings
    return context


EXPECTED = (OSError, stun.TransactionError, KeyError, ValueError)
"""What a network and a server can make aioice raise."""


def why(error: Exception) -> tuple[Failure | None, str]:
    """Return a failure where there is one, and words that hold nothing a server sent."""
    match error:
        case stun.TransactionFailed():
            return None, f"the server refused with error {error.response.error_code}"
        case stun.TransactionTimeout() | TimeoutError():
            return Failure.TIMEOUT, "no answer"
        case ssl.SSLCertVerificationError():
            return failure_of(error), error.verify_message
        # aioice raises ConnectionError itself for an Allocate response without one of its attributes.
        case OSError() if type(error) is not ConnectionError:
            return failure_of(error), failure_of(error).value
        case _:
            return None, "the answer lacks what it has to have"
