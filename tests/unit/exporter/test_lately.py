"""What the exporter remembers of the network: enough to judge silence by, and not for long."""

from rtcdiag.evidence import Evidence
from rtcdiag.exporter.lately import KEPT_S, Lately
from support.evidence import binding, failed, run


def of(number: int) -> Evidence:
    return run(binding(f"stun:s{number}.example.org", f"203.0.113.{number}:3478"))


SILENT = run(binding("stun:dead.example.org", "203.0.113.99:3478", failed()))


def test_who_answered_in_the_last_minute_is_a_control_and_who_did_before_is_none() -> None:
    lately = Lately()
    lately.learn("s1", of(1), 100.0)
    assert len(lately.controls(100.0 + KEPT_S - 1).beside(SILENT)) == 1
    assert lately.controls(100.0 + KEPT_S).beside(SILENT) == ()


def test_a_server_that_answers_again_is_remembered_anew() -> None:
    lately = Lately()
    lately.learn("s1", of(1), 100.0)
    lately.learn("s1", of(1), 150.0)
    assert lately.controls(155.0 + KEPT_S - 10).answered


def test_many_silent_servers_do_not_make_it_forget_who_answered() -> None:
    lately = Lately()
    lately.learn("s1", of(1), 0.0)
    for number in range(100):
        lately.learn(f"dead{number}", SILENT, 1.0)
    assert lately.controls(2.0).answered


def test_its_memory_is_bounded_and_keeps_the_newest() -> None:
    lately = Lately()
    for number in range(1, 200):
        lately.learn(f"s{number}", of(number), float(number) / 100)
    assert len(lately._seen) == 8
    seen = {item.server for item in lately.controls(2.0).beside(SILENT) if hasattr(item, "server")}
    assert seen == {"stun:s199.example.org", "stun:s198.example.org"}
