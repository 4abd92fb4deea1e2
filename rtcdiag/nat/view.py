"""What there is to judge: one family's transactions with the servers farthest outside, and the answers believed."""

import msgspec

from rtcdiag.address import Scope
from rtcdiag.evidence import Binding, Environment, Failure
from rtcdiag.nat.answers import valid_answer, widest
from rtcdiag.nat.operators import operators
from rtcdiag.nat.samples import Sample, samples_of
from rtcdiag.nat.trust import distrust


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence about one family's NAT, sorted."""

    scope: Scope
    """That of the servers that count."""
    bindings: tuple[Binding, ...]
    """All transactions with servers of that scope."""
    operators: dict[str, str]
    """By server."""
    samples: tuple[Sample, ...]
    """Believed, with CHANGE-REQUEST or without, in the order of the answers."""
    distrusted: dict[str, str]
    """By server: why its mapped addresses are not believed."""
    environment: Environment

    @property
    def silent(self) -> str:
        """Why there is nothing to judge; empty where there is something."""
        if self.samples:
            return ""
        if any(valid_answer(item) for item in self.bindings):
            return "no answer told a mapped address that can be believed"
        if any(item.exchange.answers for item in self.bindings):
            return "no valid answer over UDP"
        failures = {item.exchange.failure for item in self.bindings}
        forbidden = "; this computer does not allow sending" if failures == {Failure.PERMISSION_DENIED} else ""
        return "no answer over UDP" + forbidden


def view_of(bindings: tuple[Binding, ...], environment: Environment) -> View:
    """Sort a family's transactions; there is at least one."""
    scope = widest(bindings)
    relevant = tuple(item for item in bindings if item.destination.scope is scope)
    run_by = operators(relevant)
    samples = samples_of(relevant, run_by)
    distrusted = distrust(samples, scope)
    return View(
        scope=scope,
        bindings=relevant,
        operators=run_by,
        samples=tuple(sample for sample in samples if sample.server not in distrusted),
        distrusted=distrusted,
        environment=environment,
    )
