"""Packet loss: what is concluded stays right, and how loss is estimated."""

from random import Random

import msgspec
import pytest

from rtcdiag.address import Family, TransportAddress
from rtcdiag.evidence import Answer, Binding, Exchange, Failure, Stray
from rtcdiag.nat import BEHAVIORS, Behavior, Nat, classify
from rtcdiag.nat.loss import FLOOR, Tally, Transmission, last_waited_ms, p_all_lost, tally, telling, transmissions
from support.nat_model import ModelNat, ModelServer, plain, two_operators
from support.nat_probe import Probe

SERVERS = {"one": two_operators()[:1], "two": two_operators(), "two and plain": (*two_operators(), *plain(2))}
SERVER = TransportAddress("198.51.100.1", 3478)


def lossy(mapping: Behavior, filtering: Behavior, servers: tuple[ModelServer, ...], loss: float, seed: str) -> Nat:
    random = Random(seed)  # noqa: S311  a model, no secret
    nat = ModelNat(mapping, filtering, random=random)
    seen = classify(Probe(nat, servers, loss=loss, random=random).run().evidence, Family.IPV4)
    assert seen is not None
    return seen


def count(servers: str, loss: float, runs: int) -> tuple[int, int, int]:
    """Return how many classes were right, undetermined and wrong over all nine NATs."""
    right = wrong = undetermined = 0
    for mapping in BEHAVIORS:
        for filtering in BEHAVIORS:
            for number in range(runs):
                seed = f"{mapping}/{filtering}/{servers}/{loss}/{number}"
                seen = lossy(mapping, filtering, SERVERS[servers], loss, seed)
                assert seen.behind_nat in (True, None), seed
                assert seen.pooling in ("paired", None), seed
                for truth, said in ((mapping, seen.mapping), (filtering, seen.filtering)):
                    right += said == truth
                    undetermined += said == "undetermined"
                    wrong += said not in (truth, "undetermined")
    return right, undetermined, wrong


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("servers", SERVERS)
def test_loss_makes_no_wrong_class(servers: str, loss: float) -> None:
    right, _, wrong = count(servers, loss, runs=2)

    assert wrong == 0
    assert right >= {0.0: 36, 0.05: 28, 0.1: 22, 0.3: 10}[loss]


