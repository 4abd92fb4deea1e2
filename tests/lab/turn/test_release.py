"""Whatever ends the TURN probe, no allocation stays on the server: every case is counted in coturn's own log."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from lab.turn.asking import cut, job
from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Binding, Challenge, Connect, Failure, Observation, Permission, Refresh, RelayedData
from rtcdiag.net import Net
from rtcdiag.net.stream import client_context, connect_tcp, encrypted
from rtcdiag.options import RunOptions
from rtcdiag.probes.turn_server import observe
from support.ca import Authority
from support.coturn import Coturn, coturn
from support.scripted import scripted_tcp, scripted_udp, silence

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Coturn]:
    with coturn(tmp_path_factory.mktemp("coturn"), certificate=authority.issue("localhost")) as running:
        yield running


async def stopped_at(uri: str, kind: type[Observation], error: BaseException | None, ca_file: str) -> list[Observation]:
    """Cancel the probe, or break it with an error, at its first observation of a kind; return what it recorded."""
    net, found = Net(RunOptions(ca_file=ca_file)), list[Observation]()

    def record(observation: Observation) -> None:
        found.append(observation)
        if isinstance(observation, kind) and sum(isinstance(item, kind) for item in found) == 1:
            if error is not None:
                raise error
            task.cancel()

    task = asyncio.create_task(observe(job(uri), net, record))
    try:
        await task
    except (asyncio.CancelledError, ExceptionGroup):
        pass
    finally:
        await net.close()
    return found


def uris(server: Coturn) -> list[str]:
    return [server.uri(), server.uri(transport="tcp"), server.uri("turns", host="localhost")]


@pytest.mark.parametrize("kind", [Challenge, Permission, RelayedData, Refresh])
@pytest.mark.parametrize("error", [None, RuntimeError("a bug")])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_nothing_is_left_when_the_probe_is_cut_off_or_breaks_at_a_step(
    server: Coturn, authority: Authority, kind: type[Observation], error: Exception | None, number: int
) -> None:
    found = asyncio.run(stopped_at(uris(server)[number], kind, error, str(authority.ca_file)))
    assert isinstance(next(item for item in reversed(found)), Observation)
    assert server.wait_until_empty()


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_is_left_whenever_the_probe_is_cut_off(server: Coturn, number: int) -> None:
    before = server.allocations_ever()
    for after_ms in range(0, 60, 3):
        seen = cut(uris(server)[number], after_ms)
        assert seen.took_s < 2
        assert server.wait_until_empty()
    assert server.allocations_ever() > before


async def cut_off_at_the_end_of_a_handshake(port: int, monkeypatch: pytest.MonkeyPatch) -> asyncio.StreamWriter:
    """Cancel a handshake when it has succeeded and its caller has not heard so yet; return what it opened."""
    opened: list[asyncio.StreamWriter] = []
    open_connection = asyncio.open_connection

    async def and_cancel(**given: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await open_connection(**given)
        opened.append(writer)
        task.cancel()
        return reader, writer

    monkeypatch.setattr(asyncio, "open_connection", and_cancel)
    sock = await connect_tcp(TransportAddress("127.0.0.1", port), 2000)
    task = asyncio.ensure_future(encrypted(sock, client_context(verify=False), "localhost", 2000))
    await asyncio.wait({task})
    assert task.cancelled()
    return opened[0]


def test_a_handshake_that_is_cut_off_as_it_succeeds_leaves_no_connection(
    server: Coturn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closing() -> bool:
        writer = await cut_off_at_the_end_of_a_handshake(server.tls_port, monkeypatch)
        try:
            return writer.transport.is_closing()
        finally:
            writer.transport.abort()

    assert asyncio.run(closing())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_what_a_silent_server_was_asked_is_on_record_when_the_probe_is_cut_off(transport: str) -> None:
    with (scripted_udp if transport == "udp" else scripted_tcp)(silence) as server:
        seen = cut(f"turn:127.0.0.1:{server.port}?transport={transport}", 500)
    assert seen.exchange(Challenge).failure is Failure.DEADLINE
    assert seen.exchange(Challenge).sent_ms
    assert seen.exchange(Binding, purpose="reach").failure is Failure.DEADLINE
    assert not seen.of(Refresh)
    assert seen.took_s < 1


def test_a_control_that_is_under_way_is_on_record_when_the_probe_is_cut_off() -> None:
    with scripted_udp(silence) as server, scripted_tcp(silence, port=server.port):
        seen = cut(f"turn:127.0.0.1:{server.port}", 700, timeout_ms=1000.0)
    assert seen.only(Connect).purpose == "control"
    assert seen.exchange(Binding, purpose="control").failure is Failure.DEADLINE
