"""A computer that gets another network address while a session waits: what was gathered is gathered again."""

from pathlib import Path

import pytest

from support.coturn import coturn
from support.ends import Ends
from support.netns import ALTERNATE, SERVER, Client, Router, Topology

pytestmark = pytest.mark.lab


def move(client: Client, router: Router) -> str:
    """Replace a computer's address, and return the new one."""
    fresh = str(router.lan[77])
    client.ip(
        f"address del {client.address}/{router.lan.prefixlen} dev eth0",
        f"address add {fresh}/{router.lan.prefixlen} dev eth0",
        f"route replace default via {router.lan[1]}",
    )
    return fresh


def test_a_computer_that_moves_while_it_waits_tells_new_candidates_and_connects_by_them(tmp_path: Path) -> None:
    with (
        Topology() as net,
        coturn(tmp_path, listen=(SERVER, ALTERNATE), relay=(SERVER,), prefix=net.internet.prefix) as server,
    ):
        router = net.router("masquerade")
        a, b = net.client(router, ipv6=False), net.client("masquerade", ipv6=False)
        ends = Ends(tmp_path, server)
        with ends.begun("a", a):
            ends.wait_for("a", "typ relay")
            fresh = move(a, router)
            ends.wait_for("a", f"{fresh} ")
            with ends.begun("b", b):
                seen = {side: ends.seen(side) for side in "ab"}

    for end in seen.values():
        assert end.outcome("direct") == "connected"
    assert seen["a"].session["address_changed"]
    assert not seen["b"].session["address_changed"]
    assert seen["a"].selected("direct")["local"].startswith(f"{fresh}:")
    assert "gathering candidates again, and telling the other side" in seen["a"].told
    bases = [item["local"] for item in seen["a"].pairs if item["local_type"] == "host"]
    assert not [base for base in bases if base.startswith(f"{a.address}:")]
    gave = [(item["type"], item["server"]) for item in seen["a"].candidates]
    assert gave.count(("relay", server.uri("turn"))) == 2


def test_with_copied_text_the_new_address_is_learned_from_the_checks_that_leave_from_it(tmp_path: Path) -> None:
    with (
        Topology() as net,
        coturn(tmp_path, listen=(SERVER, ALTERNATE), relay=(SERVER,), prefix=net.internet.prefix) as server,
    ):
        router = net.router("masquerade")
        a, b = net.client(router, ipv6=False), net.client("full-cone", ipv6=False)
        ends = Ends(tmp_path, server, SESSION_PASTE_S="0", SESSION_TURN="0")
        with ends.begun("a", a):
            ends.wait_for("a", "typ srflx")
            fresh = move(a, router)
            ends.wait_for("a", "The code that you gave has the old ones")
            with ends.begun("b", b):
                seen = {side: ends.seen(side) for side in "ab"}

    for end in seen.values():
        assert end.outcome("direct") == "connected"
    assert seen["a"].selected("all")["local"].startswith(f"{fresh}:")
    assert seen["b"].selected("all")["remote_type"] == "prflx"
    assert len(ends.messages("a")) == 1


def test_an_address_that_is_lost_and_not_replaced_proves_no_path_blocked(tmp_path: Path) -> None:
    with (
        Topology() as net,
        coturn(tmp_path, listen=(SERVER, ALTERNATE), relay=(SERVER,), prefix=net.internet.prefix) as server,
    ):
        a, b = net.client("masquerade", ipv6=False), net.client("udp-blocked", ipv6=False)
        ends = Ends(tmp_path, server, SESSION_TURN="0")
        with ends.begun("a", a):
            ends.wait_for("a", "typ srflx")
            with ends.begun("b", b):
                ends.wait_for("a", "a heard: ")
                a.ip(f"address del {a.address}/24 dev eth0")
                seen = ends.seen("a")

    assert seen.session["address_changed"]
    assert seen.outcome("direct") == "ended-early"
    assert "there is no path" not in seen.told
