"""What arrived beside or instead of clean answers: wrong sources, floods, doubles, broken encodings."""

from collections.abc import Iterator

from rtcdiag.evidence import Allocation, Answer, Evidence, Observation, Refresh
from rtcdiag.findings import Finding
from rtcdiag.rules.paths import Path, Step, clip, paths

_FLOOD = 20
_MTU_BYTES = 1500
_TOLD = 3


def wire(evidence: Evidence) -> Iterator[Finding]:
    """Judge how the answers of each path came and were encoded, whatever they said."""
    for path in paths(evidence):
        steps = path.steps
        if path.answered:
            yield from _strays(path, steps)
            yield from _late(path, steps)
        yield from _amount(path, steps)
        yield from _doubled(path, steps)
        yield from _contradictory(path, steps)
        yield from _encoding(path, steps)


def integrity(evidence: Evidence) -> Iterator[Finding]:
    """Check that the success responses of TURN are signed with the password that the request was signed with."""
    for path in paths(evidence):
        signed = [
            step
            for step in path.steps
            if isinstance(step.seen, (Allocation, Refresh)) and step.exchange.succeeded and step.exchange.answer
        ]
        for check, code in (("invalid", "message-integrity-invalid"), ("absent", "message-integrity-missing")):
            wrong = [step.seen for step in signed if step.exchange.answer and step.exchange.answer.integrity == check]
            if wrong:
                yield path.find(code, *wrong)


def _strays(path: Path, steps: tuple[Step, ...]) -> Iterator[Finding]:
    """Yield what came beside answers that count; where none counts, the path is broken and reach says it."""
    elsewhere = [(step, answer) for step, answer in _answers(steps) if not answer.expected_source]
    if elsewhere:
        step, answer = elsewhere[0]
        yield path.find("answer-from-elsewhere", step.seen, stage=step.stage, source=str(answer.source or "unknown"))
    foreign = [step for step in steps if any(stray.why != "duplicate" for stray in step.exchange.strays)]
    if foreign:
        whys = sorted({stray.why for step in foreign for stray in step.exchange.strays if stray.why != "duplicate"})
        yield path.find("stray-datagrams", *_seen(foreign), stage=foreign[0].stage, why=", ".join(whys))


def _amount(path: Path, steps: tuple[Step, ...]) -> Iterator[Finding]:
    flood = [step for step in steps if step.exchange.stray_count > _FLOOD]
    if flood:
        count = max(step.exchange.stray_count for step in flood)
        yield path.find("server-floods", *_seen(flood), stage=flood[0].stage, count=count)
    large = [(step, size) for step in steps for size in _sizes(step) if size > _MTU_BYTES]
    if large:
        size = max(size for _, size in large)
        yield path.find("answer-oversized", large[0][0].seen, stage=large[0][0].stage, size_bytes=size)


def _sizes(step: Step) -> Iterator[int]:
    yield from (answer.size_bytes for answer in step.exchange.answers)
    yield from (stray.size_bytes for stray in step.exchange.strays)


def _late(path: Path, steps: tuple[Step, ...]) -> Iterator[Finding]:
    late = [step for step, answer in _answers(steps) if answer.late]
    if late:
        yield path.find("answer-late", *_seen(late), stage=late[0].stage)


def _doubled(path: Path, steps: tuple[Step, ...]) -> Iterator[Finding]:
    double = [step for step in steps if _doubles(step) > 0]
    if double:
        yield path.find("answer-duplicated", *_seen(double), stage=double[0].stage)


def _doubles(step: Step) -> int:
    """Return how many answers more came than requests were sent: each transmission may be answered once."""
    exchange = step.exchange
    same = sum(answer.expected_source for answer in exchange.answers)
    return same + sum(stray.why == "duplicate" for stray in exchange.strays) - len(exchange.sent_ms)


def _contradictory(path: Path, steps: tuple[Step, ...]) -> Iterator[Finding]:
    for step in steps:
        told = {_told(answer): answer for answer in step.exchange.answers if answer.expected_source}
        if len(told) > 1:
            yield path.find("answers-contradict", step.seen, stage=step.stage, told=list(told)[:_TOLD])


def _told(answer: Answer) -> str:
    """Return what an answer says, as far as it may not change between the copies of one answer."""
    if not answer.success:
        return f"error {answer.error_code}"
    addresses = " and ".join(str(address) for address in (answer.reflexive, answer.relayed) if address)
    return addresses or "success"


def _encoding(path: Path, steps: tuple[Step, ...]) -> Iterator[Finding]:
    bad = [(step, answer) for step, answer in _answers(steps) if answer.problems]
    if bad:
        step, answer = bad[0]
        yield path.find("answer-malformed", step.seen, stage=step.stage, problem=clip(answer.problems[0]))
    broken = [step for step, answer in _answers(steps) if answer.fingerprint == "invalid"]
    if broken:
        yield path.find("fingerprint-invalid", *_seen(broken), stage=broken[0].stage)


def _answers(steps: tuple[Step, ...]) -> Iterator[tuple[Step, Answer]]:
    for step in steps:
        for answer in step.exchange.answers:
            yield step, answer


def _seen(steps: list[Step]) -> tuple[Observation, ...]:
    return tuple(step.seen for step in steps)
