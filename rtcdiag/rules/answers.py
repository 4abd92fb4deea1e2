"""Who answered, and how: the controls without which silence proves nothing."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from rtcdiag.address import IPAddress, Scope, TransportAddress
from rtcdiag.evidence import (
    Binding,
    Connect,
    Evidence,
    Exchange,
    Failure,
    Observation,
    Target,
    TlsHandshake,
    TurnStep,
    WebCheck,
)
from rtcdiag.targets import Transport

_NEVER_SENT = (Failure.NETWORK_UNREACHABLE, Failure.HOST_UNREACHABLE, Failure.ADDRESS_UNAVAILABLE)


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

    @property
    def udp_works(self) -> bool:
        """Whether anybody beyond this computer answered over UDP."""
        return any(address.scope is not Scope.LOOPBACK for address in self.udp)


def answers(evidence: Evidence) -> Answers:
    """Collect who answered."""
    talks = tuple(exchanges(evidence))
    return Answers(
        udp=_where(talks, Transport.UDP, lambda exchange: bool(exchange.answers or exchange.stray_count)),
        stream=frozenset(_connected(evidence)),
        plain=_where(talks, Transport.TCP, lambda exchange: bool(exchange.answers)),
        tls=frozenset(item.destination for item in evidence.of(TlsHandshake) if _speaks_tls(item)),
        http=_where(talks, Transport.TCP, lambda exchange: exchange.failure is Failure.NOT_STUN_HTTP),
    )


def _connected(evidence: Evidence) -> Iterator[TransportAddress]:
    yield from (item.destination for item in evidence.of(Connect) if item.failure is None)
    yield from (item.destination for item in evidence.of(WebCheck) if item.local is not None)


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


def forbidden(evidence: Evidence) -> tuple[Binding, ...]:
    """Return the requests over UDP where none left this computer; empty where one did.

    Only of the default list: a server that the user named has a finding of its own.
    """
    defaults = {target.server for target in evidence.of(Target) if target.origin == "default"}
    asked = evidence.of(Binding, lambda item: item.transport is Transport.UDP)
    sent = tuple(item for item in asked if item.exchange.failure not in _NEVER_SENT)
    every = all(item.exchange.failure is Failure.PERMISSION_DENIED and item.server in defaults for item in sent)
    return sent if every else ()
