"""The rendezvous as a process of its own and real clients: both carriers, broken connections, TLS, a proxy, errors."""

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtcdiag.signaling import Bye, Description, NewCandidate, Report, SignalingError
from rtcdiag.signaling.invitation import Invitation, parse_invitation, parse_rendezvous
from rtcdiag.signaling.messages import GONE
from rtcdiag.signaling.rendezvous import Carrier, join_rendezvous, open_rendezvous
from rtcdiag.signaling.room import RoomChannel
from support.ca import Authority
from support.process import RTCDIAG, run
from support.rendezvous import Rendezvous, http, proxying, scripted, serving, wire_to

CARRIERS: tuple[Carrier, ...] = ("sse", "websocket")
OFFER = Description(session="0123456789abcdef", role="offerer", ufrag="frag", pwd="word" * 6)
LIMIT_S = 20.0


@pytest.fixture(scope="module")
def server() -> Any:
    with serving() as rendezvous:
        yield rendezvous


async def opened(url: str, carrier: Carrier, **settings: Any) -> RoomChannel:
    return await open_rendezvous(parse_rendezvous(url), carrier, **settings)


def joined(offerer: RoomChannel, carrier: Carrier, **settings: Any) -> RoomChannel:
    return join_rendezvous(parse_invitation(str(offerer.invitation)), carrier, **settings)


async def met(server: Rendezvous, one: Carrier, other: Carrier) -> tuple[RoomChannel, RoomChannel]:
    offerer = await opened(server.url, one)
    answerer = joined(offerer, other)
    await offerer.send(OFFER)
    assert await answerer.receive() == OFFER
    return offerer, answerer


def within(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, LIMIT_S))


# --- both ways, whichever carries it ---


