"""Is a mapped address that a server told this computer's: an answer is sent to it, from another socket's request.

Where a server's two addresses tell one socket two mapped addresses, the mapping depends on the destination, or one of
them tells something wrong. A request with RESPONSE-PORT (RFC 5780 section 7.5) from a new socket asks each of the two
to send its answer to the port that it told. The socket has sent to that very address and port, so that every filter
lets the answer in, if the port is right.
"""

import asyncio

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Role
from rtcdiag.probes.nat_filtering import Rfc5780
from rtcdiag.probes.nat_sockets import Sockets
from rtcdiag.stun.message import Message
from rtcdiag.wires import Call


def differ(one: Call, other: Call) -> bool:
    """Tell whether two answers told two mapped addresses."""
    told = (_mapped(one.message), _mapped(other.message))
    return None not in told and told[0] != told[1]


async def check(sockets: Sockets, name: str, both: Rfc5780, first: Call, other: Call) -> None:
    """Have answers sent to what the primary and the alternate told the mapping socket."""
    asked: tuple[tuple[str, Role, Call], ...] = (
        ("k" + name, "primary", first),
        ("l" + name, "alternate-address-and-port", other),
    )
    await asyncio.gather(*(_check(sockets, both, *each) for each in asked))


async def _check(sockets: Sockets, both: Rfc5780, label: str, role: Role, told: Call) -> None:
    mapped = _mapped(told.message)
    if mapped is not None:
        await sockets.wire(label)
        await sockets.ask(
            label,
            both.server,
            "control",
            both.primary if role == "primary" else both.other,
            role=role,
            response_port=mapped.port,
            also_on="m1",
            schedule=both.asking,
        )


def _mapped(message: Message | None) -> TransportAddress | None:
    return (message.xor_mapped or message.mapped) if message else None
