"""Redaction on the command line: what is written tells nobody's network, and what cannot be is said in one line."""

from pathlib import Path

import msgspec
import pytest

from rtcdiag.cli.entry import main
from rtcdiag.cli.saved import read_report
from rtcdiag.formats import FORMATS, render
from rtcdiag.formats.comparison import FORMATS as OF_TWO
from rtcdiag.report import encode
from support.canary import exposed, leaks, other_person

LEVELS = pytest.mark.parametrize("level", ["share", "strict"])


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "report.json"
    path.write_bytes(encode(exposed()))
    return str(path)


@LEVELS
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_shown_redacted_tells_nothing(
    form: str, level: str, saved: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [word for name, suffix in FORMATS.items() for word in ("-o", f"{name}={tmp_path / ('out' + suffix)}")]
    assert main(["show", saved, "--format", form, "--redact", level, "-vv", *files]) == 0
    out, err = capfd.readouterr()
    written = [path.read_text(encoding="utf-8") for path in tmp_path.glob("out.*")]
    assert len(written) == len(FORMATS)
    assert [leak for text in (out, err, *written) for leak in leaks(text, names=level == "strict")] == []


@LEVELS
def test_a_page_is_redacted_into_json_and_can_be_shown(
    level: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page, told = tmp_path / "page.html", tmp_path / "told.html"
    page.write_text(render("html", exposed()), encoding="utf-8")
    assert main(["redact", str(page), "--level", level, "--output", str(told)]) == 0
    out = capfd.readouterr().out
    assert f'"level": "{level}"' in out
    assert not list(leaks(out + told.read_text(encoding="utf-8"), names=level == "strict"))
    assert main(["show", str(told)]) == 0
    assert f"redacted: {level}" in capfd.readouterr().out.partition("\n")[0]


def test_a_comparison_of_two_reports_is_redacted_with_one_key(
    saved: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(encode(other_person()))
    at_top = {"text": "redacted: strict", "markdown": "redacted: strict", "html": "redaction: strict"}
    for form in OF_TWO:
        main(["compare", saved, str(other), "--redact", "strict", "--format", form, "-v"])
        out, err = capfd.readouterr()
        assert not list(leaks(out + err, names=True))
        level = at_top.get(form, '"level": "strict"')
        assert level in out.partition({"json": '"verdict"', "html": "<h1>"}.get(form, "###"))[0]
        assert "redacted apart" not in out


def test_reports_with_one_key_file_compare_by_address(
    saved: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    key, other = tmp_path / "key", tmp_path / "other.json"
    key.write_bytes(b"0123456789abcdef\n")
    other.write_bytes(encode(other_person()))
    for name in (saved, str(other)):
        out = f"{name}.told.json"
        assert main(["redact", name, "--redaction-key-file", str(key), "-q", "--output", out]) == 0
    capfd.readouterr()
    main(["compare", f"{saved}.told.json", f"{other}.told.json", "-v"])
    assert "redacted apart" not in capfd.readouterr().out
    assert read_report(f"{saved}.told.json").redaction.key_id == read_report(f"{other}.told.json").redaction.key_id


def one_line(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_what_cannot_be_is_said_in_one_line(saved: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"short")
    assert main(["redact", saved, "--redaction-key-file", str(short)]) == 2
    assert "shorter than 16 bytes (make one: head -c 32" in one_line(capfd)
    assert main(["redact", saved, "--redaction-key-file", str(tmp_path / "none")]) == 2
    assert "No such file" in one_line(capfd)
    assert main(["show", saved, "--redaction-key-file", str(short)]) == 2
    assert "add --redact share" in one_line(capfd)
    assert main(["check-turn", "turn:127.0.0.1:9", "--redact", "share", "--redaction-key-file", str(short)]) == 2
    assert "shorter than 16 bytes" in one_line(capfd)
    assert main(["redact", saved, "--level", "none"]) == 2
    assert "'none' is not one of" in one_line(capfd)


def test_what_was_left_out_or_cannot_be_undone_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    strange = tmp_path / "strange.json"
    piece = msgspec.Raw(b'{"kind":"Telepathy","id":"obs-9000","t_ms":1.0}')
    strange.write_bytes(encode(msgspec.structs.replace(exposed(), evidence=(*exposed().evidence, piece))))
    told = str(tmp_path / "told.json")
    assert main(["redact", str(strange), "--level", "strict", "--output", told]) == 0
    assert "1 piece of its evidence is of a later version, and left out" in capfd.readouterr().err
    assert main(["redact", told]) == 0
    assert "it is redacted at the level strict already, which stays" in capfd.readouterr().err
    assert main(["show", told]) == 0
    assert "1 piece of its evidence left out when it was redacted" in capfd.readouterr().err


@LEVELS
def test_a_saved_comparison_is_shown_redacted(
    level: str, saved: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other, comparison = tmp_path / "other.json", str(tmp_path / "comparison.html")
    other.write_bytes(encode(other_person()))
    main(["compare", saved, str(other), "--output", comparison, "-q"])
    capfd.readouterr()
    for form in OF_TWO:
        assert main(["show", comparison, "--redact", level, "--format", form, "-v"]) == 0
        assert not list(leaks(capfd.readouterr().out, names=level == "strict"))
