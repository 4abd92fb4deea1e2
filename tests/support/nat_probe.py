"""A probe that asks model servers through a model NAT, without a socket.

It follows the sockets and labels of ``probes/nat_behavior.py``; its result is evidence for ``classify``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from rtcdiag.address import Scope, TransportAddress, scope_of
from rtcdiag.evidence import Answer, Binding, Change, Environment, Evidence, Exchange, Failure, Purpose
from support.nat_model import ModelNat, ModelServer

A = TransportAddress
OFFSETS_MS = (0.0, 100.0, 200.0, 300.0, 400.0)
"""When a request is sent, and sent again while nothing answers."""
WAIT_MS = 250.0
RTT_MS = 40.0


@dataclass
class Probe:
    """Asks servers through a NAT, and keeps what it saw."""

    nat: ModelNat
    servers: tuple[ModelServer, ...]
    loss: float = 0.0
    """Of each direction."""
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311  a model, no secret
    knows_local: bool = True
    offsets_ms: tuple[float, ...] = OFFSETS_MS
    seen: list[Binding] = field(default_factory=list)
    _ports: dict[str, int] = field(default_factory=dict)

    def ask(
        self,
        socket: str,
        server: ModelServer,
        purpose: Purpose,
        destination: TransportAddress,
        *,
        change: Change = "none",
        response_port: int | None = None,
        also_on: str | None = None,
        start_ms: float = 0.0,
    ) -> Binding:
        """Run one transaction."""
        port = self._ports.setdefault(socket, 32768 + 100 * len(self._ports) + self.random.randrange(100))
        local = A(self.nat.local_ip, port)
        expected = self._expected(server, destination, change)
        hearing = {local: socket} | ({A(self.nat.local_ip, self._ports[also_on]): also_on} if also_on else {})
        sent, heard = self._transmit(
            hearing,
            server,
            destination,
            change=change,
            expected=expected,
            response_port=response_port,
            start_ms=start_ms,
        )
        answers = list(heard)
        counted = next((item for item in heard if item.expected_source), None)
        heard_on = heard[counted] if counted else socket
        end_ms = counted.t_ms if counted else start_ms + self.offsets_ms[-1] + WAIT_MS
        found = Binding(
            id=f"obs-{len(self.seen)}",
            t_ms=start_ms,
            duration_ms=end_ms - start_ms,
            server=server.uri,
            purpose=purpose,
            socket=socket,
            local=local if self.knows_local else None,
            destination=destination,
            change=change,
            response_port=response_port,
            heard_on=heard_on if heard_on != socket else None,
            answer_from=expected,
            role="primary" if destination == server.primary else "alternate-address-and-port",
            exchange=Exchange(
                sent_ms=tuple(sent),
                answers=tuple(answers),
                failure=None if counted else Failure.TIMEOUT,
                rtt_ms=RTT_MS if counted and len(sent) == 1 else None,
            ),
        )
        self.seen.append(found)
        return found

    def _expected(self, server: ModelServer, destination: TransportAddress, change: Change) -> TransportAddress:
        other = server.claims or server.other or destination
        return {"none": destination, "address-and-port": other, "port": A(destination.ip, other.port)}[change]

    def _transmit(
        self,
        hearing: dict[TransportAddress, str],
        server: ModelServer,
        destination: TransportAddress,
        *,
        change: Change,
        expected: TransportAddress,
        response_port: int | None,
        start_ms: float,
    ) -> tuple[list[float], dict[Answer, str]]:
        """Return when was sent, and which socket heard what; the first of ``hearing`` sends."""
        local, sent = next(iter(hearing)), list[float]()
        answers: dict[TransportAddress, tuple[Answer, str]] = {}
        for offset in self.offsets_ms:
            if expected in answers:
                break
            sent.append(start_ms + offset)
            outside = self.nat.outward(local, destination)
            if self._is_lost() or self.nat.blocks_udp or not server.is_at(destination):
                continue
            asked = "refused" if response_port and server.response_port == "refuses" else change
            to = A(outside.ip, response_port) if response_port and server.response_port == "obeys" else outside
            for source, contents in server.answers(destination, asked, outside, self.random):
                inside = self.nat.inward(to, source)
                if not self._is_lost() and inside in hearing and source not in answers:
                    answer = Answer(
                        t_ms=start_ms + offset + RTT_MS,
                        source=source,
                        expected_source=source == expected,
                        size_bytes=68,
                        **contents,
                    )
                    answers[source] = answer, hearing[inside]
        return sent, dict(answers.values())

    def _is_lost(self) -> bool:
        return self.random.random() < self.loss

    def run(self) -> "Probe":
        """Ask everything that the real probe asks."""
        names = iter("ab")
        for server in self.servers:
            call = self.ask("m1", server, "mapping", server.primary)
            other = self._alternate(call)
            if other is None:
                continue
            self.ask("m1", server, "mapping", A(other.ip, server.port))
            self.ask("m1", server, "mapping", other)
            name = next(names, None)
            if name:
                self._filter(name, server, other)
        for server in self.servers[:2]:
            self.ask("m2", server, "mapping", server.primary)
        self._new_ports()
        self._check()
        return self

    def _check(self) -> None:
        """Have answers sent to what the two addresses of RFC 5780 servers told, where it is not the same."""
        for name, server in zip("ab", (server for server in self.servers if server.other is not None), strict=False):
            self._check_one(name, server)

    def _check_one(self, name: str, server: ModelServer) -> None:
        told = {item.destination: self._mapped_port(item) for item in self.seen if item.socket == "m1"}
        ports = [(to, told[to]) for to in (server.primary, server.other) if to is not None and told.get(to)]
        if len({port for _, port in ports}) == 2:
            for label, (to, port) in zip(("k" + name, "l" + name), ports, strict=True):
                self.ask(label, server, "control", to, response_port=port, also_on="m1", start_ms=250)

    def _new_ports(self) -> None:
        told = [item for item in self.seen if item.socket == "m1" and item.exchange.answer]
        if told:
            server = next(item for item in self.servers if item.uri == told[0].server)
            other = self._alternate(told[0])
            destination = A(other.ip, server.port) if other else server.primary
            for number in range(7):
                self.ask(f"p{number + 1}", server, "ports", destination, start_ms=100 + 15.0 * number)

    def _alternate(self, call: Binding) -> TransportAddress | None:
        other = call.exchange.answer.other_address if call.exchange.answer else None
        return other if other is not None and scope_of(other.ip) is Scope.GLOBAL else None

    def _filter(self, name: str, server: ModelServer, other: TransportAddress) -> None:
        self.ask("f" + name, server, "filtering", server.primary, start_ms=100)
        self.changes("f" + name, server, "filtering")
        if not self.seen[-1].exchange.answers:
            self.ask("f" + name, server, "tracking", A(server.ip, other.port), start_ms=1000)
        holes: tuple[tuple[Change, TransportAddress], ...] = (
            ("none", server.primary),
            ("address-and-port", other),
            ("port", A(server.ip, other.port)),
        )
        opened = {
            change: self._mapped_port(self.ask("c" + name, server, "control", destination, start_ms=100))
            for change, destination in holes
        }
        self.changes("c" + name, server, "control")
        elsewhere = {change: port for change, port in opened.items() if port not in (None, opened["none"])}
        self.changes("c" + name, server, "control", elsewhere)

    def _mapped_port(self, found: Binding) -> int | None:
        reflexive = found.exchange.answer.reflexive if found.exchange.answer else None
        return reflexive.port if reflexive else None

    def changes(
        self, socket: str, server: ModelServer, purpose: Purpose, ports: Mapping[Change, int | None] | None = None
    ) -> None:
        """Ask for both changed answers, or with ``ports`` for those that have to go to another public port."""
        kinds: tuple[Change, ...] = ("address-and-port", "port")
        for change in kinds:
            if ports is None or change in ports:
                port = ports[change] if ports else None
                self.ask(socket, server, purpose, server.primary, change=change, response_port=port, start_ms=200)

    @property
    def evidence(self) -> Evidence:
        return Evidence(observations=tuple(self.seen), environment=Environment())
