"""A model TURN server whose relays test the filter of a model NAT; every way to be wrong is a field. No socket.

The sockets and labels are those of ``probes/vantage.py``; the result is evidence for ``classify``.
"""

from dataclasses import dataclass, field
from random import Random

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import (
    Environment,
    Evidence,
    Failure,
    KnockArrival,
    Observation,
    VantageBinding,
    VantageKnock,
    VantageOpening,
    VantagePoint,
)
from rtcdiag.evidence.vantage import VantageOutcome
from rtcdiag.targets import Transport
from support.nat_model import ModelNat, ModelServer
from support.nat_probe import RTT_MS, Probe

A = TransportAddress
GAP_MS = 50.0
WAIT_MS = 260.0


@dataclass
class ModelTurn:
    """A TURN server with two relays."""

    uri: str = "turn:turn.three.example"
    ip: str = "192.0.2.77"
    relays: tuple[TransportAddress, ...] = (A("192.0.2.77", 50001), A("192.0.2.77", 50002))
    transport: Transport = Transport.UDP
    outcome: VantageOutcome = "ready"
    error_code: int | None = None
    sends_from: TransportAddress | None = None
    """From where its relays really send; None: from where they say."""
    sends: bool = True
    """Whether its relays send at all."""
    sees: int = 0
    """How much it adds to the port of what its relays see."""
    second_sees: int = 0
    """How much the second relay alone adds."""
    stalls_after: int | None = None
    """After how many rounds its stream stands still."""


@dataclass
class RelayProbe:
    """Asks servers and relays through a NAT; without loss unless told otherwise."""

    nat: ModelNat
    others: tuple[ModelServer, ...]
    turn: ModelTurn = field(default_factory=ModelTurn)
    rounds: int = 8
    loss: float = 0.0
    """Of each direction."""
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311  a model, no secret
    seen: list[Observation] = field(default_factory=list)

    def run(self) -> "RelayProbe":
        """Do what the real probe does, and number what was seen."""
        turn, probe = self.turn, Probe(self.nat, self.others, loss=self.loss, random=self.random)
        ready = turn.outcome == "ready"
        for relayed in turn.relays[: None if ready else 1]:
            self.seen.append(
                VantagePoint(
                    t_ms=0.0,
                    server=turn.uri,
                    transport=turn.transport,
                    destination=A(turn.ip, 3478),
                    relayed=relayed if ready else None,
                    outcome=turn.outcome,
                    error_code=turn.error_code,
                    failure=Failure.TIMEOUT if turn.outcome == "unreachable" else None,
                )
            )
        if ready:
            self._test(probe)
        self.seen = [*probe.seen, *self.seen]
        return self

    def _test(self, probe: Probe) -> None:
        told: dict[str, tuple[TransportAddress, TransportAddress]] = {}
        sockets = [f"ta{number}" for number in range(1, len(self.others) + 1)]
        asked = {label: [other] for label, other in zip(sockets, self.others, strict=True)}
        for label, others in (asked | {"ta4": list(self.others)}).items():
            for server in others:
                found = probe.ask(label, server, "mapping", server.primary)
                answer = found.exchange.answer
                if answer is not None and answer.reflexive is not None and found.local is not None:
                    told.setdefault(label, (found.local, answer.reflexive))
        first, second = self.turn.relays[0], self.turn.relays[1] if len(self.turn.relays) > 1 else None
        near_local = A(self.nat.local_ip, 31003)
        told["ta3"] = (near_local, near_local)
        near = self._open("ta3", second, told) if second else None
        own = self._open("ta4", first, told)
        if second:
            self._open("ta4", second, told)
        for label in sockets:
            self._knock(label, first, told.get(label, (None, None))[1], told)
        self._knock("ta3", first, near, told)
        if second:
            self._knock("ta3", second, near, told)
        self._knock("ta4", first, own, told)
        for server in self.others:
            self._ask(server, first)

    def _open(
        self,
        socket: str,
        relayed: TransportAddress,
        told: dict[str, tuple[TransportAddress, TransportAddress]],
    ) -> TransportAddress | None:
        if socket not in told:
            return None
        local = told[socket][0]
        outside = self.nat.outward(local, relayed)
        arrives = next((n for n in range(self.rounds) if not self._is_lost()), None)
        mapped = None if arrives is None else A(outside.ip, outside.port + self._added(relayed))
        self.seen.append(
            VantageOpening(
                t_ms=120.0,
                server=self.turn.uri,
                relayed=relayed,
                socket=socket,
                local=local,
                sent_ms=(120.0,),
                seen_ms=None if mapped is None else 160.0,
                mapped=mapped,
            )
        )
        return mapped

    def _added(self, relayed: TransportAddress) -> int:
        return self.turn.sees + (self.turn.second_sees if relayed == self.turn.relays[-1] else 0)

    def _knock(
        self,
        socket: str,
        relayed: TransportAddress,
        peer: TransportAddress | None,
        told: dict[str, tuple[TransportAddress, TransportAddress]],
    ) -> None:
        if peer is None or socket not in told:
            return
        local, sent = told[socket][0], tuple(160.0 + GAP_MS * number for number in range(self.rounds))
        relayed_rounds = self.rounds if self.turn.stalls_after is None else self.turn.stalls_after
        source = self.turn.sends_from or relayed
        arrivals = [
            KnockArrival(number=number, t_ms=sent_ms + RTT_MS, source=source)
            for number, sent_ms in enumerate(sent)
            if self.turn.sends
            and number < relayed_rounds
            and not self._is_lost()
            and self.nat.inward(peer, source) == local
        ]
        self.seen.append(
            VantageKnock(
                t_ms=sent[0],
                duration_ms=sent[-1] + WAIT_MS - sent[0],
                server=self.turn.uri,
                transport=self.turn.transport,
                relayed=relayed,
                socket=socket,
                local=local,
                peer=peer,
                sent_ms=sent,
                arrivals=tuple(arrivals),
            )
        )

    def _ask(self, server: ModelServer, relayed: TransportAddress) -> None:
        told = server.lie(relayed, self.random) if server.lie is not None else relayed
        self.seen.append(
            VantageBinding(
                t_ms=200.0,
                server=server.uri,
                destination=server.primary,
                via=self.turn.uri,
                relayed=relayed,
                sent_ms=(200.0,),
                told=told if server.up else None,
            )
        )

    def _is_lost(self) -> bool:
        both = 1 - (1 - self.loss) ** 2
        return self.random.random() < both

    @property
    def evidence(self) -> Evidence:
        """What was seen, numbered."""
        numbered = [msgspec.structs.replace(item, id=f"obs-{n}") for n, item in enumerate(self.seen, 1)]
        return Evidence(observations=tuple(numbered), environment=Environment())
