"""Which servers the agent of a session asks, and from which local addresses."""

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial

from rtcdiag.address import Family, IPAddress, TransportAddress, family_of
from rtcdiag.connect.progress import OnProgress, Told
from rtcdiag.connect.record import Giver, Record
from rtcdiag.evidence import Failure, Gathering
from rtcdiag.ice.relay import Relay
from rtcdiag.ice.settings import Answers, Asked, Settings
from rtcdiag.net import Net
from rtcdiag.net.stream import TlsSettings
from rtcdiag.probes.candidates import chosen_addresses
from rtcdiag.targets import Server, Transport

MOST_STUN, MOST_RELAYS = 3, 3
"""More servers make more candidates of the same kind, and the other end takes 32."""


def settings_for(
    servers: tuple[Server, ...], net: Net, record: Record, tell: OnProgress, *, hide_local: bool
) -> Settings:
    """Return what an agent asks: each server at its first address of a family, a few of each kind."""
    asking = _Asking(net, record, tell)
    return Settings(
        local=partial(chosen_addresses, net),
        servers=tuple(partial(asking.find, server) for server in dict.fromkeys(servers)),
        relay_only=net.options.relay_only,
        hide_local=hide_local,
        pace=net.pacer.turn,
        timeout_ms=net.options.timeout_ms,
        on_server=asking.note,
        on_traffic=net.on_traffic,
    )


class _Asking:
    """The servers of one session: each is asked as soon as its name is known."""

    def __init__(self, net: Net, record: Record, tell: OnProgress) -> None:
        self._net, self._record, self._tell = net, record, tell
        self._known: list[tuple[Server, TransportAddress]] = []
        self._stun: set[TransportAddress] = set()
        self._relays = 0
        # What cannot be told later holds up what is told: a name then gets as long as an answer does.
        self._patience_ms = None if record.trickle else net.options.timeout_ms

    async def find(self, server: Server) -> AsyncIterator[Asked]:
        """Yield whom to ask of one server; put on record where its name does not resolve."""
        began_ms, found = self._net.now_ms(), False
        async for ips in self._net.resolving(server.host, self._patience_ms):
            for address in _firsts(server, ips).values():
                found = True
                for asked in self._of(server, address):
                    yield asked
        if not found and (self._reflects(server) or _may_relay(server)):
            self._lost(server, began_ms)

    def _reflects(self, server: Server) -> bool:
        return server.transport is Transport.UDP and not self._net.options.relay_only

    def _of(self, server: Server, address: TransportAddress) -> Iterator[Asked]:
        self._known.append((server, address))
        if self._reflects(server) and address not in self._stun and len(self._stun) < MOST_STUN:
            self._stun.add(address)
            yield address
        if _may_relay(server) and self._relays < MOST_RELAYS:
            self._relays += 1
            yield _relay(server, address, self._net)

    def _lost(self, server: Server, began_ms: float) -> None:
        failures = (one.failure for one in self._net.resolutions if one.host == server.host and one.failure)
        failure = next(failures, Failure.DNS_TIMEOUT)
        self._record.more.append(
            Gathering(
                t_ms=began_ms,
                duration_ms=self._net.now_ms() - began_ms,
                server=server.uri,
                candidates=0,
                failure=failure,
                detail=f"{server.host} has no address in the families that were asked for",
            )
        )
        # Not its name: what is said here is not redacted.
        words = f"the name of one server does not resolve ({failure}): going on without it, the report names it"
        self._tell(Told("server", words))

    def note(self, answers: Answers) -> None:
        """Note a server's answers, under the first of the URIs that stand for it."""
        named = (
            server.uri
            for server, address in self._known
            if (address, server.transport) == (answers.server, answers.transport)
            and (_may_relay(server) or not answers.relays)
        )
        uri = next(named, str(answers.server))
        self._record.gave |= dict.fromkeys(answers.told, Giver(uri, answers.transport if answers.relays else None))
        first = answers.missed[0] if answers.missed else None
        self._record.more.append(
            Gathering(
                t_ms=answers.began_ms,
                duration_ms=self._net.now_ms() - answers.began_ms,
                server=uri,
                candidates=answers.candidates,
                redundant=answers.redundant,
                failure=first.failure if first else None,
                detail=f"{first.type}: {first.detail}" if first else None,
            )
        )


def _firsts(server: Server, ips: Iterable[IPAddress]) -> dict[Family, TransportAddress]:
    return {family_of(ip): TransportAddress(ip, server.port) for ip in reversed(tuple(ips))}


def _may_relay(server: Server) -> bool:
    return server.protocol == "turn" and server.credential is not None and server.transport is not Transport.DTLS


def _relay(server: Server, address: TransportAddress, net: Net) -> Relay:
    tls = TlsSettings(net.options.server_name or server.host, net.options.ca_file)
    return Relay(address=address, transport=server.transport, credential=server.credential, tls=tls)
