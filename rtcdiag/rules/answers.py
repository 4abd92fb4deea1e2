"""Who answered, and how: the controls without which silence proves nothing."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from rtcdiag.address import IPAddress, Scope, TransportAddress
from rtcdiag.evidence import Binding, Connect, Evidence, Exchange, Failure, Observation, TlsHandshake, TurnStep
from rtcdiag.targets import Transport


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """The transport addresses from which something came back."""

    udp: frozenset[TransportAddress]
    """Any datagram, also a wrong one: it came through."""
    stream: frozenset[TransportAddress]
    """TCP connected, controls included."""
    plain: frozenset[TransportAddress]
    """STUN answered over TCP without TLS."""
    tls: frozenset[TransportAddress]
    """TLS is spoken, whether or not the handshake was to our liking."""
    http: frozenset[TransportAddress]
    """HTTP came back to STUN."""

    def elsewhere(self, kind: Iterable[TransportAddress], ip: IPAddress) -> bool:
        """Whether another host beyond this computer answered."""
        return any(address.ip != ip and address.scope is not Scope.LOOPBACK for address in kind)


def answers(evidence: Evidence) -> Answers:
    """Collect who answered."""
    talks = tuple(exchanges(evidence))
    return Answers(
        udp=_where(talks, Transport.UDP, lambda exchange: bool(exchange.answers or exchange.stray_count)),
        stream=frozenset(item.destination for item in evidence.of(Connect) if item.failure is None),
        plain=_where(talks, Transport.TCP, lambda exchange: bool(exchange.answers)),
        tls=frozenset(item.destination for item in evidence.of(TlsHandshake) if _speaks_tls(item)),
        http=_where(talks, Transport.TCP, lambda exchange: exchange.failure is Failure.NOT_STUN_HTTP),
    )


def exchanges(evidence: Evidence) -> Iterator[tuple[Transport, TransportAddress, Exchange, Observation]]:
    """Yield every transaction of the evidence with its transport and destination."""
    for item in evidence.observations:
        exchange = getattr(item, "exchange", None)
        if isinstance(item, (Binding, TurnStep)) and isinstance(exchange, Exchange):
            yield item.transport, item.destination, exchange, item


def _where(
    talks: Iterable[tuple[Transport, TransportAddress, Exchange, Observation]],
    transport: Transport,
    test: Callable[[Exchange], bool],
) -> frozenset[TransportAddress]:
    return frozenset(address for how, address, exchange, _ in talks if how is transport and test(exchange))


def _speaks_tls(item: TlsHandshake) -> bool:
    spoke = item.failure is not None and item.failure.value.startswith("tls-")
    return item.failure is None or (spoke and item.failure is not Failure.TLS_NOT_SPOKEN)
