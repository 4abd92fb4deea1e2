"""The report's JSON: written, read back, and refused where it is none."""

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.evidence import KINDS, Evidence
from rtcdiag.report import Report, ReportError, decode, encode, evidence_of, raw_evidence, started_at_s
from support.hostile import HOSTILE
from support.reports import REPORTS, everything


def changed(old: str, new: str) -> bytes:
    """Return the JSON of a report with one piece of text replaced, which has to be there."""
    text = encode(everything()).decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_reads_back_as_it_was_written(name: str) -> None:
    written = encode(REPORTS[name]())

    assert encode(decode(written)) == written


@pytest.mark.parametrize("name", REPORTS)
def test_one_line_holds_the_same_report_even_when_its_evidence_was_read_from_an_indented_file(name: str) -> None:
    report = decode(encode(REPORTS[name]()))

    line = encode(report, indent=0)

    assert line.count(b"\n") == 1
    assert len(line) == len(msgspec.json.encode(msgspec.json.decode(line))) + 1
    assert encode(decode(line)) == encode(report)


def test_evidence_reads_back_with_its_types() -> None:
    evidence, unknown = evidence_of(decode(encode(everything())))

    assert unknown == 0
    assert {type(item) for item in evidence.observations} == set(KINDS)
    assert raw_evidence(evidence) == everything().evidence
    assert evidence.environment == everything().environment
    assert evidence.started_at_s == 1795363200.0


def test_evidence_of_a_kind_that_is_not_known_is_counted_and_kept() -> None:
    unknown = b'{"kind":"Telepathy","id":"obs-9","t_ms":1.0,"strength":{"a":[1,2,null]}}'
    report = msgspec.structs.replace(everything(), evidence=(*everything().evidence, msgspec.Raw(unknown)))

    again = decode(encode(report))

    assert evidence_of(again)[1] == 1
    assert msgspec.json.decode(again.evidence[-1]) == msgspec.json.decode(unknown)
    assert encode(again) == encode(report)


@pytest.mark.parametrize(
    "piece", [b"1", b"[]", b"{}", b'"x"', b'{"kind":"Crash"}', b'{"kind":"Binding","t_ms":"soon"}', b"[1e9, {}]"]
)
def test_a_piece_of_evidence_that_is_wrong_is_counted_as_unknown(piece: bytes) -> None:
    assert evidence_of(msgspec.structs.replace(everything(), evidence=(msgspec.Raw(piece),))) == (
        Evidence(started_at_s=1795363200.0, environment=everything().environment),
        1,
    )


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused_as_cut(share: float) -> None:
    data = encode(everything()).rstrip()

    with pytest.raises(ReportError, match="cut off"):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"GET / HTTP/1.1", "not JSON"),
        (b"[" * 10**6, "recursion"),
        (b"[]", "expected `object`|Expected `object`"),
        (b"null", "Expected `object`"),
        (b"{}", "required field"),
        (
            changed('"wlan0"', '"wlan\ud800"'.encode("utf-8", "surrogatepass").decode("latin-1")).replace(b"\xc2", b""),
            "cut off",
        ),
        (changed('"status": "healthy"', '"status": "splendid"'), r"verdict\.status"),
        (changed("192.168.1.4:50200", "192.168.1.4:99999"), r"99999.*candidates\[0\]\.address"),
        (changed('"kind": "report"', '"kind": "diff"'), "'diff'"),
        (changed('"schema_version": "1.0"', '"schema_version": "2.0"'), r"'2\.0' is not 1\.x"),
        (b'{"schema_version": "2.7", "all": "else differs"}', r"'2\.7' is not 1\.x"),
        (b'{"schema_version": 2}', "2 is not 1.x"),
    ],
)
def test_what_is_no_report_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        decode(data)


def test_evidence_that_is_not_utf_8_is_refused_although_it_stays_raw() -> None:
    data = encode(everything()).replace(b"nat_behavior.py", b"nat_\xff.py")

    with pytest.raises(ReportError, match="utf-8"):
        decode(data)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_words_of_a_refusal_are_safe_to_print(text: str) -> None:
    data = changed('"status": "healthy"', f'"status": {msgspec.json.encode(text).decode()}')

    with pytest.raises(ReportError) as refusal:
        decode(data)

    assert str(refusal.value).isprintable()


@given(st.binary())
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(ReportError):
        decode(data)


def test_a_newer_minor_version_is_read_and_what_it_added_is_ignored() -> None:
    data = changed('"schema_version": "1.0"', '"schema_version": "1.9", "mood": {"of": "the network"}')

    assert decode(data).schema_version == "1.9"


def test_a_byte_order_mark_in_front_does_no_harm() -> None:
    data = encode(everything())

    assert encode(decode(b"\xef\xbb\xbf" + data)) == data


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T16:00:00.000Z", 1795363200.0),
        ("2026-11-22T17:00:00+01:00", 1795363200.0),
        ("2026-11-22T16:00:00", 1795363200.0),
        ("0001-01-01T00:00:00+14:00", -62135647200.0),
        ("yesterday", 0.0),
        ("", 0.0),
    ],
)
def test_a_time_is_read_as_utc_and_nonsense_is_zero(text: str, seconds: float) -> None:
    assert started_at_s(text) == seconds


def test_a_time_without_a_zone_is_utc_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert started_at_s("2026-11-22T16:00:00") == 1795363200.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_fields_of_a_report_stand_in_the_order_of_the_promise() -> None:
    assert Report.__struct_fields__ == (
        "kind",
        "schema_version",
        "id",
        "tool",
        "command",
        "options",
        "started_at",
        "utc_offset_min",
        "duration_ms",
        "interrupted",
        "redaction",
        "environment",
        "verdict",
        "nat",
        "reach",
        "candidates",
        "servers",
        "findings",
        "audit",
        "not_tested",
        "evidence",
    )
