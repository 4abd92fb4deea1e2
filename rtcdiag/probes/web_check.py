"""Does a sign-in page answer in place of the web: plain HTTP to documented hosts that always answer the same."""

import asyncio
import re
from urllib.parse import urlsplit

from rtcdiag.address import IPAddress, Scope, TransportAddress, scope_of
from rtcdiag.contacts import WEB_CHECKS, WebContact
from rtcdiag.evidence import Failure, WebCheck
from rtcdiag.net import Net
from rtcdiag.net.stream import NetError, Stream, connect_tcp, plain_stream
from rtcdiag.probes.job import Job, Record

HEAD_START = 0.25
"""After which part of the time-out silence over UDP is long enough to ask; nobody is asked where UDP is answered."""
_HOST = re.compile(r"[a-z0-9_.:-]{1,253}")
_HTTP_PORT = 80


async def observe(job: Job, net: Net, record: Record) -> None:
    """Where UDP stays silent, ask each documented host once, and within the time-out that UDP has."""
    del job
    await asyncio.sleep(HEAD_START * net.options.timeout_ms / 1000)
    if not net.heard_udp:
        await asyncio.gather(*(_ask(contact, net, record) for contact in WEB_CHECKS))


async def _ask(contact: WebContact, net: Net, record: Record) -> None:
    address = next((ip for ip in await net.resolve(contact.host) if _is_elsewhere(ip, net)), None)
    if address is None:
        return
    began = net.now_ms()
    seen = _Asking(contact, TransportAddress(address, _HTTP_PORT), net)
    failure: Failure | None = None
    try:
        async with asyncio.timeout((1 - HEAD_START) * net.options.timeout_ms / 1000):
            failure = await seen.run()
    except TimeoutError:
        failure = Failure.TIMEOUT
    record(seen.evidence(began, failure))


def _is_elsewhere(ip: IPAddress, net: Net) -> bool:
    """Whether another computer can be at an address: filters lead names to 0.0.0.0 or to this computer itself."""
    source = net.source_towards(ip)
    return not isinstance(source, Failure) and source != ip and scope_of(ip) not in (Scope.UNSPECIFIED, Scope.LOOPBACK)


class _Asking:
    """One request to one host."""

    def __init__(self, contact: WebContact, destination: TransportAddress, net: Net) -> None:
        # A moment's work, here and not at every start of the program.
        from rtcdiag.net.web import NotHttpError, WebAnswer, WebExchange  # noqa: PLC0415 - see its docstring

        self._contact, self._destination, self._net = contact, destination, net
        self._exchange, self._broken = WebExchange(contact.host, contact.path), NotHttpError
        self._local: TransportAddress | None = None
        self._answer: WebAnswer | None = None

    async def run(self) -> Failure | None:
        """Connect, ask, and read until the answer is known; return why it is not."""
        try:
            local = self._net.local_for(self._destination.family)
            sock = await connect_tcp(self._destination, self._net.options.timeout_ms, local)
            stream = await plain_stream(sock, self._destination)
        except NetError as error:
            return error.failure
        self._local = stream.local
        try:
            await self._read(stream)
        except NetError as error:
            return error.failure
        except self._broken:
            return Failure.NOT_HTTP
        finally:
            stream.close()
        return None

    async def _read(self, stream: Stream) -> None:
        stream.send(self._exchange.request())
        while self._answer is None:
            self._answer = self._exchange.receive(await stream.read())

    def evidence(self, began_ms: float, failure: Failure | None) -> WebCheck:
        """Return what a report keeps: whether it was the documented answer, and nothing of what came instead."""
        answer, contact = self._answer, self._contact
        told = answer.content.strip() if answer else b""
        return WebCheck(
            t_ms=began_ms,
            duration_ms=self._net.now_ms() - began_ms,
            url=contact.target,
            expected_status=200 if contact.content else 204,
            destination=self._destination,
            local=self._local,
            status=answer.status if answer else None,
            redirect_host=host_of(answer.location, contact.host) if answer and answer.location is not None else None,
            content="none" if not told else "expected" if told == contact.content else "other",
            failure=failure,
        )


def host_of(location: str, own_host: str) -> str:
    """Return the host of a Location, or ``""`` for what cannot be one; without one it is the host that was asked."""
    try:
        host = urlsplit(location).hostname if "//" in location[:8] else own_host
    except ValueError:
        return ""
    return host.lower() if host and _HOST.fullmatch(host.lower()) else ""
