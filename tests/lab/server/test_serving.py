"""The sockets of the embedded server: where it listens, what it leaves out, and that it lets everything go."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.server.config import ConfigError, Limits, ServerConfig
from rtcdiag.server.effects import Client, OpenRelay
from rtcdiag.server.serving import ServingInfo, running, serve
from rtcdiag.server.sockets import RelaySockets, bind_all
from rtcdiag.stun.attributes import AttributeType as A
from rtcdiag.stun.codec import decode
from rtcdiag.stun.framing import StreamFrames
from rtcdiag.stun.header import Method
from rtcdiag.stun.message import Message
from rtcdiag.stun.request import Request, binding_request
from rtcdiag.stun.turn import TurnClient
from rtcdiag.targets import Credential
from support.ports import free_ports

pytestmark = pytest.mark.lab

CONFIG = ServerConfig(port=0, users=(Credential("alice", "wonderland"),), allow_loopback_peers=True)
LOOPBACK = ip_address("127.0.0.1")
CLIENT = Client("udp", TransportAddress(LOOPBACK, 1), TransportAddress(LOOPBACK, 2))
NOT_OURS = ip_address("203.0.113.77")


def test_four_places_are_served_and_all_sockets_are_closed_after() -> None:
    first = free_ports(2)

    async def scenario() -> ServingInfo:
        async with running(msgspec.structs.replace(CONFIG, port=first)) as info:
            pass
        async with running(msgspec.structs.replace(CONFIG, port=first)):
            return info

    info = asyncio.run(scenario())
    assert [str(address) for address in info.addresses] == [
        f"127.0.0.1:{first}",
        f"127.0.0.2:{first}",
        f"127.0.0.1:{first + 1}",
        f"127.0.0.2:{first + 1}",
    ]
    assert (info.rfc5780, info.turn, info.notes) == (True, True, ())
    assert info.stun_uri == f"stun:127.0.0.1:{first}"
    assert info.turn_uris == tuple(f"turn:127.0.0.1:{first}?transport={way}" for way in ("udp", "tcp"))


def test_the_system_chooses_the_ports_where_it_is_told_to() -> None:
    async def scenario() -> ServingInfo:
        async with running(msgspec.structs.replace(CONFIG, listen=(ip_address("::1"), *CONFIG.listen))) as info:
            return info

    info = asyncio.run(scenario())
    assert len({address.port for address in info.addresses}) == 2
    assert [address.host for address in info.addresses] == [
        "::1",
        "127.0.0.1",
        "127.0.0.2",
        "127.0.0.1",
        "127.0.0.2",
    ]


def test_a_second_address_that_is_not_ours_is_left_out_with_a_note() -> None:
    config = msgspec.structs.replace(CONFIG, listen=(ip_address("127.0.0.1"), NOT_OURS))

    async def scenario() -> tuple[ServingInfo, Message]:
        async with running(config) as info:
            return info, await udp_answer(info.addresses[0], binding_request(change_ip=True))

    info, answer = asyncio.run(scenario())
    assert len(info.addresses) == 1
    assert not info.rfc5780
    assert info.notes == (
        "not listening on 203.0.113.77 (Cannot assign requested address): CHANGE-REQUEST is answered with 420",
    )
    assert answer.error is not None
    assert (answer.error.code, answer.unknown_attributes) == (420, (A.CHANGE_REQUEST,))


def test_an_only_address_that_is_not_ours_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match=r"^cannot listen on 203.0.113.77: Cannot assign requested address$"):
        bind_all(msgspec.structs.replace(CONFIG, listen=(NOT_OURS,)))


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
@pytest.mark.parametrize("offset", [0, 1], ids=["port", "alternate port"])
def test_a_port_in_use_is_one_clear_line(kind: socket.SocketKind, offset: int) -> None:
    first = free_ports(2)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", first + offset))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        with pytest.raises(ConfigError, match=f"^127.0.0.1:{first + offset} is in use: choose another port"):
            bind_all(msgspec.structs.replace(CONFIG, port=first))


def test_serving_ends_when_it_is_cancelled() -> None:
    async def scenario() -> ServingInfo:
        ready: asyncio.Future[ServingInfo] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(CONFIG, ready.set_result))
        info = await asyncio.wait_for(ready, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return info

    assert len(asyncio.run(scenario()).addresses) == 4


async def udp_answer(server: TransportAddress, request: Request, expected: TransportAddress | None = None) -> Message:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        await loop.sock_sendto(sock, request.data, (server.host, server.port))
        data, source = await asyncio.wait_for(loop.sock_recvfrom(sock, 65536), 5)
        assert source == ((expected or server).host, (expected or server).port)
        return decode(data)


def test_a_change_request_is_answered_from_the_other_socket() -> None:
    async def scenario() -> None:
        async with running(CONFIG) as info:
            primary, _, _, alternate = info.addresses
            await udp_answer(primary, binding_request(change_ip=True, change_port=True), alternate)
            await udp_answer(alternate, binding_request(change_ip=True, change_port=True), primary)

    asyncio.run(scenario())


class TcpClient:
    """A TURN client on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.turn = TurnClient("alice", "wonderland")
        self.reader, self.writer = reader, writer
        self._frames = StreamFrames()

    async def ask(self, request: Request) -> Message:
        self.writer.write(request.data)
        while True:
            for frame in self._frames.feed(await asyncio.wait_for(self.reader.read(65536), 5)):
                return decode(frame.data)

    async def allocate(self, *attributes: tuple[int, Any]) -> Message:
        request = self.turn.allocate_request()
        assert self.turn.digest(request, await self.ask(request)) == "authenticate"
        return await self.ask(self.turn._request(Method.ALLOCATE, [(A.REQUESTED_TRANSPORT, 17), *attributes]))

    async def closed(self) -> bool:
        """Wait until the server has closed the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), 10) == b""
        except ConnectionResetError:
            return True


@asynccontextmanager
async def connected(info: ServingInfo) -> AsyncIterator[TcpClient]:
    reader, writer = await asyncio.open_connection(info.addresses[0].host, info.addresses[0].port)
    try:
        yield TcpClient(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionResetError, BrokenPipeError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\xff" * 70_000], ids=["http", "tls", "noise"]
)
def test_a_connection_that_speaks_something_else_is_closed(garbage: bytes) -> None:
    async def scenario() -> bool:
        async with running(CONFIG) as info, connected(info) as client:
            client.writer.write(garbage)
            return await client.closed()

    assert asyncio.run(scenario())


def test_a_closed_connection_frees_its_quota() -> None:
    async def scenario() -> list[bool]:
        config = msgspec.structs.replace(CONFIG, limits=Limits(allocations_per_user=1))
        async with running(config) as info, connected(info) as second:
            async with connected(info) as first:
                done = [(await first.allocate()).error is None, (await second.allocate()).error is None]
            for _ in range(100):
                answer = await second.ask(second.turn.allocate_request())
                if answer.error is None:
                    break
                await asyncio.sleep(0.02)
            return [*done, answer.error is None]

    assert asyncio.run(scenario()) == [True, False, True]


def test_connections_are_bounded_and_silent_ones_are_closed() -> None:
    async def scenario() -> tuple[bool, bool]:
        config = msgspec.structs.replace(CONFIG, limits=Limits(connections=2, idle_connection_s=0.2))
        async with running(config) as info, connected(info) as busy, connected(info) as silent:
            assert (await busy.allocate()).error is None
            async with connected(info) as third:
                refused = await third.closed()
            closed = await silent.closed()
            assert (await busy.ask(busy.turn.refresh_request())).error is None
            return refused, closed

    assert asyncio.run(scenario()) == (True, True)


def test_a_client_that_does_not_read_loses_its_connection() -> None:
    async def scenario() -> bool:
        async with running(CONFIG) as info, connected(info) as client:
            relayed = (await client.allocate()).relayed
            assert relayed is not None
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.bind(("127.0.0.1", 0))
                await client.ask(client.turn.permission_request(TransportAddress(*peer.getsockname())))
                # Far more than the system's buffers hold; the stream reader stops reading by itself.
                for _ in range(400):
                    peer.sendto(bytes(60_000), (relayed.host, relayed.port))
                    await asyncio.sleep(0.001)
            while await client.reader.read(1 << 20):
                pass
            return True

    with suppress(ConnectionResetError):
        assert asyncio.run(asyncio.wait_for(scenario(), 30))


def test_an_allocation_ends_by_itself() -> None:
    async def scenario() -> bool:
        config = msgspec.structs.replace(CONFIG, default_lifetime_s=1)
        async with running(config) as info, connected(info) as client:
            relayed = (await client.allocate()).relayed
            assert relayed is not None
            for _ in range(200):
                if is_free(relayed):
                    return True
                await asyncio.sleep(0.05)
            return False

    assert asyncio.run(scenario())


def is_free(address: TransportAddress) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((address.host, address.port))
        except OSError:
            return False
        return True


def test_an_even_port_is_even_and_a_token_gives_the_port_above_it_once() -> None:
    async def scenario() -> tuple[int, int, int | None]:
        async with running(CONFIG) as info, connected(info) as one, connected(info) as two, connected(info) as three:
            first = await one.allocate((A.EVEN_PORT, 0x80))
            token = (A.RESERVATION_TOKEN, first.first(A.RESERVATION_TOKEN))
            second, third = await two.allocate(token), await three.allocate(token)
            assert first.relayed is not None
            assert second.relayed is not None
            return first.relayed.port % 2, second.relayed.port - first.relayed.port, third.error and third.error.code

    assert asyncio.run(scenario()) == (0, 1, 508)


def test_a_reserved_port_is_free_again_after_30_seconds() -> None:
    sockets = RelaySockets(1)
    wanted = OpenRelay(CLIENT, Family.IPV4, even_port=True, reserve_next=True)
    first = sockets.open(0, wanted, LOOPBACK)
    assert first is not None
    assert first.token is not None
    above = TransportAddress(first.address.ip, first.address.port + 1)
    assert sockets.open(0, wanted, LOOPBACK) is None
    sockets.expire(29_999)
    assert not is_free(above)
    sockets.expire(30_000)
    assert is_free(above)
    assert sockets.open(0, OpenRelay(CLIENT, Family.IPV4, token=first.token), LOOPBACK) is None
    first.udp.close()


def test_a_relay_that_cannot_be_bound_is_none() -> None:
    assert RelaySockets(1).open(0, OpenRelay(CLIENT, Family.IPV4), NOT_OURS) is None


def test_an_even_port_is_asked_for_until_there_is_one() -> None:
    sockets = [RelaySockets(1).open(0, OpenRelay(CLIENT, Family.IPV4, even_port=True), LOOPBACK) for _ in range(8)]
    assert {found.address.port % 2 for found in sockets if found} == {0}
    for found in sockets:
        assert found is not None
        found.udp.close()