@pytest.mark.parametrize("other", CARRIERS)
@pytest.mark.parametrize("one", CARRIERS)
def test_messages_arrive_in_order_both_ways_whichever_carrier_each_end_has(
    server: Rendezvous, one: Carrier, other: Carrier
) -> None:
    async def session() -> None:
        offerer, answerer = await met(server, one, other)
        assert (offerer.role, answerer.role) == ("offerer", "answerer")
        assert (offerer.kind, answerer.kind) == (one, other)
        told = [NewCandidate(candidate=f"candidate:{number}") for number in range(40)]
        for message in told:
            await offerer.send(message)
            await answerer.send(message)
        report = Report(compressed=bytes(range(256)) * 900)
        await answerer.send(report)
        assert [await answerer.receive() for _ in told] == told
        assert [await offerer.receive() for _ in told] == told
        assert await offerer.receive() == report
        await offerer.send(Bye(why="done"))
        await offerer.close()
        assert await answerer.receive() == Bye(why="done")
        assert await answerer.receive() == Bye(why=GONE)
        await answerer.close()

    within(session())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_who_made_the_room_hears_when_the_other_joins(server: Rendezvous, carrier: Carrier) -> None:
    async def session() -> None:
        offerer = await opened(server.url, carrier)
        heard: asyncio.Queue[str] = asyncio.Queue()
        offerer.on_peer = heard.put_nowait
        answerer = joined(offerer, carrier)
        assert await heard.get() == "joined"
        await answerer.close()
        assert await heard.get() == "left"
        await offerer.close()

    within(session())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_who_is_cut_off_is_told_to_be_away_and_to_be_back(server: Rendezvous, carrier: Carrier) -> None:
    async def session() -> None:
        async with wire_to(server.port) as wire:
            offerer = await opened(server.url, carrier)
            heard: asyncio.Queue[str] = asyncio.Queue()
            offerer.on_peer = heard.put_nowait
            invitation = parse_invitation(str(offerer.invitation).replace(server.url, wire.url))
            answerer = join_rendezvous(invitation, carrier)
            assert await heard.get() == "joined"
            await offerer.send(OFFER)
            assert await answerer.receive() == OFFER
            wire.cut = True
            wire.drop()
            assert await heard.get() == "away"
            wire.cut = False
            assert await heard.get() == "back"
            await answerer.close()
            assert await heard.get() == "left"
            await offerer.close()

    within(session())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_server_sees_neither_key_nor_words(server: Rendezvous, carrier: Carrier) -> None:
    async def session() -> None:
        async with wire_to(server.port) as wire:
            offerer = await opened(wire.url, carrier)
            answerer = joined(offerer, carrier)
            await offerer.send(OFFER)
            await answerer.receive()
            await answerer.close()
            await offerer.close()
            seen = bytes(wire.seen)
            secret = str(offerer.invitation).partition("#")[2].encode()
            assert offerer.invitation.room.encode() in seen
            for hidden in (secret, offerer.invitation.key, b"frag", b"wordword", b"offerer", OFFER.session.encode()):
                assert hidden not in seen

    within(session())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_broken_connections_lose_and_double_nothing(server: Rendezvous, carrier: Carrier) -> None:
    async def session() -> None:
        async with wire_to(server.port) as wire:
            offerer = await opened(wire.url, carrier)
            answerer = joined(offerer, carrier)
            await offerer.send(OFFER)
            assert await answerer.receive() == OFFER
            told = [NewCandidate(candidate=f"candidate:{number}") for number in range(60)]
            came: list[Any] = []

            async def receive() -> None:
                while len(came) < len(told):
                    came.append(await answerer.receive())

            receiving = asyncio.create_task(receive())
            for number, message in enumerate(told):
                await offerer.send(message)
                if number % 15 == 7:
                    await asyncio.sleep(0.02)
                    wire.drop()
            await receiving
            assert came == told
            assert wire.connections >= 4
            await offerer.close()
            await answerer.close()

    within(session())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_way_that_stays_broken_ends_in_an_error_that_says_so(
    server: Rendezvous, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtcdiag.signaling.patience.OUTAGE_S", 1.0)

    async def session() -> None:
        async with wire_to(server.port) as wire:
            offerer = await opened(wire.url, carrier)
            answerer = joined(offerer, carrier)
            await offerer.send(OFFER)
            await answerer.receive()
            wire.cut = True
            wire.drop()
            with pytest.raises(SignalingError, match=r"connection to the rendezvous at .* is lost"):
                await answerer.receive()
            await answerer.close()
            await offerer.close()

    within(session())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_receive_that_is_cancelled_loses_nothing(server: Rendezvous, carrier: Carrier) -> None:
    async def session() -> None:
        offerer, answerer = await met(server, carrier, carrier)
        for number in range(20):
            receiving = asyncio.create_task(answerer.receive())
            await asyncio.sleep(0)
            await offerer.send(NewCandidate(candidate=str(number)))
            receiving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await receiving
            assert await answerer.receive() == NewCandidate(candidate=str(number))
        await offerer.close()
        await answerer.close()

    within(session())


@pytest.mark.parametrize("carrier", CARRIERS)
def test_nothing_is_open_nor_running_after_a_session(server: Rendezvous, carrier: Carrier) -> None:
    async def session() -> None:
        before = asyncio.all_tasks()
        offerer, answerer = await met(server, carrier, carrier)
        await offerer.close()
        await answerer.close()
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == before

    within(session())


# --- TLS and proxies ---


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_rendezvous_with_tls_is_verified_with_the_ca_file(carrier: Carrier, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("127.0.0.1")

    async def session(url: str) -> None:
        trusting = {"ca_file": str(authority.ca_file)}
        offerer = await opened(url, carrier, **trusting)
        answerer = joined(offerer, carrier, **trusting)
        await offerer.send(OFFER)
        assert await answerer.receive() == OFFER
        await offerer.close()
        await answerer.close()
        with pytest.raises(SignalingError, match="tls unknown authority"):
            await opened(url, carrier)

    with serving("--tls-cert", str(certificate.chain_file), "--tls-key", str(certificate.key_file)) as rendezvous:
        assert rendezvous.url.startswith("https://")
        within(session(rendezvous.url))


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_session_goes_through_an_http_proxy(server: Rendezvous, carrier: Carrier, tmp_path: Path) -> None:
    async def session(proxy: str) -> None:
        offerer = await opened(server.url, carrier, proxy=proxy)
        answerer = joined(offerer, carrier, proxy=proxy)
        await offerer.send(OFFER)
        assert await answerer.receive() == OFFER
        await offerer.close()
        await answerer.close()

    with proxying(tmp_path) as (proxy, log):
        within(session(proxy))
        assert f":{server.port}" in log.read_text()


# --- what goes wrong, in one line ---


async def _failing(url: str, carrier: Carrier, code: str | None) -> str:
    async def ask() -> None:
        if code is None:
            await open_rendezvous(parse_rendezvous(url), carrier)
            return
        channel = join_rendezvous(parse_invitation(code), carrier)
        try:
            await channel.receive()
        finally:
            await channel.close()

    with pytest.raises(SignalingError) as caught:
        await ask()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_rendezvous_that_nobody_runs_cannot_be_reached(carrier: Carrier) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        assert within(_failing(url, carrier, None)) == (
            f"the rendezvous at {url.removeprefix('http://')} cannot be reached: connection refused"
        )


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http("404 Not Found", "<h1>no</h1>"), "no rendezvous of rtcdiag (HTTP status 404)"),
        (http("302 Found", "", "Location: http://127.0.0.1:1/"), "no rendezvous of rtcdiag (HTTP status 302)"),
        (http("404 Not Found", '{"error": "version", "versions": [0]}'), "the rendezvous is too old"),
        (http("404 Not Found", '{"error": "version", "versions": [2, 3]}'), "this rtcdiag is too old"),
        (http("404 Not Found", '{"error": "nothing-here"}'), "the rendezvous has nothing at this path"),
        (http("418 Teapot", '{"error": "of-tomorrow", "message": "\\u001b[31m"}'), "does not understand this version"),
        (b"\x16\x03\x01garbage\r\n\r\n", "it does not speak HTTP"),
        (b"", "it does not speak HTTP, or closed the connection"),
    ],
    ids=["html", "redirect", "old", "new", "elsewhere", "tomorrow", "garbage", "nothing"],
)
def test_what_is_no_rendezvous_of_ours_is_said_to_be_none(carrier: Carrier, answer: bytes, words: str) -> None:
    async def ask() -> str:
        async with scripted(answer) as url:
            return await _failing(url, carrier, None)

    said = within(ask())
    assert words in said
    assert said.isprintable()


