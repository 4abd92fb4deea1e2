"""Is one's own TURN server open to abuse: its answers to a small fixed list of questions, one a second.

Only permissions and channels are asked for, which make a server send nothing to anybody (RFC 8656 sections 10 and 12);
no data follows, and whatever was allocated is given back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from rtcdiag.address import Family, IPAddress, TransportAddress
from rtcdiag.audit.peers import CHANNEL_PEERS, audit_seconds, fixed_peers, own_peers
from rtcdiag.evidence import AuditAllocation, AuditNonce, AuditScope, AuditSize, AuditTls, Exchange, Failure, Skipped
from rtcdiag.evidence.audit import TlsVersion
from rtcdiag.net import Net
from rtcdiag.net.stream import NetError, connect_tcp
from rtcdiag.net.tls_offer import offer
from rtcdiag.probes.audit_pace import Pace
from rtcdiag.probes.audit_talk import Talk, open_talk
from rtcdiag.probes.connection import Path, stream_limit_ms
from rtcdiag.probes.job import Job, Record
from rtcdiag.probes.leg import to_the_end
from rtcdiag.stun.header import MessageClass, Method
from rtcdiag.targets import Credential, Server, Transport
from rtcdiag.wires import Call

_MOST_SILENT = 3
"""So many unanswered questions in a row end the questions of one allocation."""
_FIRST_CHANNEL = 0x4000
_FIRST: TlsVersion = "TLSv1.2"
"""A server of later versions alone refuses it, and so tells that it speaks TLS."""
_MORE: tuple[TlsVersion, ...] = ("TLSv1.3", "TLSv1.1", "TLSv1")


async def observe(job: Job, net: Net, record: Record) -> None:
    """Audit one server after the other, each at its first address that answers."""
    pace = Pace(net, audit_seconds(job.servers))
    for server in job.servers:
        record(
            AuditScope(
                t_ms=net.now_ms(),
                server=server.uri,
                has_credentials=server.credential is not None,
                has_secret=server.expired_credential is not None,
            )
        )
        await _audit(server, net, pace, record)


async def _audit(server: Server, net: Net, pace: Pace, record: Record) -> None:
    if server.transport is Transport.DTLS:
        why = "an audit speaks UDP, TCP and TLS; browsers do not speak DTLS to a TURN server"
        record(Skipped(t_ms=net.now_ms(), what=f"the audit of {server.uri}", why=why))
        return
    addresses = await net.resolve(server.host)
    for at, ip in enumerate(addresses):
        if await _Audit(Path(server, TransportAddress(ip, server.port), server.transport), net, pace, record).run():
            for other in addresses[at + 1 :]:
                why = f"one address a server is enough, and {ip} answered"
                record(Skipped(t_ms=net.now_ms(), what=f"the audit of {server.uri} at {other}", why=why))
            return


class _Audit:
    """One address of one server."""

    def __init__(self, path: Path, net: Net, pace: Pace, record: Record) -> None:
        self._path, self._net, self._pace, self._record = path, net, pace, record
        self._credential = path.server.credential
        self._own: list[IPAddress] = [path.destination.ip]
        self._nonces: list[bytes] = []

    async def run(self) -> bool:
        """Ask everything; False where nothing was answered."""
        open_to_all = await self._as_a_stranger()
        if open_to_all is None:
            return False
        if self._credential is not None:
            await self._relay_of_ipv6()
        else:
            await self._second_challenge()
        if self._path.server.expired_credential is not None:
            await self._expired(self._path.server.expired_credential)
        if self._credential is not None:
            await self._tcp_relay()
        await self._tls()
        return True

    async def _as_a_stranger(self) -> bool | None:
        """Ask without credentials, then with them; whether strangers are served, None where nobody answered."""
        async with self._talk(self._path, self._credential) as talk:
            if talk is None:
                return None
            bound = await talk.binding()
            self._measure(bound)
            self._note_addresses(bound)
            asked = await talk.challenge()
            self._measure(asked)
            self._note_nonce(asked)
            if bound.message is None and asked.message is None:
                return None
            if talk.authenticates:
                await self._relay(talk, await talk.allocate(), Family.IPV4)
            granted = _granted(asked)
        if granted and self._credential is not None:
            await self._open_relay()
        return granted

    async def _open_relay(self) -> None:
        """Ask a server that serves strangers what its relays reach, too; whoever runs it gave credentials."""
        async with self._talk(self._path, self._credential) as talk:
            if talk is not None:
                await self._relay(talk, await talk.allocate(), Family.IPV4)

    async def _relay_of_ipv6(self) -> None:
        async with self._talk(self._path, self._credential) as talk:
            if talk is None:
                return
            challenged = await talk.challenge(_forget)
            self._note_nonce(challenged)
            if talk.authenticates or _granted(challenged):
                await talk.release()
                await self._relay(talk, await talk.try_to_allocate("ipv6-relay"), Family.IPV6)

    async def _second_challenge(self) -> None:
        async with self._talk(self._path, None) as talk:
            if talk is not None:
                self._note_nonce(await talk.challenge(_forget))

    async def _expired(self, credential: Credential) -> None:
        async with self._talk(self._path, credential) as talk:
            if talk is not None:
                await talk.challenge(_forget)
                if talk.authenticates:
                    await talk.try_to_allocate("expired-credentials")

    async def _tcp_relay(self) -> None:
        """Ask for a relay of TCP connections, over TCP; none is made."""
        transport = Transport.TCP if self._path.transport is Transport.UDP else self._path.transport
        failed: list[Failure] = []
        path = replace(self._path, transport=transport)

        def listen(seen: object) -> None:
            if (failure := getattr(seen, "failure", None)) is not None:
                failed.append(failure)

        async with self._talk(path, self._credential, listen) as talk:
            if talk is None:
                self._record(
                    AuditAllocation(
                        t_ms=self._net.now_ms(),
                        server=path.server.uri,
                        transport=transport,
                        destination=path.destination,
                        question="tcp-relay",
                        exchange=Exchange(sent_ms=(), failure=failed[0] if failed else Failure.OTHER_OS_ERROR),
                    )
                )
                return
            challenged = await talk.challenge(_forget)
            if talk.authenticates or _granted(challenged):
                await talk.release()
                await talk.try_to_allocate("tcp-relay")

    async def _relay(self, talk: Talk, allocated: Call, family: Family) -> None:
        """Ask for a permission for each peer, and for a channel to some, where there is an allocation."""
        message = allocated.message
        if message is None or message.message_class is not MessageClass.SUCCESS:
            return
        if message.relayed is not None:
            self._own.append(message.relayed.ip)
            if message.relayed.family is not family:  # pion's library gives IPv4 whatever was asked for
                return
        fixed = [peer.ip for peer in fixed_peers(family)]
        own = [peer.ip for peer in own_peers(tuple(self._own), family)]
        asks = [partial(talk.permit, family, ip) for ip in fixed + own]
        channels = enumerate((ip for ip in CHANNEL_PEERS if ip in fixed), _FIRST_CHANNEL)
        await self._until_silent([*asks, *(partial(talk.permit, family, ip, number) for number, ip in channels)])

    async def _until_silent(self, asks: list[Callable[[], Awaitable[Call]]]) -> None:
        silent = 0
        for at, ask in enumerate(asks, 1):
            silent = silent + 1 if (await ask()).message is None else 0
            if silent == _MOST_SILENT:
                what = f"{len(asks) - at} more permissions of {self._path.server.uri}"
                why = f"{_MOST_SILENT} in a row were not answered"
                self._record(Skipped(t_ms=self._net.now_ms(), what=what, why=why))
                return

    async def _tls(self) -> None:
        """Offer each version of TLS alone; nothing more where TLS is not spoken."""
        if await self._offer(_FIRST) in ("accepted", "refused") or self._path.transport is Transport.TLS:
            for version in _MORE:
                await self._offer(version)

    async def _offer(self, version: TlsVersion) -> str:
        path, net = self._path, self._net
        limit_ms = stream_limit_ms(net)
        await self._pace.turn()
        began = net.now_ms()
        name = None if path.server.ip_literal else net.options.server_name or path.server.host
        try:
            sock = await connect_tcp(path.destination, limit_ms, net.local_for(path.destination.family))
            self._pace.note()
            outcome, failure = await offer(sock, version, name, limit_ms)
        except NetError as error:
            outcome, failure = "failed", error.failure
        self._record(
            AuditTls(
                t_ms=began,
                duration_ms=net.now_ms() - began,
                server=path.server.uri,
                destination=path.destination,
                version=version,
                outcome=outcome,
                failure=failure,
            )
        )
        return outcome

    def _measure(self, call: Call) -> None:
        """Record how many bytes one request was answered with."""
        answers = call.transaction.arrivals
        if self._path.transport is not Transport.UDP or not answers or len(call.transaction.sent_ms) != 1:
            return
        request = call.transaction.request
        self._record(
            AuditSize(
                t_ms=self._net.now_ms(),
                server=self._path.server.uri,
                destination=self._path.destination,
                request="Binding" if request.method == Method.BINDING else "Allocate",
                request_bytes=len(request.data),
                answer_bytes=sum(len(found.message.raw) for found in answers),
            )
        )

    def _note_addresses(self, call: Call) -> None:
        """Keep the addresses that the server tells of itself."""
        message = call.message
        if message is not None:
            told = (message.response_origin, message.other_address, message.alternate_server)
            self._own += [address.ip for address in told if address is not None]

    def _note_nonce(self, call: Call) -> None:
        if call.message is None or call.message.nonce is None:
            return
        self._nonces.append(call.message.nonce)
        if len(self._nonces) == 2:
            self._record(
                AuditNonce(
                    t_ms=self._net.now_ms(),
                    server=self._path.server.uri,
                    destination=self._path.destination,
                    sizes_bytes=tuple(map(len, self._nonces)),
                    repeated=self._nonces[0] == self._nonces[1],
                )
            )

    @asynccontextmanager
    async def _talk(
        self, path: Path, credential: Credential | None, on_open: Record | None = None
    ) -> AsyncIterator[Talk | None]:
        """Open a conversation that is released and closed whatever happens."""
        talk = await open_talk(path, self._net, self._pace, on_open or self._record, credential)
        if talk is None:
            yield None
            return
        talk.record = self._record
        try:
            yield talk
        finally:
            try:
                await to_the_end(talk.release())
            finally:
                talk.close()


def _granted(call: Call) -> bool:
    return call.message is not None and call.message.message_class is MessageClass.SUCCESS


def _forget(_step: object) -> None:
    """Drop what says nothing that is not on record already."""