@pytest.mark.slow
@pytest.mark.parametrize("loss", [0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("servers", SERVERS)
def test_loss_makes_fewer_than_one_class_of_a_thousand_wrong(servers: str, loss: float) -> None:
    right, undetermined, wrong = count(servers, loss, runs=60)

    assert wrong <= 0.001 * (right + undetermined + wrong)


@pytest.mark.parametrize(("lost", "answered", "sends"), [(0, 8, 5), (0, 30, 3), (3, 20, 5), (6, 30, 6)])
def test_silence_after_so_many_transmissions_is_not_loss(lost: int, answered: int, sends: int) -> None:
    assert p_all_lost((lost, answered), sends) < 0.001
    assert p_all_lost((lost, answered), sends - 1) < 0.01


@pytest.mark.parametrize(("lost", "answered", "sends"), [(0, 0, 5), (0, 8, 3), (10, 10, 5), (0, 10**6, 1), (0, 8, 0)])
def test_silence_after_too_few_transmissions_may_be_loss(lost: int, answered: int, sends: int) -> None:
    assert p_all_lost((lost, answered), sends) >= 0.001


def test_no_path_is_taken_to_be_perfect() -> None:
    assert p_all_lost((0, 10**9), 2) == pytest.approx(FLOOR**2)


def binding(*, sent: tuple[float, ...], at: float | None = None, rtt: float | None = None, host: str = "") -> Binding:
    destination = TransportAddress(host, 3478) if host else SERVER
    answers = () if at is None else (Answer(t_ms=at, source=destination, size_bytes=1, success=True),)
    return Binding(
        t_ms=0,
        server="stun:x.example",
        purpose="reach",
        socket="m1",
        local=None,
        destination=destination,
        exchange=Exchange(
            sent_ms=sent, answers=answers, rtt_ms=rtt, failure=None if at is not None else Failure.TIMEOUT
        ),
    )


def counted(*bindings: Binding) -> Tally:
    return tally(transmissions(bindings))


def test_every_transmission_before_the_answered_one_is_lost() -> None:
    assert counted(binding(sent=(0, 100, 200), at=230)) == (2, 1)


def test_a_slow_path_is_no_lossy_one() -> None:
    measured = binding(sent=(0,), at=300, rtt=300)
    overtaken = binding(sent=(0, 100, 200), at=305)

    assert counted(measured, overtaken) == (0, 2)
    assert counted(binding(sent=(0, 100, 200), at=305, rtt=305)) == (0, 1)


def test_an_unanswered_request_is_loss_only_where_its_destination_lives() -> None:
    dead = binding(sent=(0, 100), host="198.51.100.99")

    assert counted(dead, binding(sent=(0,), at=20)) == (0, 1)
    assert counted(binding(sent=(0, 100)), binding(sent=(0,), at=20)) == (2, 1)


def test_a_request_for_a_changed_answer_that_none_came_to_is_not_counted() -> None:
    silent = msgspec.structs.replace(binding(sent=(0, 100)), change="port")

    assert counted(silent, binding(sent=(0,), at=20)) == (0, 1)


def test_a_request_that_was_cut_off_before_an_answer_could_come_is_not_lost() -> None:
    answered, asked = binding(sent=(0,), at=40, rtt=40), binding(sent=(0, 100, 300))

    assert counted(answered, msgspec.structs.replace(asked, duration_ms=310)) == (2, 1)
    assert counted(answered, msgspec.structs.replace(asked, duration_ms=110)) == (0, 1)
    assert counted(answered, msgspec.structs.replace(asked, duration_ms=800)) == (3, 1)


def test_an_answer_before_any_transmission_is_no_measure() -> None:
    assert counted(binding(sent=(50,), at=20)) == (0, 1)
    assert counted(binding(sent=(), at=20)) == (0, 1)


def repeated(*, sent: tuple[float, ...], copies: tuple[float, ...]) -> Binding:
    """Return a control that was answered after 40 ms and sent again all the same."""
    found = binding(sent=sent, at=40, rtt=40)
    strays = tuple(Stray(t_ms=t_ms, source=SERVER, size_bytes=1, why="duplicate") for t_ms in copies)
    return msgspec.structs.replace(found, exchange=msgspec.structs.replace(found.exchange, strays=strays))


@pytest.mark.parametrize(
    ("copies", "loss"),
    [
        ((240, 440, 640), (0, 4)),
        ((240, 640), (1, 3)),
        ((640, 641, 642), (2, 2)),
        ((41, 42, 500), (2, 2)),
        ((), (3, 1)),
    ],
)
def test_of_what_is_sent_again_after_its_answer_each_without_a_copy_is_lost(
    copies: tuple[float, ...], loss: Tally
) -> None:
    assert counted(repeated(sent=(0, 200, 400, 600), copies=copies)) == loss


def test_what_may_still_be_answered_is_not_lost_yet() -> None:
    seen = (repeated(sent=(0, 100, 200), copies=()),)

    assert tally(transmissions(seen, now_ms=270)) == (1, 1)
    assert tally(transmissions(seen, now_ms=400)) == (2, 1)


def sent(*times: tuple[float, bool | None], server: str = "stun:x.example") -> tuple[Transmission, ...]:
    return tuple(Transmission(t_ms, server, answered) for t_ms, answered in times)


def test_transmissions_within_one_burst_of_loss_tell_nothing() -> None:
    silent = binding(sent=(0, 100, 200, 300))

    assert telling(silent, ()) == 4, "nothing tells of a burst"
    assert telling(silent, sent((0, True), (110, False), (210, False), (290, True))) == 2
    assert telling(silent, sent((100, False), (101, True), (102, None))) == 4, "something got through"
    assert telling(silent, sent((100, False), server="stun:y.example")) == 4, "another server's path"


def test_only_transmissions_that_were_waited_for_tell() -> None:
    silent = msgspec.structs.replace(binding(sent=(0, 100, 400)), duration_ms=640.0)

    assert telling(silent, (), last_waited_ms(silent, 250)) == 3, "ten percent are a busy computer's"
    assert telling(silent, (), last_waited_ms(silent, 300)) == 2
    assert telling(silent, (), last_waited_ms(msgspec.structs.replace(silent, duration_ms=None), 250)) == 0
