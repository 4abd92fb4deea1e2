"""Time-limited credentials where one of three clocks is wrong: Debian's faketime changes it for one process."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lab.service.asking import Told, check_turn
from rtcdiag.stun.credentials import mint
from support.ca import Authority
from support.coturn import coturn
from support.faketime import shifted
from support.netns import ALTERNATE, SERVER, Client, Topology
from support.services import service

pytestmark = pytest.mark.lab

SECRET = "north"
URI = "turn:turn.example.org"
HOUR = 3600
LATER, EARLIER = "+2h", "-2h"


def _clock(shift: str) -> tuple[str, ...]:
    return shifted(shift) if shift else ()


class Place:
    """A computer, and an internet in which a TURN server and a service of credentials have clocks of their own."""

    def __init__(self, net: Topology, client: Client, directory: Path) -> None:
        self.net, self.client, self.directory = net, client, directory
        self.authority = Authority(directory)
        self.certificate = self.authority.issue("turn.example.org", "ice.example.org", days=(-30, 30))
        (directory / "secret").write_text(SECRET)

    @contextmanager
    def servers(
        self,
        directory: Path,
        *,
        turn: str = "",
        made: str = "",
        life_s: int = HOUR,
        secret: str = SECRET,
        date: str | None = "",
    ) -> Iterator[None]:
        """Run both, under faketime where that is given; the service's credentials live from its own time on."""
        now = int(time.time()) + {LATER: 2 * HOUR, EARLIER: -2 * HOUR}.get(made, 0)
        login = mint(secret, "ann", now + life_s)
        entry = {"urls": [URI], "username": login.username, "credential": login.password}
        headers = {} if date == "" else {"headers": {"Date": date}}
        answers = {"/": headers, "/ice": {"body": json.dumps({"iceServers": [entry]})} | headers}
        prefix, there = self.net.internet.prefix, {"certificate": self.certificate, "port": 443}
        with ExitStack() as stack:
            where = {"listen": (SERVER,), "relay": (SERVER,), "prefix": (*prefix, *_clock(turn))}
            stack.enter_context(coturn(directory / "turn", secret=SECRET, users=(), **where))  # type: ignore[arg-type]  # of mixed dicts
            for name, host, clock in (("web", SERVER, turn), ("ice", ALTERNATE, made)):
                own = service(directory / name, answers, host=host, prefix=(*prefix, *_clock(clock)), **there)  # type: ignore[arg-type]  # of mixed dicts
                stack.enter_context(own)
            yield

    def with_list(self, *more: str, clock: str = "") -> Told:
        return self._asked("--ice-servers", "https://ice.example.org/ice", *more, clock=clock)

    def with_secret(self, *more: str, clock: str = "") -> Told:
        return self._asked(URI, "--secret-file", self.directory / "secret", *more, clock=clock)

    def _asked(self, *words: str | Path, clock: str) -> Told:
        prefix = (*self.client.prefix, *_clock(clock))
        return check_turn(*words, "--ca-file", self.authority.ca_file, prefix=prefix)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Topology() as net:
        net.serve_names({"turn.example.org": [SERVER], "ice.example.org": [ALTERNATE]})
        yield Place(net, net.client(), tmp_path_factory.mktemp("place"))


def offset_s(told: Told) -> float:
    return float(told.report["environment"]["clock_offset_s"])


def test_right_clocks_blame_the_password_and_no_clock(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path, secret="south"):
        told = place.with_list()
        silent = place.with_list("--no-control")
    assert told.serious == {"turn-credentials-rejected"}
    assert abs(offset_s(told)) < 30
    assert {item["role"] for item in told.evidence("ClockReading")} == {"service", "server"}
    assert {item["role"] for item in silent.evidence("ClockReading")} == {"service"}


def test_right_clocks_and_old_credentials_are_told_as_such(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path, life_s=-600):
        told = place.with_list()
    assert told.serious == {"turn-credentials-expired"}


def test_a_date_that_is_none_leaves_the_password_to_blame(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path, secret="south", date="Thu, 99 Foo 2026 25:61:61 GMT"):
        told = place.with_list()
    assert told.serious == {"turn-credentials-rejected"}
    assert told.report["environment"]["clock_offset_s"] is None


def test_a_clock_of_this_computer_that_is_behind_is_to_blame_for_what_it_makes(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path):
        told = place.with_secret(clock=EARLIER)
        both = place.with_list("--server", URI, "--secret-file", str(place.directory / "secret"), clock=EARLIER)
    assert told.serious == {"turn-credentials-clock-skew", "clocks-differ"}
    assert "apart" in told.title("turn-credentials-clock-skew")
    assert -7300 < offset_s(told) < -7100
    assert "clock-wrong" in both.serious or "clocks-differ" in both.serious


def test_a_clock_of_this_computer_that_is_ahead_makes_good_credentials_no_old_ones(
    place: Place, tmp_path: Path
) -> None:
    with place.servers(tmp_path):
        told = place.with_list(clock=LATER)
    assert told.serious == {"clocks-differ"}
    assert told.returncode == 0
    assert 7100 < offset_s(told) < 7300


def test_two_that_agree_outvote_this_computer(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path, secret="south"):
        told = place.with_list(clock=LATER)
    assert told.serious == {"turn-credentials-rejected", "clock-wrong"}
    assert "ahead" in told.title("clock-wrong")


def test_a_turn_server_with_a_wrong_clock_is_named(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path, turn=LATER):
        told = place.with_list()
    assert told.serious == {"turn-credentials-clock-skew", "clock-of-host-wrong"}
    assert "its clock is 7" in told.title("turn-credentials-clock-skew")
    assert "ahead" in told.title("turn-credentials-clock-skew")


def test_a_service_with_a_wrong_clock_is_named(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path, made=EARLIER):
        told = place.with_list()
    assert told.serious == {"turn-credentials-clock-skew", "clock-of-host-wrong"}
    assert "the service that made them" in told.title("turn-credentials-clock-skew")


def test_little_life_is_warned_about(place: Place, tmp_path: Path) -> None:
    with place.servers(tmp_path, life_s=300):
        told = place.with_list()
    assert told.serious == {"turn-credentials-expire-soon"}
