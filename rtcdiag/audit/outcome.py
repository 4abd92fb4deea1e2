"""The evidence about one audited server, and how a check of it is told."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from rtcdiag.address import TransportAddress
from rtcdiag.evidence import Allocation, AuditScope, Challenge, Evidence, Observation, Target
from rtcdiag.targets import Transport

CheckVerdict = Literal["pass", "fail", "undetermined"]
Outcome = Literal["allowed", "refused", "unclear"]
CheckName = Literal[
    "open-relay",
    "expired-credentials",
    "lasting-credentials",
    "loopback",
    "this-host",
    "embedded",
    "link-local",
    "private",
    "special",
    "own-inner",
    "own",
    "channel-parity",
    "tcp-relay",
    "software",
    "leaked-address",
    "amplification",
    "tls-versions",
    "cleartext",
    "nonce",
]
_Kind = TypeVar("_Kind", bound=Observation)


class Question(NamedTuple):
    """What is checked, and what is asked for it."""

    check: CheckName
    asked: str


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One check of an audited server as a report has it."""

    server: str
    check: CheckName
    asked: str
    answer: str
    """In a few words; why it is undetermined, where it is."""
    verdict: CheckVerdict
    finding: str | None = None
    """The code that says what it means, where it failed."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A row, and what a finding needs besides."""

    row: AuditRow
    evidence: tuple[str, ...]
    facts: dict[str, Any] = {}
    is_milder: bool = False
    """Whether it failed by so little that it is only a fact."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one audited server."""

    scope: AuditScope
    target: Target | None
    address: TransportAddress | None
    """The address that answered."""
    started_at_s: float
    secure_elsewhere: bool
    """Whether a ``turns:`` URI of the same host was named too."""
    observations: tuple[Observation, ...]

    def of(self, kind: type[_Kind], where: Callable[[_Kind], bool] = lambda _: True) -> tuple[_Kind, ...]:
        """Return the observations of one kind for which ``where`` holds."""
        return tuple(item for item in self.observations if isinstance(item, kind) and where(item))

    @property
    def logged_in(self) -> bool:
        """Whether the credentials gave an allocation."""
        return any(item.exchange.succeeded for item in self.of(Allocation))

    @property
    def why_not(self) -> str:
        """Return why there was no allocation to ask with."""
        if not self.scope.has_credentials:
            return "no credentials were given"
        return "the run ended before" if self.logged_in else "no allocation was granted"

    def passed(self, question: Question, answer: str, *seen: Observation) -> Check:
        """Return a check that found nothing wrong."""
        return self._check(question, answer, "pass", None, seen)

    def unknown(self, question: Question, why: str, *seen: Observation) -> Check:
        """Return a check that got no answer, and why."""
        return self._check(question, why, "undetermined", None, seen)

    def failed(
        self, question: Question, answer: str, code: str, *seen: Observation, is_milder: bool = False, **facts: Any
    ) -> Check:
        """Return a check that failed, with the code that says what that means."""
        made = self._check(question, answer, "fail", code, seen)
        return msgspec.structs.replace(made, facts=facts, is_milder=is_milder)

    def _check(
        self, question: Question, answer: str, verdict: CheckVerdict, code: str | None, seen: tuple[Observation, ...]
    ) -> Check:
        check, asked = question
        server = self.scope.server
        row = AuditRow(server=server, check=check, asked=asked, answer=answer, verdict=verdict, finding=code)
        return Check(row=row, evidence=tuple(item.id for item in seen))


def views(evidence: Evidence) -> tuple[View, ...]:
    """Return what was seen of each audited server that answered anything."""
    return tuple(view for scope in evidence.of(AuditScope) if (view := _view(evidence, scope)).address is not None)


def _view(evidence: Evidence, scope: AuditScope) -> View:
    mine = tuple(item for item in evidence.observations if getattr(item, "server", None) == scope.server)
    targets = evidence.of(Target)
    target = next((item for item in targets if item.server == scope.server), None)
    secure = [item.host for item in targets if item.transport is Transport.TLS]
    return View(
        scope=scope,
        target=target,
        address=_answering(mine),
        started_at_s=evidence.started_at_s,
        secure_elsewhere=target is not None and target.host in secure,
        observations=mine,
    )


def _answering(observations: tuple[Observation, ...]) -> TransportAddress | None:
    """Return the address that answered the question of a stranger, or that answered at all."""
    heard = [item for item in observations if getattr(getattr(item, "exchange", None), "answer", None) is not None]
    heard.sort(key=lambda item: not isinstance(item, Challenge))
    found: TransportAddress | None = getattr(heard[0], "destination", None) if heard else None
    return found
