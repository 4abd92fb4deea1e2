"""Whether IP fragments get through (RFC 4787 sections 10 and 11), and what gets through uncut.

An answer is proof: to a request that no link carries in one piece, or itself too long for one. Silence counts only with
controls: the server answers a request that is long and fits, it is shown to do PADDING, so it takes datagrams of any
size, and loss is excluded. Where the fragments are lost, here or at the server, is not told: only that another server's
got through, and then it is not here.
"""

from collections.abc import Callable

from rtcdiag.address import Family, Scope
from rtcdiag.evidence import SizedBinding, SizeTest
from rtcdiag.nat.judgement import OPT_IN, Judgement
from rtcdiag.nat.loss import Tally, p_all_lost
from rtcdiag.nat.silence import LIMIT
from rtcdiag.stun.attributes import AttributeType

NOT_TESTED = f"{OPT_IN}--fragments"
ETHERNET = 1500
"""No usual link carries more in one piece."""
_HEADERS = {Family.IPV4: 28, Family.IPV6: 48}
_Tests = dict[SizeTest, SizedBinding]


def outbound_of(lost: Tally, tests: tuple[SizedBinding, ...]) -> Judgement[bool]:
    """Tell whether fragments get from here to a server."""
    return _over_servers(lost, tests, _outbound)


def inbound_of(lost: Tally, tests: tuple[SizedBinding, ...]) -> Judgement[bool]:
    """Tell whether fragments get from a server to here."""
    return _over_servers(lost, tests, _inbound)


def mtu_of(tests: tuple[SizedBinding, ...]) -> Judgement[int]:
    """Return the largest packet that got to a server uncut."""
    tried = [test for test in tests if test.test == "unfragmented"]
    passed = [test for test in tried if test.exchange.succeeded]
    if passed:
        largest = max(passed, key=lambda test: test.packet_bytes)
        return Judgement(value=largest.packet_bytes, evidence=(largest.id,))
    if not tests:
        return Judgement(why=NOT_TESTED)
    if not tried:
        return Judgement(why="no server answered, or this system cannot forbid that packets are cut")
    return Judgement(why=f"no packet of {min(test.packet_bytes for test in tried)} bytes or more got through uncut")


def _over_servers(
    lost: Tally, tests: tuple[SizedBinding, ...], judge: Callable[[Tally, _Tests], Judgement[bool]]
) -> Judgement[bool]:
    """Return what one server shows; one where fragments get through outweighs another where they do not."""
    if not tests:
        return Judgement(why=NOT_TESTED)
    if all(test.destination.scope is Scope.LOOPBACK for test in tests):
        return Judgement(why="inside this computer nothing is cut")
    found = [judge(lost, _of(tests, server)) for server in dict.fromkeys((t.server, t.destination) for t in tests)]
    passing = [item for item in found if item.value]
    lost_ones = [item for item in found if item.value is False]
    return next(iter([*passing, *lost_ones, *found]))


def _of(tests: tuple[SizedBinding, ...], server: tuple[str, object]) -> _Tests:
    return {test.test: test for test in tests if (test.server, test.destination) == server}


def _outbound(lost: Tally, tests: _Tests) -> Judgement[bool]:
    passed = [
        test
        for test in tests.values()
        if test.packet_bytes > ETHERNET and any(a.success for a in test.exchange.answers)
    ]
    if passed:
        return Judgement(value=True, evidence=tuple(test.id for test in passed))
    return _silence(lost, tests, tests.get("long-fragmented"))


def _inbound(lost: Tally, tests: _Tests) -> Judgement[bool]:
    passed = [test for test in tests.values() if _longest_answer(test) > ETHERNET]
    if passed:
        return Judgement(value=True, evidence=tuple(test.id for test in passed))
    asked = tests.get("padding")
    if (
        asked is not None and asked.exchange.succeeded
    ):  # as little padding as was sent: a long answer needs a long request
        if not _outbound(lost, tests).value:
            return Judgement(
                why="long requests do not get out, and this server makes no answer longer than the request"
            )
        asked = tests.get("padding-fragmented")
        if asked is not None and asked.exchange.succeeded:
            return Judgement(why="the server makes no answer that is long enough to be cut")
    return _silence(lost, tests, asked)


def _longest_answer(test: SizedBinding) -> int:
    sizes = [answer.size_bytes for answer in test.exchange.answers if answer.expected_source]
    return max(sizes, default=0) + _HEADERS[test.destination.family]


def _silence(lost: Tally, tests: _Tests, asked: SizedBinding | None) -> Judgement[bool]:
    """Return no where nothing but lost fragments explains that a test was not answered."""
    if "long" not in tests or not tests["long"].exchange.succeeded:
        return Judgement(why="no server answers a request of 1200 bytes, which needs no cutting")
    if asked is None:
        return Judgement(why="the test did not run to its end")
    if not _does_padding(tests):
        return Judgement(why="no server that was asked does PADDING (RFC 5780), so it may refuse long datagrams")
    if asked.exchange.answers:
        return Judgement(why="the server refused the test")
    # Two fragments each: as likely to be lost as two packets.
    p_loss = p_all_lost(lost, len(asked.exchange.sent_ms) // 2)
    if p_loss >= LIMIT:
        return Judgement(why="loss cannot be excluded")
    return Judgement(value=False, p_wrong=p_loss, evidence=(asked.id, tests["long"].id))


_PADDED: tuple[SizeTest, ...] = ("padding", "padding-fragmented")


def _does_padding(tests: _Tests) -> bool:
    """Tell whether the server knows PADDING: it answers with it, refuses it only beside RESPONSE-PORT, or only that."""
    padded = [tests[name] for name in _PADDED if name in tests]
    refused = tests.get("padding-refused")
    answer = refused.exchange.answer if refused is not None else None
    if any(test.exchange.succeeded for test in padded) or answer is None:
        return any(test.exchange.succeeded for test in padded)
    if answer.error_code == 420:
        return bool(answer.unknown_attributes) and AttributeType.PADDING not in answer.unknown_attributes
    return answer.error_code == 400