@pytest.mark.parametrize("body", ["<h1>hello</h1>", '{"more":' + "[" * 10_000], ids=["html", "nested"])
def test_a_success_that_is_no_answer_of_ours_is_no_rendezvous(body: str) -> None:
    async def ask() -> str:
        async with scripted(http("200 OK", body)) as url:
            return await _failing(url, "sse", None)

    assert "is no rendezvous of rtcdiag" in within(ask())


def test_an_answer_that_never_becomes_whole_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtcdiag.signaling.sse.WHOLE_S", 0.5)
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"

    async def ask() -> str:
        async with scripted(begun, dribbled=b" ") as url:
            return await _failing(url, "sse", None)

    assert within(ask()).endswith("cannot be reached: no answer")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_room_that_is_not_there_is_unknown(server: Rendezvous, carrier: Carrier) -> None:
    async def ask() -> str:
        offerer = await opened(server.url, carrier)
        await offerer.close()
        return await _failing(server.url, carrier, str(offerer.invitation))

    assert within(ask()) == "the room does not exist or is over (ten minutes, one session): ask for a new one"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_room_with_two_people_is_full(server: Rendezvous, carrier: Carrier) -> None:
    async def ask() -> str:
        offerer, answerer = await met(server, "sse", "sse")
        said = await _failing(server.url, carrier, str(offerer.invitation))
        await offerer.close()
        await answerer.close()
        return said

    assert within(ask()) == "two people are in this room already: ask for a new one"


ROOM = "A" * 22
STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=hex\r\n\r\n"
    b'event: notice\ndata: {"end": "stopping"}\n\n'
)
SEAT = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n" + b'{"received":0}'


def test_a_stream_of_events_is_utf8_whatever_charset_it_has() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(STREAM if request.startswith(b"GET") else SEAT)
        await writer.drain()
        writer.close()

    async def ask() -> str:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as served:
            url = f"http://127.0.0.1:{served.sockets[0].getsockname()[1]}"
            return await _failing(url, "sse", str(Invitation.to(parse_rendezvous(url), ROOM)))

    assert within(ask()) == "the rendezvous was stopped"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_another_key_is_noticed_by_the_one_who_joins(server: Rendezvous, carrier: Carrier) -> None:
    async def ask() -> None:
        offerer = await opened(server.url, carrier)
        right = offerer.invitation
        wrong = type(right)(right.rendezvous, right.room, bytes(16))
        answerer = join_rendezvous(wrong, carrier)
        await offerer.send(OFFER)
        await answerer.send(OFFER)
        with pytest.raises(SignalingError, match="another key was used"):
            await answerer.receive()
        with pytest.raises(SignalingError, match="another key was used"):
            await offerer.receive()
        await answerer.close()
        await offerer.close()

    within(ask())


# --- the command ---


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bind", "nowhere"], "take IP addresses"),
        (["--bind", "192.0.2.77"], "cannot listen on 192.0.2.77 port 3480"),
        (["--port", "99999"], "cannot listen on 127.0.0.1 port 99999: no such port"),
        (["--tls-key", "x"], "--tls-key needs --tls-cert"),
        (["--tls-cert", "/nowhere.pem"], "--tls-cert /nowhere.pem cannot be used: No such file"),
        (["--public-url", "example.org"], "--public-url: the address of a rendezvous is https://HOST"),
        (["--trusted-proxy", "nginx"], "take IP addresses"),
        (["--max-rooms", "0"], "--max-rooms 0"),
    ],
)
def test_bad_input_is_one_line_and_serves_nothing(arguments: list[str], words: str) -> None:
    ended = run([RTCDIAG, "serve", "signal", *arguments])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_the_extra_it_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['starlette'] = None; from rtcdiag.cli import main; sys.exit(main(['serve', 'signal']))"
    )
    ended = run([sys.executable, "-c", code])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert (
        ended.stderr
        == "rtcdiag: rtcdiag serve signal needs an extra: pip install '.[serve]' in a checkout of rtcdiag\n"
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_and_tells_who_is_connected(number: int, code: int) -> None:
    async def session(rendezvous: Rendezvous) -> None:
        channels = [await opened(rendezvous.url, carrier) for carrier in CARRIERS]
        rendezvous.process.send_signal(number)
        for channel in channels:
            with pytest.raises(SignalingError, match="the rendezvous was stopped"):
                await channel.receive()
            await channel.close()

    with serving() as rendezvous:
        within(session(rendezvous))
        assert rendezvous.process.wait(5) == code
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", rendezvous.port))


def test_it_listens_on_this_computer_only_unless_told_otherwise(server: Rendezvous) -> None:
    listing = subprocess.run(["ss", "-Hltn", f"sport = :{server.port}"], capture_output=True, text=True, check=True)
    assert [line.split()[3] for line in listing.stdout.splitlines()] == [f"127.0.0.1:{server.port}"]
