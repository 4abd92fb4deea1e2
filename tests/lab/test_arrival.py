"""The time at which a datagram arrived, and not the one at which this program came to read it."""

import asyncio
import time

import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.net.local import Local
from rtcdiag.net.udp import UdpSocket, open_udp

pytestmark = pytest.mark.lab

BUSY_S = 0.05
SWITCHED_ON_S = 0.3
"""The system starts to stamp a little after the first socket asks for it, and until then the reader's time counts."""


async def waited_ms(*, stamped: bool, family: Family = Family.IPV4) -> float:
    """Send to a socket of this computer, be busy with something else, and return how long the datagram has waited."""
    receiver, sender = await open_udp(family, Local()), await open_udp(family, Local())
    if stamped:
        receiver.stamp_arrivals()
        await asyncio.sleep(SWITCHED_ON_S)
    try:
        return await _one(receiver, sender, "127.0.0.1" if family is Family.IPV4 else "::1")
    finally:
        receiver.close()
        sender.close()


async def _one(receiver: UdpSocket, sender: UdpSocket, host: str) -> float:
    waited: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    receiver.on_datagram = lambda _data, _source: waited.set_result(receiver.waited_ms)
    sender.send(b"hello", TransportAddress(host, receiver.bound.port))
    end = time.monotonic() + BUSY_S
    while time.monotonic() < end:
        pass
    async with asyncio.timeout(5):
        return await waited


@pytest.mark.parametrize("family", Family)
def test_what_waited_to_be_read_says_so(family: Family) -> None:
    assert 1000 * BUSY_S <= asyncio.run(waited_ms(stamped=True, family=family)) < 1000


def test_without_stamps_nothing_is_said_to_have_waited() -> None:
    assert asyncio.run(waited_ms(stamped=False)) == 0.0
