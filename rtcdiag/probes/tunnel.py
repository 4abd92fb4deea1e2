"""The way to a server through the HTTP proxy that the environment names: its name, TCP, TLS to it, and CONNECT."""

import asyncio
from typing import Literal

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Failure, ProxyTunnel
from rtcdiag.net import Net
from rtcdiag.net.stream import NetError, Stream, TlsSettings, connect_tcp, plain_stream, tls_stream
from rtcdiag.probes.job import Record
from rtcdiag.proxies import Proxy
from rtcdiag.targets import Server

MOST_ADDRESSES = 4
Step = Literal["name", "connect", "tls", "request"]


def target_of(server: Server) -> str:
    """Return to where a proxy is asked to connect: the name as the URI has it, which browsers leave to the proxy."""
    return f"{f'[{server.host}]' if ':' in server.host else server.host}:{server.port}"


async def proxy_addresses(server: Server, proxy: Proxy, net: Net, record: Record) -> tuple[TransportAddress, ...]:
    """Return where the proxy is; where its name has no address, record that."""
    began = net.now_ms()
    found = await net.resolve(proxy.host)
    if not found:
        looked_up = (item for item in net.resolutions if item.host == proxy.host)
        failure = next((item.failure for item in looked_up if item.failure), Failure.DNS_NO_ADDRESS)
        record(_tunnel(server, proxy, began, net, step="name", failure=failure))
    return tuple(TransportAddress(ip, proxy.port) for ip in found[:MOST_ADDRESSES])


async def open_tunnel(
    server: Server, destination: TransportAddress, net: Net, record: Record, limit_ms: float
) -> Stream | Failure:
    """Get a tunnel to a server from the proxy, at one of its addresses, and record it, also when cancelled."""
    assert net.options.proxy is not None
    opening = _Opening(server, net.options.proxy, destination, net)
    try:
        async with asyncio.timeout(limit_ms / 1000):
            await opening.run(limit_ms)
    except TimeoutError:
        opening.failure = Failure.TIMEOUT
    except asyncio.CancelledError:
        opening.failure = net.cut_off_by
        raise
    finally:
        record(opening.evidence())
        if not opening.opened:
            opening.close()
    if opening.stream is None or not opening.opened:
        return opening.failure or Failure.CONNECTION_REFUSED
    return opening.stream


class _Opening:
    """One try, and how far it came."""

    def __init__(self, server: Server, proxy: Proxy, destination: TransportAddress, net: Net) -> None:
        self.stream: Stream | None = None
        self.failure: Failure | None = None
        self._server, self._proxy, self._destination, self._net = server, proxy, destination, net
        self._began = net.now_ms()
        self._step: Step = "connect"
        self._detail: str | None = None
        self._status: int | None = None
        self._schemes: tuple[str, ...] = ()

    @property
    def opened(self) -> bool:
        return self.evidence().opened

    async def run(self, limit_ms: float) -> None:
        """Connect, and ask."""
        try:
            sock = await connect_tcp(self._destination, limit_ms, self._net.local_for(self._destination.family))
        except NetError as error:
            self.failure = error.failure
            return
        if self._proxy.scheme == "https":
            self._step = "tls"
            settings = TlsSettings(self._proxy.host, self._net.options.ca_file)
            self.stream, facts = await tls_stream(sock, self._destination, settings, limit_ms)
            self.failure, self._detail = facts.failure, facts.detail
        else:
            self.stream = await plain_stream(sock, self._destination)
        if self.stream is not None:
            await self._ask(self.stream)

    async def _ask(self, stream: Stream) -> None:
        from rtcdiag.net.tunnel import TunnelAnswer, ask_for_tunnel  # noqa: PLC0415 - see its docstring

        self._step = "request"
        answer = await ask_for_tunnel(stream, target_of(self._server), self._proxy.credential)
        if isinstance(answer, TunnelAnswer):
            self._status, self._schemes = answer.status, answer.schemes
        else:
            self.failure = answer

    def evidence(self) -> ProxyTunnel:
        """Return what a report keeps."""
        return _tunnel(
            self._server,
            self._proxy,
            self._began,
            self._net,
            step=self._step,
            destination=self._destination,
            local=self.stream.local if self.stream else None,
            login=self._step == "request" and self._proxy.credential is not None,
            status=self._status,
            schemes=self._schemes,
            failure=self.failure,
            detail=self._detail,
        )

    def close(self) -> None:
        """Close the connection to the proxy."""
        if self.stream is not None:
            self.stream.close()


def _tunnel(
    server: Server,
    proxy: Proxy,
    began_ms: float,
    net: Net,
    *,
    step: Step,
    destination: TransportAddress | None = None,
    local: TransportAddress | None = None,
    login: bool = False,
    status: int | None = None,
    schemes: tuple[str, ...] = (),
    failure: Failure | None = None,
    detail: str | None = None,
) -> ProxyTunnel:
    return ProxyTunnel(
        t_ms=began_ms,
        duration_ms=net.now_ms() - began_ms,
        server=server.uri,
        proxy=proxy.label,
        target=target_of(server),
        destination=destination,
        local=local,
        step=step,
        login=login,
        status=status,
        schemes=schemes,
        failure=failure,
        detail=detail,
    )
