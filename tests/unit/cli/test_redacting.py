"""Redaction on the command line: what is written tells nobody's network, and what cannot be is said in one line."""

from pathlib import Path

import msgspec
import pytest

from rtcdiag.cli.connect import deliver_session
from rtcdiag.cli.connecting import Ended
from rtcdiag.cli.entry import main
from rtcdiag.cli.joining import joined
from rtcdiag.cli.options import LevelName, Output, Redacting
from rtcdiag.cli.outputs import Destination
from rtcdiag.cli.redacting import PairRedactor
from rtcdiag.cli.saved import read_report
from rtcdiag.diagnosis import rediagnose
from rtcdiag.evidence import Evidence, TurnConfig
from rtcdiag.findings import find
from rtcdiag.formats import FORMATS, render
from rtcdiag.formats.comparison import FORMATS as OF_TWO
from rtcdiag.formats.comparison import render as render_of_two
from rtcdiag.formats.health import HEALTH_FORMATS
from rtcdiag.formats.health import render as render_health
from rtcdiag.formats.options import RenderOptions
from rtcdiag.health import Round, Try, judge
from rtcdiag.redact import Key, Level, Series
from rtcdiag.report import encode, evidence_of
from support import halves
from support.canary import CANARY_IP, CANARY_NAME, exposed, leaks, other_person, real
from support.halves import A_DIRECT, B_DIRECT, HERE, THERE, answerer
from support.health import STARTED, health_target, healthy, round_of
from support.two_ends import A_GATHERED, B_GATHERED, session

LEVELS = pytest.mark.parametrize("level", ["share", "strict"])


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "report.json"
    path.write_bytes(encode(exposed()))
    return str(path)


@LEVELS
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_shown_redacted_tells_nothing(
    form: str, level: str, saved: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", saved, "--format", form, "--redact", level, "-vv"]) == 0
    out, err = capfd.readouterr()
    assert out
    assert [leak for text in (out, err) for leak in leaks(text, names=level == "strict")] == []


@LEVELS
def test_what_is_saved_redacted_tells_nothing_in_any_format(
    level: str, saved: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [word for name, suffix in FORMATS.items() for word in ("-o", f"{name}={tmp_path / ('out' + suffix)}")]
    assert main(["show", saved, "--redact", level, "-vv", *files]) == 0
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


@LEVELS
@pytest.mark.parametrize("form", HEALTH_FORMATS)
def test_a_health_check_redacted_tells_nothing_in_any_format(form: str, level: Level) -> None:
    series = Series(level, Key(b"a key of the tests"))
    evidence, _ = evidence_of(exposed())
    series.meet(evidence.environment)
    results = []
    for name, uri in (("acme-corp fra", "turn:turn.acme-corp.de"), (f"stun:{CANARY_IP}", f"stun:{CANARY_IP}")):
        target = health_target(uri, name=name, where="$.targets.acme-corp fra.urls[0]")
        seen = tuple(item for item in evidence.observations if not isinstance(item, TurnConfig))
        judged = judge(
            target, Try(evidence=Evidence(observations=seen), started_at=STARTED, duration_ms=9.0), depth="relay"
        )
        results.append(series.redacted(msgspec.structs.replace(judged, findings=exposed().findings)))
    found = round_of(*results)
    summary = series.redacted(msgspec.structs.replace(found.summary, environment=evidence.environment))
    for verbosity in (0, 1):
        out = "".join(render_health(form, Round(summary, found.results), RenderOptions(verbosity=verbosity)))
        assert list(leaks(out, names=level == "strict")) == []
        assert level in out or form == "gitlab"  # a list of issues, without a head


def test_a_strict_health_check_tells_neither_who_issued_a_certificate_nor_a_realm_of_several_words() -> None:
    series = Series("strict", Key(b"a key of the tests"))
    issuer, realm = "CN=Elbtal Root 7,O=Klinikum Elbtal", "Klinikum Elbtal 7"
    found = (
        find("tls-unknown-authority", address="81.2.69.7:5349", transport="tls", issuer=issuer, host="a"),
        find("turn-credentials-rejected", address="81.2.69.7:3478", transport="udp", realm=realm),
        find("turn-credentials-rejected", address="81.2.69.7:3478", transport="udp", realm="(empty)"),
    )
    told = series.redacted(msgspec.structs.replace(healthy(), findings=found))
    assert "Elbtal" not in str(told)
    assert told.findings[0].facts["issuer"].startswith("CN=realm-")
    assert f"realm {told.findings[1].facts['realm']}" in told.findings[1].meaning
    assert told.findings[2].facts["realm"] == "(empty)"


def test_one_address_and_one_name_have_one_pseudonym_in_all_results_of_a_run() -> None:
    series = Series("strict", Key(b"a key of the tests"))
    first, second = (series.text(f"turn:{host}:{port}") for host, port in ((CANARY_IP, 3478), (CANARY_IP, 5349)))
    assert first.rpartition(":")[0] == second.rpartition(":")[0]
    assert CANARY_IP not in first
    assert series.text(f"turn:{CANARY_NAME}") == series.text(f"turn:{CANARY_NAME}") != f"turn:{CANARY_NAME}"
    assert series.text("turn:relay") != "turn:relay"


@LEVELS
def test_a_redacted_session_tells_nothing_and_ends_the_same(
    level: LevelName, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = rediagnose(real(halves.half(HERE, session(), A_DIRECT, *A_GATHERED)))[0]
    theirs = rediagnose(real(halves.half(THERE, answerer(), B_DIRECT, *B_GATHERED)))[0]
    ended = Ended(ours, encode(theirs), None)
    plain, told = (joined(ended, PairRedactor(Redacting(at))) for at in ("none", level))
    assert plain is not None
    assert told is not None
    assert (told.redaction.level, told.verdict.direct_p2p, told.direct, told.relayed) == (
        level,
        plain.verdict.direct_p2p,
        plain.direct,
        plain.relayed,
    )
    files = tuple(Destination(form, tmp_path / f"out.{form}") for form in OF_TWO)
    deliver_session(ended, PairRedactor(Redacting(level)), Output(verbose=2), files, tmp_path)
    out, err = capfd.readouterr()
    written = [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()]
    assert len(written) == len(OF_TWO) + 4
    assert [leak for text in (out, err, *written) for leak in leaks(text, names=level == "strict")] == []
    assert list(leaks(render_of_two("text", plain, RenderOptions(verbosity=2)), names=False))
