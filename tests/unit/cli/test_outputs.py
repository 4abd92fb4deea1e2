"""A report to standard output and to files."""

from pathlib import Path

import pytest

import rtcdiag.cli.outputs
from rtcdiag.cli.entry import BadInputError, main
from rtcdiag.cli.options import Output
from rtcdiag.cli.outputs import deliver, destinations, save_pair
from rtcdiag.cli.streams import OutputError
from rtcdiag.report import decode, encode
from support.reports import REPORTS

REPORT = REPORTS["healthy"]()


def test_the_format_of_a_file_is_the_named_one_or_that_of_its_suffix(tmp_path: Path) -> None:
    given = [str(tmp_path / "a.json"), f"html={tmp_path / 'b.json'}", str(tmp_path / "x=y.md")]
    found = [(item.format, item.path.name) for item in destinations(Output(output=given))]
    assert found == [("json", "a.json"), ("html", "b.json"), ("markdown", "x=y.md")]


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    given = [str(tmp_path / "a.json"), f"html={tmp_path}/./a.json"]
    with pytest.raises(BadInputError, match="the same file twice"):
        destinations(Output(output=given))


def test_a_file_that_cannot_be_written_costs_neither_the_result_nor_the_old_file(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", f"{path} {len(data)}")

    output = Output(as_json=True, output=[str(tmp_path / "a.json")])
    files = destinations(output)
    monkeypatch.setattr(rtcdiag.cli.outputs, "write_whole", full)
    with pytest.raises(OutputError, match=r"^.*/a.json: No space left on device$"):
        deliver(REPORT, output, files)
    assert encode(decode(capsysbinary.readouterr().out)) == encode(REPORT)


def test_quiet_text_is_the_verdict_in_one_line_and_a_format_is_still_a_format(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    deliver(REPORT, Output(quiet=True), ())
    assert capsysbinary.readouterr().out.decode() == f"{REPORT.verdict.status}: {REPORT.verdict.summary}\n"
    deliver(REPORT, Output(quiet=True, format="json"), ())
    assert encode(decode(capsysbinary.readouterr().out)) == encode(REPORT)


def test_a_saved_pair_is_named_after_the_start_of_the_run(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    save_pair(REPORT, tmp_path, quiet=True)
    save_pair(REPORT, tmp_path, quiet=False)
    names = sorted(path.name for path in tmp_path.iterdir())
    stem = "rtcdiag-20261122T160000Z"
    assert names == [f"{stem}-2.html", f"{stem}-2.json", f"{stem}.html", f"{stem}.json"]
    assert (tmp_path / f"{stem}.json").read_bytes() == encode(REPORT)
    assert capsysbinary.readouterr() == (b"", f"Saved {tmp_path}/{stem}-2.json and {tmp_path}/{stem}-2.html\n".encode())


@pytest.mark.parametrize("command", ["compare", "connect", "diff"])
def test_what_is_made_of_two_reports_offers_no_format_of_one(
    command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([command, "--help"]) == 0
    assert "firewall" not in capfd.readouterr().out
    near = ["--server", "stun:127.0.0.1:9", "--no-control", "--no-gateway", "--deadline", "1"]
    reports = near if command == "connect" else ["a.json", "b.json"]
    for refused in ("rules.firewall", "firewall=rules.txt"):
        assert main([command, *reports, "--output", refused]) == 2
        assert capfd.readouterr().err == (
            "rtcdiag: firewall: a format of one report (write rtcdiag show FILE --format firewall)\n"
        )
    assert main([command, *reports, "--output", "rules"]) == 2
    assert ".json, .html, .md, or write" in capfd.readouterr().err
