"""``audit-turn`` asks nobody whom it must not ask, and says in one line why."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rtcdiag.cli.audit_guard import refuse_public
from rtcdiag.cli.entry import BadInputError, main
from rtcdiag.targets import parse_server


@pytest.fixture(autouse=True)
def _nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_args: object, **_more: object) -> None:
        raise AssertionError("somebody is asked")

    monkeypatch.setattr("rtcdiag.net.udp.open_udp", ask)
    monkeypatch.setattr("rtcdiag.net.stream.connect_tcp", ask)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["audit-turn", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    return told.err


def test_nobody_is_asked_without_consent(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--i-own-this-server" in refused(capsys, "turn:127.0.0.1:9")


def test_a_provider_is_refused_whatever_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "twilio.com" in refused(capsys, "turn:global.turn.twilio.com", "--i-own-this-server")


@pytest.mark.parametrize("host", ["turn.cloudflare.com", "TURN.Cloudflare.com.", "stun.l.google.com", "a.metered.live"])
def test_every_name_of_a_provider_is_one(host: str) -> None:
    with pytest.raises(BadInputError, match="not yours to audit"):
        refuse_public((parse_server(f"turn:{host}"),))


def test_a_name_that_only_ends_alike_is_nobodys() -> None:
    refuse_public((parse_server("turn:turn.mycloudflare.com"), parse_server("turn:twilio.com.example.org")))


def test_there_has_to_be_something_to_audit(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing to audit" in refused(capsys)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes(b"\0" * 100), "not a text file"),
        (lambda path: path.write_bytes(b"#" * (1 << 20) + b"#"), "longer than 1048576 bytes"),
        (lambda path: path.symlink_to(path), "symbolic links"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda _path: None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], object], why: str
) -> None:
    path = tmp_path / "turnserver.conf"
    make(path)
    assert why in refused(capsys, "--config", str(path))


@pytest.mark.parametrize("version", ["4", "four", "4.6.1-rc", "1" * 9 + ".0"])
def test_a_version_is_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str) -> None:
    path = tmp_path / "turnserver.conf"
    path.write_text("realm=a")
    assert "not a version" in refused(capsys, "--config", str(path), "--coturn-version", version)
    assert "not given" in refused(capsys, "turn:127.0.0.1", "--i-own-this-server", "--coturn-version", "4.6.1")


def test_a_configuration_alone_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "turnserver.conf"
    path.write_text("no-auth\nstatic-auth-secret=correct-horse-battery-staple-of-the-lot")
    assert main(["audit-turn", "--config", str(path)]) == 1
    told = capsys.readouterr()
    assert "Remove line 1" in told.out
    assert told.err == ""
    assert "correct-horse" not in told.out


def test_whom_it_would_contact_is_the_server_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit-turn", "turn:turn.example.org", "--list-contacts"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["turn:turn.example.org"]
