"""``rtcdiag health``: bad input is one line and contacts nobody, and the exit codes are as documented."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rtcdiag.cli.entry import BadInputError, main
from rtcdiag.cli.exits import FINDINGS, INCONCLUSIVE, OK
from rtcdiag.cli.health_exits import health_exit, nagios_exit
from rtcdiag.cli.health_options import HealthOutput, format_name, required, retries, thresholds, watch_s
from rtcdiag.cli.health_outputs import Outlet
from rtcdiag.demands import Threshold
from rtcdiag.formats.health import render
from rtcdiag.formats.options import RenderOptions
from rtcdiag.health import HealthResult, Round, Tally
from support.evidence import binding, failed, run
from support.health import TURN, health_target, healthy, result, round_of

BAD = result(run(TURN.target(), binding(TURN.uri, TURN.address, failed())))
LESSER = result(run(TURN.target(), binding(TURN.uri, TURN.address, failed())), health_target(critical=False))


def tally(*results: HealthResult) -> Tally:
    found = Tally()
    for item in results:
        found.add(item)
    return found


@pytest.mark.parametrize(
    ("results", "fail_on", "signal", "code"),
    [
        ([healthy()], "error", None, OK),
        ([healthy(), BAD], "error", None, FINDINGS),
        ([healthy(), BAD], "never", None, OK),
        ([healthy(), LESSER], "error", None, OK),
        ([healthy(), LESSER], "warning", None, FINDINGS),
        ([], "error", None, INCONCLUSIVE),
        ([BAD], "error", 2, 130),
        ([BAD], "error", 15, 143),
    ],
)
def test_the_exit_code_says_how_it_went(results: list[HealthResult], fail_on: str, signal: int, code: int) -> None:
    assert health_exit(tally(*results), fail_on=fail_on, signal=signal) == code  # type: ignore[arg-type]  # parametrized words


@pytest.mark.parametrize(("results", "code"), [([healthy()], 0), ([healthy(), LESSER], 1), ([BAD], 2), ([], 3)])
def test_nagios_has_codes_of_its_own(results: list[HealthResult], code: int) -> None:
    assert nagios_exit(round_of(*results).summary) == code


def test_limits_are_read() -> None:
    assert thresholds(["rtt_ms=300,800", "loss_percent=,5", "certificate_days=21,7", "dns_ms=10"]) == {
        "rtt_ms": Threshold(warning=300, critical=800),
        "loss_percent": Threshold(critical=5),
        "certificate_days": Threshold(warning=21, critical=7),
        "dns_ms": Threshold(warning=10),
    }
    assert (required("all"), required("any"), required("3"), watch_s("1.5m"), watch_s(None)) == (
        "all",
        "any",
        3,
        90,
        None,
    )


WRONG = [
    (lambda: thresholds(["speed=1"]), "--threshold speed=1: no figure"),
    (lambda: thresholds(["rtt_ms"]), "--threshold rtt_ms: no figure"),
    (lambda: thresholds(["rtt_ms="]), "--threshold rtt_ms=: no limit"),
    (lambda: thresholds(["rtt_ms=x"]), "--threshold rtt_ms=x: 'x' is not a number"),
    (lambda: thresholds(["rtt_ms=nan"]), "--threshold rtt_ms=nan: 'nan' is not a number"),
    (lambda: thresholds(["rtt_ms=9,3"]), "--threshold rtt_ms=9,3: the second has to be above the first"),
    (lambda: thresholds(["credential_s=3,9"]), "--threshold credential_s=3,9: the second has to be below the first"),
    (lambda: required("most"), "--require-servers most: not all, any"),
    (lambda: required("0"), "--require-servers 0: not all, any"),
    (lambda: retries(-1), "--retries -1: not from 0"),
    (lambda: watch_s("often"), "--watch often: not a duration"),
    (lambda: watch_s("0s"), "--watch 0s: not between"),
    (lambda: format_name(HealthOutput(as_json=True, jsonl=True)), "standard output has one format, and not json and"),
    (lambda: Outlet(HealthOutput(output=["x.txt", "x.txt"]), "c"), "--output names the same file twice"),
    (lambda: Outlet(HealthOutput(output=["x.pdf"]), "c"), "--output x.pdf: the suffix names no format"),
    (lambda: Outlet(HealthOutput(output=["junit="]), "c"), "--output junit=: the file is missing"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_wrong_value_is_named(
    wrong: Callable[[], object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInputError) as caught:
        wrong()
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.json"], "rtcdiag: health missing.json: No such file"),
        (["bad.json"], "rtcdiag: bad.json: $.iceServers[1].urls: 'turn://a': turn: is not followed by //"),
        (["bad.json", "--token-file", "x"], "rtcdiag: --token-file needs a URL"),
        (["file:///etc/passwd"], "rtcdiag: only https:// URLs are asked, not file://"),
        (["http://example.org/"], "rtcdiag: http:// shows credentials"),
        (
            ["https://kim:hush@example.org/"],
            "rtcdiag: a URL carries no user name or password here (put a token into a file: --token-file FILE)\n",
        ),
        (["bad.json", "--depth", "audit"], "rtcdiag: Invalid value for '--depth'"),
        (["long.json"], "rtcdiag: health long.json: longer than 8388608 bytes"),
    ],
)
def test_bad_input_is_one_line_and_exits_with_2(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.json").write_text('{"iceServers":[{"urls":"stun:a"},{"urls":"turn://a"}]}')
    with Path("long.json").open("wb") as file:
        file.truncate(100 << 20)
    assert main(["health", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(said)
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["missing.json"], ["missing.json", "--nonsense"]])
def test_bad_input_of_a_plug_in_is_unknown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", *arguments, "--format", "nagios"]) == 3
    assert capsys.readouterr().out.startswith("TURN UNKNOWN - ")


def test_a_plug_in_is_not_left_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.json"
    config.write_text('[{"urls":"stun:127.0.0.1:9"}]')
    assert main(["health", str(config), "--format", "nagios", "--watch", "1s"]) == 3
    shown = capsys.readouterr()
    assert (shown.out.startswith("TURN UNKNOWN - --watch: a plug-in checks once"), shown.err) == (True, "")


def test_a_list_without_names_has_nothing_looked_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.json"
    config.write_text('[{"urls":["stun:192.0.2.1","turn:[2001:db8::1]"]}]')
    assert main(["health", str(config), "--list-contacts"]) == 0
    assert "ipv4only.arpa" not in capsys.readouterr().out


def test_list_contacts_names_the_servers_and_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.json"
    config.write_text('[{"urls":["stun:stun.example.org","turn:turn.example.org"]}]')
    assert main(["health", str(config), "--list-contacts"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "stun:stun.example.org",
        "turn:turn.example.org",
        "ipv4only.arpa",
    ]


def saved_health(path: Path) -> Path:
    shape = {"status": "broken", "direct_p2p": "not-tested", "confidence": "high", "summary": "It does not work."}
    target = {"name": "a", "uri": "turn:a.example", "depth": "relay", "status": "failed", "summary": "It is silent."}
    found = {
        "kind": "health",
        "schema_version": "1.0",
        "id": "x",
        "started_at": "2026-11-23T20:00:00.000Z",
        "duration_ms": 1.0,
        "verdict": shape,
        "requirement": {"servers": "all", "met": "no"},
        "counts": {"ok": 0, "warning": 0, "failed": 1, "not-tested": 0, "skipped": 0},
        "warnings": 0,
        "failures": 1,
        "targets": [target | {"started_at": "2026-11-23T20:00:00.000Z", "duration_ms": 1.0}],
    }
    path.write_text(json.dumps(found))
    return path


@pytest.mark.parametrize("name", ["text", "json", "markdown"])
def test_a_saved_health_check_is_shown(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, other = saved_health(tmp_path / "saved.json"), tmp_path / "again.xml"
    assert main(["show", str(file), "--format", name, "--output", str(other)]) == 0
    shown = capsys.readouterr()
    assert "turn:a.example" in shown.out
    assert "It does not work." in shown.out
    assert "<failure" in other.read_text()


def saved_lines(*rounds: Round) -> bytes:
    return "".join(piece for item in rounds for piece in render("jsonl", item, RenderOptions())).encode()


def test_json_lines_are_shown_of_a_watch_the_last_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "saved.jsonl"
    file.write_bytes(saved_lines(round_of(healthy()), round_of(healthy(), BAD)))
    assert main(["show", str(file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [item["status"] for item in shown["targets"]] == ["ok", "failed"]
    assert shown["verdict"]["status"] == "broken"


@pytest.mark.parametrize("output", [HealthOutput(), HealthOutput(quiet=True)], ids=["text", "one line"])
def test_a_round_of_a_watch_begins_with_its_time(output: HealthOutput, capsys: pytest.CaptureFixture[str]) -> None:
    found = round_of(healthy())
    Outlet(output, None).tell(found, (), dated=True)
    when, _, rest = capsys.readouterr().out.partition(" " if output.quiet else "\n")
    assert (when, bool(rest)) == (found.summary.started_at, True)
    Outlet(output, None).tell(found, ())
    assert capsys.readouterr().out == rest


LINES = saved_lines(round_of(healthy(), BAD))
FIRST = LINES.index(b"\n") + 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (LINES[:-20], "line 3, the last one, is cut off"),
        (LINES[: FIRST + 50], "line 2, the last one, is cut off"),
        (LINES[:FIRST], "the last line is missing, which has the summary"),
        (LINES[:FIRST] + b"{}\n" + LINES[FIRST:], "line 2: no line of a health check, but of the kind 'report'"),
        (LINES[:FIRST] + b"[]]\n" + LINES[FIRST:], "line 2: not JSON"),
    ],
)
def test_json_lines_that_are_not_whole_get_one_line(
    data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "saved.jsonl").write_bytes(data)
    assert main(["show", str(tmp_path / "saved.jsonl")]) == 2
    shown = capsys.readouterr()
    assert (said in shown.err, shown.err.count("\n"), shown.out) == (True, 1, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "--format", "html"], "rtcdiag: --format html: a health check is shown as text, json or markdown\n"),
        (["show", "--redact", "share"], "rtcdiag: --redact: a health check is redacted when it is made"),
        (["redact"], "rtcdiag: report saved.json: the result of a health check, not one person's report"),
    ],
)
def test_what_does_not_go_with_a_saved_health_check_gets_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    saved_health(Path("saved.json"))
    assert main([*arguments, "saved.json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(said)
    assert shown.err.count("\n") == 1
