"""One command line: exit codes of everything that is decided before anybody is contacted."""

import json

import pytest

import rtcdiag.cli.app
from rtcdiag.cli import main
from rtcdiag.version import __version__

USAGE = [
    (["--nope"], "No such option: --nope (see rtcdiag --help)"),
    (["repot"], "No such command 'repot'. Did you mean 'report'? (see rtcdiag --help)"),
    (["serve", "x"], "No such command 'x' (see rtcdiag serve --help)"),
    (["nat-type", "--nope"], "No such option: --nope"),
    (["nat-type", "--server"], "Option '--server' requires an argument"),
    (["nat-type", "stun:h"], "Got unexpected extra argument(s) (stun:h) (see rtcdiag nat-type --help)"),
    (["nat-type", "--port", "x"], "Invalid value for '--port': 'x' is not a valid integer"),
    (["nat-type", "--port", "99999"], "--port 99999: not a number from 0 to 65535"),
    (["nat-type", "--timeout", "0"], "--timeout 0: not between 0.01 and 60 seconds"),
    (["nat-type", "--fail-on", "x"], "Invalid value for '--fail-on'"),
    (["nat-type", "--require", "x"], "Invalid value for '--require'"),
    (["nat-type", "--format", "pdf"], "Invalid value for '--format'"),
    (["nat-type", "--json", "--format", "html"], "--json and --format html exclude each other"),
    (["nat-type", "--server", "turn://h"], "'turn://h': turn: is not followed by // (write turn:h)"),
    (["nat-type", "--output", "report.pdf"], "--output report.pdf: the suffix names no format"),
    (["nat-type", "--output", "json="], "--output json=: the file is missing (write json=FILE)"),
    (["nat-type", "--output", "/no/such/dir/x.json"], "--output /no/such/dir/x.json: there is no directory"),
    (["report", "--reports-dir", f"{__file__}/x"], f"--reports-dir {__file__}/x: Not a directory"),
    (["check-turn"], "no server is named (write rtcdiag check-turn turn:HOST"),
    (["check-stun", "turn:h"], "'turn:h': no STUN server, as this command wants (write stun:h, or use check-turn)"),
    (["check-turn", "turn:h:0"], "'turn:h:0': port '0' is not a number from 1 to 65535"),
    (["check-turn", "turn:h", "--password-file", "/no/such/file"], "--password-file needs --username NAME"),
    (["check-turn", "turn:h", "--username", "a", "--no-input"], "--username needs a password"),
    (["check-turn", "--ice-servers", "/no/such/file"], "--ice-servers /no/such/file: No such file or directory"),
    (["candidates", "--bind", "x"], "--bind x: not an IP address"),
    (["connect", "--browser", "rtcd1.o.AwEj."], "--browser: a code is for two people, and the other end is a page"),
    (["connect", "--browser", "--in", "x"], "--browser: --in is for two people, and the other end is a page"),
    (["connect", "nope"], "nope: neither a code, which begins with rtcd1., nor a file"),
    (["connect", "rtcd1.o.AwEj"], "this code is cut off: it does not end with its full stop"),
    (["connect", "rtcd1.o.AwEj."], "this code is damaged: its checksum does not fit"),
    (["connect", "rtcd2.o.AwEj."], "this code was made by a newer version of rtcdiag"),
    (["connect", "v=0\r\ns=-\r\n"], "this SDP is of no use: it has no media description"),
    (["connect", '{"type": "offer"}'], "there is no code in this text"),
    (["connect", "rtcd1.o.AwEj.", "--in", "x"], "--in x: says where the answer comes from, and this end makes it"),
    (["connect", "--in", "/usr"], "--in /usr: is a directory"),
    (["connect", "--out", "/no/such/dir/x"], "--out /no/such/dir/x: there is no directory"),
    (["connect", "--out", "-", "--json"], "--out - and the report would both go to standard output"),
    (["connect", "-", "--password-file", "-"], "only one of the offer and --password-file can be -"),
    (["show", "/no/such/file"], "report /no/such/file: No such file or directory"),
    (["show"], "Missing argument 'FILE' (see rtcdiag show --help)"),
    (["explain", "no-such-code"], "'no-such-code' is no code of a finding"),
    (["serve", "stun", "--listen", "x"], "--listen x: not an IP address (write 127.0.0.1 or ::1)"),
    (["serve", "stun", "--listen", "192.0.2.1"], "refusing to listen on 192.0.2.1 without credentials"),
    (["serve", "stun", "--turn-users", "/no/such/file"], "cannot read /no/such/file"),
]


