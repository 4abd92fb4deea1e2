"""How long a mapping and a filter remember, and what refreshes them: RFC 4787 section 4.3."""

import pytest

from support.middleboxes import HOST, OTHER_HOST, OTHER_SERVER, SERVER, Box, End, echo, tcp

A, B = (SERVER, 3478), (OTHER_SERVER, 3478)
HERE = (HOST, 50000)


def box_after(spec: str, now_s: float) -> tuple[Box, End]:
    """A box that mapped at 0, and whose time is now another."""
    box = Box(spec)
    mapped = box.mapped(HERE, A)
    box.now_s = now_s
    return box, mapped


@pytest.mark.parametrize("filtering", ["eif", "adf", "apdf"])
@pytest.mark.parametrize(("now_s", "open_still"), [(29.9, True), (30.0, False), (1000.0, False)])
def test_an_idle_mapping_lives_as_long_as_said(filtering: str, now_s: float, open_still: bool) -> None:
    box, mapped = box_after(f"eim/{filtering} lifetime=30s", now_s)
    assert box.accepts(A, mapped) == open_still


def test_an_expired_mapping_is_replaced_by_a_new_one() -> None:
    box, mapped = box_after("eim/eif port=random lifetime=30s", 30)
    assert box.mapped(HERE, A) != mapped
    assert not box.accepts(A, mapped)


def test_a_mapping_that_expired_behind_a_clock_that_went_back_is_replaced_too() -> None:
    box = Box("eim/eif port=preserving lifetime=30s")
    box.now_s = 100
    box.mapped((HOST, 1), A)
    box.now_s = 0
    old = box.mapped(HERE, A)
    box.now_s = 90
    assert not box.accepts(A, old)
    assert box.mapped(HERE, A) == old  # its port was free again
    assert box.accepts(A, old)


def test_the_port_of_an_expired_mapping_is_free_though_an_older_one_was_refreshed() -> None:
    box = Box("eim/eif port=preserving lifetime=30s")
    box.mapped((HOST, 1), A)
    box.now_s = 1
    expired = box.mapped(HERE, A)
    box.now_s = 20
    box.mapped((HOST, 1), A)
    box.now_s = 35
    assert box.mapped((OTHER_HOST, HERE[1]), A) == expired


@pytest.mark.parametrize(("refresh", "kept"), [("outbound", True), ("inbound", False), ("both", True)])
def test_what_goes_out_refreshes_where_it_should(refresh: str, kept: bool) -> None:
    box, mapped = box_after(f"eim/eif lifetime=30s refresh={refresh}", 20)
    assert box.mapped(HERE, A) == mapped
    box.now_s = 40
    assert box.accepts(A, mapped) == kept


@pytest.mark.parametrize("filtering", ["eif", "adf", "apdf"])
@pytest.mark.parametrize(("refresh", "kept"), [("outbound", False), ("inbound", True), ("both", True)])
def test_what_comes_in_refreshes_where_it_should(filtering: str, refresh: str, kept: bool) -> None:
    box, mapped = box_after(f"eim/{filtering} lifetime=30s refresh={refresh}", 20)
    assert box.accepts(A, mapped)
    box.now_s = 40
    assert box.accepts(A, mapped) == kept


def test_what_the_filter_drops_refreshes_nothing() -> None:
    box, mapped = box_after("eim/apdf lifetime=30s refresh=both", 20)
    assert not box.accepts(B, mapped)
    box.now_s = 30
    assert not box.accepts(A, mapped)


def test_a_filter_forgets_whom_nothing_was_sent_to_while_the_mapping_lives_on() -> None:
    box, mapped = box_after("eim/apdf lifetime=30s", 20)
    box.mapped(HERE, B)
    box.now_s = 40
    assert box.accepts(B, mapped)
    assert not box.accepts(A, mapped)


def test_a_connection_outlives_udp() -> None:
    box = Box("eim/apdf lifetime=30s")
    opened = box.out(tcp(HERE, A))
    assert opened is not None
    assert box.into(tcp(A, opened.source)) is not None
    box.now_s = 7000
    assert box.into(tcp(A, opened.source)) is not None
    box.now_s = 20000
    assert box.into(tcp(A, opened.source)) is None


def test_an_echo_is_answered_within_a_minute_or_not() -> None:
    box = Box("eim/apdf")
    asked = box.out(echo(HOST, SERVER, 77))
    assert asked is not None
    box.now_s = 60
    assert box.into(echo(SERVER, asked.source[0], 77, reply=True)) is None
