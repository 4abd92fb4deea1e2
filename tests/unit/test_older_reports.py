"""Reports that earlier versions wrote still read, still show, and can still be redacted and compared."""

from pathlib import Path

import msgspec
import pytest

from rtcdiag.cli.entry import main
from rtcdiag.cli.saved import read_report
from rtcdiag.diagnosis import rediagnose
from rtcdiag.formats import FORMATS, RenderOptions, render
from rtcdiag.redact import Key, redacted
from rtcdiag.report import encode, evidence_of
from support.validity import validator

OLDER = Path(__file__).parents[1] / "golden" / "older"
FILES = sorted(path.name for path in OLDER.iterdir())
VERDICTS = {
    "expired-certificate-first": ("broken", "depends-on-peer"),
    "expired-certificate-second": ("broken", "depends-on-peer"),
    "udp-blocked-first": ("degraded", "relay-needed"),
}


def test_there_are_older_reports() -> None:
    assert {path.partition(".")[0] for path in FILES} >= VERDICTS.keys()


@pytest.mark.parametrize("name", FILES)
def test_an_older_report_reads_with_all_of_its_evidence(name: str) -> None:
    report = read_report(str(OLDER / name))
    assert evidence_of(report)[1] == 0
    again, unknown = rediagnose(report)
    assert (again.id, unknown) == (report.id, 0)
    verdict = VERDICTS.get(name.partition(".")[0])
    assert verdict in (None, (again.verdict.status, again.verdict.direct_p2p))


@pytest.mark.parametrize("name", FILES)
def test_an_older_report_is_shown_in_every_format_as_it_was_and_anew(name: str) -> None:
    report = read_report(str(OLDER / name))
    for each in (report, rediagnose(report)[0], redacted(report, "strict", Key(b"0123456789abcdef"))):
        for form in FORMATS:
            assert render(form, each, RenderOptions(verbosity=2)).endswith("\n")
    for form in ("text", "markdown"):
        assert render(form, report, RenderOptions(verbosity=0)).endswith("\n")


@pytest.mark.parametrize("name", FILES)
def test_what_an_older_report_becomes_is_as_the_schema_says(name: str) -> None:
    report = read_report(str(OLDER / name))
    validator().validate(msgspec.json.decode(encode(report)))


def test_an_older_report_differs_from_a_later_one(capfd: pytest.CaptureFixture[str]) -> None:
    one, two = (str(OLDER / f"expired-certificate-{name}.json") for name in ("first", "second"))
    assert main(["diff", one, two]) == 0
    assert capfd.readouterr().out.startswith("Compared with before")
    assert main(["compare", one, two]) in (0, 3)
    assert capfd.readouterr().out.startswith("Direct P2P of A and B")
