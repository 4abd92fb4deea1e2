"""The only raw sockets of the program: UDP, TCP, TLS, name resolution, routes; and the clock of a run."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Literal

from rtcdiag.address import Family, IPAddress, Scope, TransportAddress, family_of, scope_of
from rtcdiag.contacts import NAT64_NAME
from rtcdiag.evidence import Failure, Resolution
from rtcdiag.net.capture import Capture, Carrier
from rtcdiag.net.crowd import Crowd
from rtcdiag.net.local import Local
from rtcdiag.net.pacing import Pacer
from rtcdiag.net.quiet import Quiet
from rtcdiag.net.resolver import Answer, Resolver, look_up
from rtcdiag.net.routes import INTERNET, local_addresses, source_towards
from rtcdiag.net.rtnetlink import gateway_towards, interface_towards
from rtcdiag.net.stream import Stream
from rtcdiag.net.udp import UdpSocket, open_udp
from rtcdiag.options import RunOptions
from rtcdiag.synthesis import prefixes_of, synthesized

__all__ = ["Net", "OnProgress"]

OnProgress = Callable[[str, float, float], None]
"""Told how far an experiment is that takes long: its name, and of how many seconds how many are over."""


class Net:
    """The network as one run sees it. Look-ups are shared between probes; every socket is closed at the end."""

    def __init__(
        self, options: RunOptions, capture: Capture | None = None, *, resolver: Resolver | None = None
    ) -> None:
        """Start the run's clock; record packets where there is something to record them with.

        ``resolver`` is shared with other runs.
        """
        self.options = options
        self._ask = look_up if resolver is None else resolver.look_up
        self._capture = capture
        self.cut_off_by = Failure.DEADLINE
        """What it means when a probe is cancelled."""
        self.heard_udp = False
        """Whether a STUN server beyond this computer has answered over UDP."""
        self.controls = False
        """Whether this run asks control hosts."""
        self.clocks_asked: set[str] = set()
        """The hosts that were asked for their time."""
        self.pacer = Pacer(self.now_ms)
        self.crowd = Crowd()
        self.quiet = Quiet()
        """Who measures beside whom."""
        self.on_progress: OnProgress = lambda _what, _done_s, _total_s: None
        self.others_done = asyncio.Event()
        """Set when only probes are left that a run does not wait for in silence (``gateway``, ``hops``)."""
        self._started = time.monotonic()
        self._lookups: dict[tuple[str, Family], asyncio.Task[Answer]] = {}
        self._resolutions: list[Resolution] = []
        self._sockets: list[UdpSocket] = []
        self._interfaces: dict[IPAddress, str] | None = None

    def now_ms(self) -> float:
        """Return the milliseconds since the run began (monotonic)."""
        return (time.monotonic() - self._started) * 1000

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """Every look-up that was made, once each."""
        return tuple(self._resolutions)

    async def resolve(self, host: str) -> tuple[IPAddress, ...]:
        """Return the addresses of a name, or the literal itself, in the families that are used, IPv4 first."""
        try:
            literal = ip_address(host)
        except ValueError:
            answers = await asyncio.gather(*(self._look_up(host, family) for family in self.families))
            return tuple(ip for answer in answers for ip in answer.addresses)
        if isinstance(literal, IPv4Address) and self.is_ipv6_only and scope_of(literal) is Scope.GLOBAL:
            return await self._across(literal) or self._usable(literal)
        return self._usable(literal)

    async def resolving(self, host: str, within_ms: float | None = None) -> AsyncIterator[tuple[IPAddress, ...]]:
        """Yield the addresses of a name as they come, family by family; a literal's at once.

        A family for which nobody answers holds up no other; after ``within_ms`` it is not waited for.
        """
        looks = [asyncio.create_task(look) for look in self._looks(host)]
        try:
            for look in asyncio.as_completed(looks, timeout=within_ms / 1000 if within_ms is not None else None):
                yield await look
        except TimeoutError:
            return
        finally:
            for task in looks:
                task.cancel()

    def _looks(self, host: str) -> list[Coroutine[Any, Any, tuple[IPAddress, ...]]]:
        try:
            ip_address(host)
        except ValueError:
            return [self._in_family(host, family) for family in self.families]
        return [self.resolve(host)]

    async def _in_family(self, host: str, family: Family) -> tuple[IPAddress, ...]:
        return (await self._look_up(host, family)).addresses

    def _usable(self, literal: IPAddress) -> tuple[IPAddress, ...]:
        return (literal,) if family_of(literal) in self.families else ()

    async def _across(self, literal: IPv4Address) -> tuple[IPAddress, ...]:
        """Return what stands for an IPv4 address behind the NAT64 of this network, as RFC 8305 section 7.1 wants it."""
        found = tuple(dict.fromkeys(synthesized(prefix, literal) for prefix in await self.nat64_prefixes()))
        made = Resolution(
            t_ms=self.now_ms(),
            duration_ms=0.0,
            host=str(literal),
            family=Family.IPV6,
            addresses=tuple(map(str, found)),
            synthesized=True,
        )
        if found and not any(item.synthesized and item.host == made.host for item in self._resolutions):
            self._resolutions.append(made)
        return found

    @property
    def is_ipv6_only(self) -> bool:
        """Whether this computer has a way out over IPv6 that the options allow, and none over IPv4."""
        if Family.IPV6 not in self.families:
            return False
        ipv4, ipv6 = (self.source_towards(INTERNET[family]) for family in Family)
        lost = isinstance(ipv4, Failure) or scope_of(ipv4) is Scope.LOOPBACK
        return lost and not isinstance(ipv6, Failure) and scope_of(ipv6) in (Scope.GLOBAL, Scope.PRIVATE)

    async def nat64_prefixes(self) -> tuple[IPv6Network, ...]:
        """Return the prefixes of this network's NAT64 (RFC 7050 section 3), asked once; none where controls are off."""
        if not self.options.control:
            return ()
        answer = await self._look_up(NAT64_NAME, Family.IPV6)
        return prefixes_of(tuple(ip for ip in answer.addresses if isinstance(ip, IPv6Address)))

    async def _look_up(self, host: str, family: Family) -> Answer:
        key = (host, family)
        if key not in self._lookups:
            self._lookups[key] = asyncio.create_task(self._timed_look_up(host, family))
        # Shielded: one probe that is cancelled does not take the look-up from the others.
        return await asyncio.shield(self._lookups[key])

    async def _timed_look_up(self, host: str, family: Family) -> Answer:
        began = self.now_ms()
        answer = await self._ask(host, family, 2 * self.options.timeout_ms)
        self._resolutions.append(
            Resolution(
                t_ms=began,
                duration_ms=self.now_ms() - began,
                host=host,
                family=family,
                addresses=tuple(map(str, answer.addresses)),
                failure=answer.failure,
            )
        )
        return answer

    @property
    def families(self) -> tuple[Family, ...]:
        """The families of the options in which there is an address to bind to, where the options ask for one."""
        options = self.options
        if options.bind is None and options.interface is None:
            return options.families
        return tuple(family for family in options.families if self._address_for(family) is not None)

    def local_for(self, family: Family) -> Local:
        """Return where the options want the sockets of a family."""
        return Local(self._address_for(family), self.options.interface)

    def _address_for(self, family: Family) -> IPAddress | None:
        options = self.options
        if options.bind is not None:
            return options.bind if family_of(options.bind) is family else None
        if options.interface is None:
            return None
        owned = (ip for name, ip in local_addresses() if name == options.interface and family_of(ip) is family)
        return next(iter(sorted(owned, key=lambda ip: ip.is_link_local)), None)

    async def udp(self, family: Family, port: int = 0) -> UdpSocket:
        """Open a UDP socket that lives until the run ends; raise OSError where it cannot be bound."""
        sock = await open_udp(family, self.local_for(family), port)
        self._sockets.append(sock)
        if self._capture is not None:
            self._capture.watch_udp(sock, lambda peer: self._local_end(sock, peer))
        return sock

    def _local_end(self, sock: UdpSocket, peer: TransportAddress) -> TransportAddress:
        source = self.source_towards(peer.ip)
        return sock.bound if isinstance(source, Failure) else TransportAddress(source, sock.bound.port)

    def on_traffic(
        self,
        carrier: Carrier,
        way: Literal["sent", "received"],
        data: bytes,
        local: TransportAddress,
        peer: TransportAddress,
    ) -> None:
        """Record what went over a socket that others hold, where this run's packets are recorded."""
        if self._capture is not None:
            self._capture.note(carrier, way, data, local, peer)

    def watch(self, stream: Stream) -> None:
        """Record what goes over a connection, where this run's packets are recorded."""
        if self._capture is not None:
            self._capture.watch_stream(stream)

    def source_towards(self, destination: IPAddress) -> IPAddress | Failure:
        """Return the local address that packets to ``destination`` carry, or why there is none."""
        return source_towards(destination, self.local_for(family_of(destination)))

    def interface_towards(self, destination: IPAddress) -> str | None:
        """Return the interface by which packets to ``destination`` leave; None where there is none or nobody knows.

        Where the system does not tell, it is taken to be the one that has the source address.
        """
        local = self.local_for(family_of(destination))
        source = self.source_towards(destination)
        if isinstance(source, Failure):
            return None
        return local.interface or interface_towards(destination, local) or self.interface_of(source)

    def gateway_towards(self, destination: IPAddress) -> IPAddress | None:
        """Return the first router on the way to ``destination``; None where there is none or nobody knows."""
        return gateway_towards(destination, self.local_for(family_of(destination)))

    def interface_of(self, ip: IPAddress) -> str | None:
        """Return the name of the interface that has a local address."""
        # What is not known may be new: the network changes while a session waits.
        if self._interfaces is None or ip not in self._interfaces:
            self._interfaces = {local: name for name, local in local_addresses()}
        return self._interfaces.get(ip)

    async def close(self) -> None:
        """Close every socket and give up look-ups."""
        for sock in self._sockets:
            sock.close()
        for task in self._lookups.values():
            task.cancel()
        await asyncio.gather(*self._lookups.values(), return_exceptions=True)