@pytest.mark.parametrize(("args", "message"), USAGE, ids=range(len(USAGE)))
def test_bad_usage_is_one_line_on_standard_error_and_exit_code_2(
    args: list[str], message: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RTCDIAG_PASSWORD", raising=False)
    assert main(args) == 2
    out, err = capsysbinary.readouterr()
    assert out == b""
    assert err.decode().startswith(f"rtcdiag: {message}")
    assert err.count(b"\n") == 1


def test_hostile_arguments_move_no_cursor(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for args in (["--\x1b[2J"], ["\x1b[2J"], ["show", "\x1b[2J\n"], ["check-turn", "turn:\x1b[2J"]):
        assert main(args) == 2
        out, err = capsysbinary.readouterr()
        assert b"\x1b" not in out + err
        assert err.count(b"\n") == 1


def test_the_version_is_printed_alone(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["--version"]) == 0
    assert capsysbinary.readouterr() == (f"rtcdiag {__version__}\n".encode(), b"")


@pytest.mark.parametrize("args", [[], ["--help"], ["-h"]])
def test_help_names_every_command_and_two_examples(args: list[str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(args) == 0
    out, err = capsysbinary.readouterr()
    lines = out.decode().splitlines()
    for entry in rtcdiag.cli.app.COMMANDS:
        assert any(line.split()[:1] == [entry.name] for line in lines), entry.name
    assert len([line for line in lines if line.startswith("    rtcdiag ")]) == 2
    assert max(map(len, lines)) <= 80
    assert err == b""


@pytest.mark.parametrize("entry", rtcdiag.cli.app.COMMANDS, ids=[entry.name for entry in rtcdiag.cli.app.COMMANDS])
def test_every_command_has_help_that_fits_80_columns(
    entry: rtcdiag.cli.app.Entry, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main([entry.name, "--help"]) == 0
    out = capsysbinary.readouterr().out.decode()
    assert out.startswith(f"Usage: rtcdiag {entry.name} ")
    assert max(map(len, out.splitlines())) <= 80


def test_bare_serve_shows_its_servers(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["serve"]) == 0
    assert b"\n  stun  " in capsysbinary.readouterr().out


def test_a_crash_is_one_line_without_the_message_and_never_exit_code_1(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> int:
        raise KeyError("hunter2")

    monkeypatch.setattr(rtcdiag.cli.app, "app", crash)
    assert main(["report"]) == 3
    out, err = capsysbinary.readouterr()
    assert out == b""
    assert err.startswith(b"rtcdiag: internal error: KeyError at entry.py:")
    assert err.count(b"\n") == 1
    assert b"hunter2" not in err


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (SystemExit(1), 0), (SystemExit(5), 5)])
def test_what_ends_the_program_early_becomes_its_exit_code(
    raised: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object, **__: object) -> int:
        raise raised

    monkeypatch.setattr(rtcdiag.cli.app, "app", end)
    assert main([]) == code


def test_typer_still_has_a_usage_error_where_we_look_for_it() -> None:
    assert rtcdiag.cli.app.UsageError.__name__ == "UsageError"
    assert issubclass(rtcdiag.cli.app.UsageError, Exception)


def test_the_codes_can_be_had_as_json(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["explain", "--json"]) == 0
    rows = json.loads(capsysbinary.readouterr().out)
    assert all({"code", "row", "severity"} <= set(row) for row in rows)
    assert len(rows) >= 30
