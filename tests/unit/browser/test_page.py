"""What a page may say and who may ask for it: everything that comes in is hostile."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rtcdiag.browser.data import Certificate, DtlsRole, Line, Remote
from rtcdiag.browser.opened import ice_servers
from rtcdiag.browser.posts import MAX_POST_BYTES, MAX_POSTS, Offered, browser_name, read_post
from rtcdiag.browser.served import Page
from rtcdiag.browser.talk import RefusedPostError, Talk
from rtcdiag.browser.trial import remote_of
from rtcdiag.signaling import Description, NewCandidate
from rtcdiag.signaling.messages import MAX_CANDIDATES
from rtcdiag.signaling.sdp import read
from rtcdiag.signaling.sdp_answer import answer
from rtcdiag.targets import Credential, parse_server

OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=setup:actpass",
        "a=mid:0",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        "",
    )
)
PORT = 40_000


def posted(kind: str, **value: Any) -> bytes:
    return json.dumps({"type": kind, **value}).encode()


def candidate(number: int, protocol: str = "udp") -> bytes:
    return posted("candidate", candidate=f"candidate:{number} 1 {protocol} 1 192.0.2.1 {5000 + number} typ host")


def talking() -> Talk:
    talk = Talk(("stun:stun.example.org:3478",), relay_only=False)
    talk.hear(Offered(OFFER, "Chromium 140"))
    return talk


ROW = {"local_type": "host", "remote_type": "host", "state": "succeeded"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":"candidate"}',
        b"[" * 60_000,
        posted("stats", moment="soon", after_ms=-1, pairs=[]),
        posted("stats", moment="never", after_ms=1, pairs=[]),
        posted("stats", moment="soon", after_ms=1, pairs=[ROW] * 200),
        posted("counted", sent=-1, received=0, round_trips_ms=[]),
        posted("counted", sent=1, received=0, round_trips_ms=[1.0] * 2000),
        posted("candidate", candidate="x" * 2000),
        b" " * MAX_POST_BYTES + posted("left"),
    ],
)
def test_what_the_page_has_no_reason_to_say_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"page|large"):
        read_post(data)


def test_nothing_counts_before_the_offer_and_a_second_page_is_refused() -> None:
    talk = Talk((), relay_only=False)
    with pytest.raises(RefusedPostError, match="not offered"):
        talk.hear(read_post(posted("left")))
    talk.hear(Offered(OFFER))
    with pytest.raises(RefusedPostError, match="another page"):
        talk.hear(Offered(OFFER))


@pytest.mark.parametrize("sdp", ["", "v=0\r\n", "hello", OFFER.replace("a=ice-pwd", "a=x-pwd")])
def test_an_offer_that_is_none_is_refused(sdp: str) -> None:
    with pytest.raises(RefusedPostError):
        Talk((), relay_only=False).hear(Offered(sdp))


def test_a_page_cannot_tell_more_candidates_or_posts_than_there_are_limits_for() -> None:
    talk = talking()
    for number in range(MAX_CANDIDATES + 20):
        talk.hear(read_post(candidate(number)))
    assert len(talk.view(0.0).candidates) == MAX_CANDIDATES
    for _ in range(MAX_POSTS - MAX_CANDIDATES - 21):
        talk.hear(read_post(candidate(1)))
    with pytest.raises(RefusedPostError, match="more than"):
        talk.hear(read_post(candidate(1)))


def test_candidates_over_tcp_are_shown_and_not_checked() -> None:
    talk = talking()
    talk.hear(read_post(candidate(1, "tcp")))
    talk.hear(read_post(candidate(2)))

    heard = [talk.incoming.get_nowait() for _ in range(talk.incoming.qsize())]
    assert isinstance(heard[0], Description)
    assert [item.candidate for item in heard[1:] if isinstance(item, NewCandidate)] == [talk.view(0.0).candidates[1]]
    assert len(talk.view(0.0).candidates) == 2


def test_a_server_is_named_only_where_the_page_was_given_it() -> None:
    talk = talking()
    for url in ("stun:stun.example.org:3478", "stun:\x1b[31mevil"):
        talk.hear(read_post(posted("server-error", url=url, code=701)))
    assert [item.server for item in talk.view(0.0).errors] == ["stun:stun.example.org:3478", ""]


def test_a_browsers_name_holds_no_control_character() -> None:
    assert browser_name("Chrom\x1b[2Jium 1<b>40\n") == "Chrom2Jium 1b40"


def test_addresses_with_zones_and_names_are_hidden_ones() -> None:
    row = {**ROW, "local_host": "fe80::1%\x1b[31m"}
    talk = talking()
    talk.hear(read_post(posted("stats", moment="soon", after_ms=1, pairs=[{**row, "selected": True}])))
    (pair,) = talk.view(0.0).pairs
    assert (pair.local, pair.remote) == (None, None)


async def asked(page: Page, method: str, path: str, **headers: str) -> httpx.Response:
    page.at(PORT)
    transport = httpx.ASGITransport(app=page.app())
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}") as client:
        return await client.request(method, path, headers=headers, content=posted("offer", sdp=OFFER))


GOOD = {"origin": f"http://127.0.0.1:{PORT}"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/TOKEN/", {}, 200),
        ("GET", "/TOKEN/page.js", {"sec-fetch-site": "same-origin"}, 200),
        ("GET", "/TOKEN/settings", {}, 200),
        ("POST", "/TOKEN/said", GOOD, 204),
        ("GET", "/", {}, 404),
        ("GET", "/another/", {}, 404),
        ("GET", "/another/settings", {}, 404),
        ("GET", "/TOKEN/../served.py", {}, 404),
        ("GET", "/TOKEN/%2e%2e/served.py", {}, 404),
        ("GET", "/TOKEN/settings", {"host": "evil.example"}, 404),
        ("GET", "/TOKEN/settings", {"host": f"127.0.0.1:{PORT + 1}"}, 404),
        ("GET", "/TOKEN/settings", {"origin": "http://evil.example"}, 404),
        ("GET", "/TOKEN/settings", {"sec-fetch-site": "cross-site"}, 404),
        ("GET", "/TOKEN/events", {"host": "evil.example"}, 404),
        ("POST", "/TOKEN/said", {}, 404),
        ("POST", "/TOKEN/said", {"origin": "null"}, 404),
        ("POST", "/TOKEN/said", {"origin": f"http://localhost:{PORT}"}, 404),
    ],
)
def test_only_the_page_itself_is_answered(method: str, path: str, headers: dict[str, str], status: int) -> None:
    page = Page(Talk((), relay_only=False), {"iceServers": []})
    answered = asyncio.run(asked(page, method, path.replace("TOKEN", page.token), **headers))

    assert answered.status_code == status
    policy = answered.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answered.headers["cache-control"] == "no-store"


def test_two_tabs_are_told_at_once_what_comes_while_another_event_is_sent() -> None:
    async def ask() -> list[bytes]:
        talk = Talk((), relay_only=False)
        page = Page(talk, {})
        talk.tell("first", {})
        idle, busy = page._stream(), page._stream()
        assert await anext(idle) == await anext(busy)  # busy is still sending it
        waiting = asyncio.ensure_future(anext(idle))
        await asyncio.sleep(0)
        talk.tell("second", {})
        told = [await waiting, await asyncio.wait_for(anext(busy), 5)]
        await idle.aclose()
        await busy.aclose()
        return told

    one, other = asyncio.run(ask())
    assert one == other
    assert b"event: second" in one


def test_the_answer_names_the_certificate_and_mirrors_the_data_channel() -> None:
    offer, fingerprint = read(OFFER, "offerer"), Certificate().fingerprint
    own = Description(session="00", role="answerer", ufrag="wxyz", pwd="p" * 24, complete=False)
    lines = answer(offer, own, fingerprint).split("\r\n")

    assert f"a=fingerprint:sha-256 {fingerprint}" in lines
    assert {"a=setup:active", "a=mid:0", "a=sctp-port:5000", "a=ice-ufrag:wxyz"} <= set(lines)
    assert "a=end-of-candidates" not in lines


@pytest.mark.parametrize("told", ["a=sctp-port:99999999", "a=sctp-port:-1", "a=sctp-port:x", "a=x:1"])
def test_a_port_that_is_none_is_the_usual_one_or_the_highest(told: str) -> None:
    remote = remote_of(read(OFFER.replace("a=sctp-port:5000", told), "offerer"))
    assert remote.port in (5000, 65_535)
    assert remote.role == "client"


def test_the_page_gets_the_servers_that_browsers_take_and_no_others() -> None:
    login = Credential("ann", "a-password")
    uris = ("stun:a.example", "stun:a.example?transport=tcp", "stuns:a.example", "turn:b.example?transport=tcp")
    servers = tuple(parse_server(uri, credential=login) for uri in (*uris, "turns:c.example?transport=udp"))

    given = ice_servers(
        (*servers, parse_server("turn:d.example"), parse_server("turns:[2001:db8::1]", credential=login))
    )
    assert [one["urls"][0] for one in given] == [
        "stun:a.example:3478",
        "turn:b.example:3478?transport=tcp",
        "turns:[2001:db8::1]:5349?transport=tcp",
    ]
    assert given[1]["credential"] == "a-password"


async def shaken(told: tuple[str, str], own: tuple[Certificate, Certificate]) -> tuple[Any, ...]:
    """Do a handshake of two lines without a socket; ``told`` is what each has as the other's fingerprint."""
    lines: list[Line] = []
    roles: tuple[DtlsRole, DtlsRole] = ("client", "server")

    def towards(other: int) -> Callable[[bytes], None]:
        return lambda data: lines[other].arrive(data)  # noqa: PLW0108 - it is made later

    for at in (0, 1):
        remote = Remote([("sha-256", told[at])], roles[at], 5000, 65_536)
        lines.append(Line(own[at], remote, towards(1 - at)))
    try:
        return tuple(await asyncio.gather(*(line.handshake(5.0) for line in lines)))
    finally:
        await asyncio.gather(*(line.close() for line in lines))


def test_dtls_runs_over_what_sends_and_receives_datagrams() -> None:
    """The contract with aiortc: its DTLS takes `_recv`, `_send` and `role` of ICE, and its own role by `_set_role`."""
    one, two = Certificate(), Certificate()
    assert asyncio.run(shaken((two.fingerprint, one.fingerprint), (one, two))) == (None, None)


def test_another_certificate_than_the_told_one_is_refused() -> None:
    one, two, other = Certificate(), Certificate(), Certificate()
    assert asyncio.run(shaken((other.fingerprint, one.fingerprint), (one, two)))[0] == "dtls-failed"
