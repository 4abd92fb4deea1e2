"""coturn's configuration is read as coturn reads it, and nothing secret is kept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.audit.conf import MOST_SETTINGS, UNKNOWN, UNREADABLE, ConfError, parse
from rtcdiag.audit.conf_view import Conf
from rtcdiag.audit.ranges import Range, network_range, parse_range, uncovered
from rtcdiag.diagnosis import findings_of
from rtcdiag.evidence import Evidence, TurnConfig
from support.audit import config


def read(text: str) -> list[tuple[int, str, str | None]]:
    return [(line.number, line.option, line.value) for line in parse(text.encode())]


def test_comments_and_empty_lines_are_none_and_numbers_count_them() -> None:
    assert read("# a\n\n  realm=a.example\n\t#realm=b\nno-auth") == [(3, "realm", "a.example"), (5, "no-auth", None)]


@pytest.mark.parametrize("line", ["realm=a.example", "realm a.example", "realm\ta.example", "realm = a.example"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \n"])
def test_an_option_and_its_value_stand_apart_in_any_way(line: str, end: str) -> None:
    assert read(line + end) == [(1, "realm", "a.example")]


def test_quotes_around_a_value_are_no_part_of_it() -> None:
    assert read('realm="a.example" ') == [(1, "realm", "a.example")]


def test_the_last_of_a_repeated_switch_counts_and_no_turns_it_off() -> None:
    assert Conf(config("no-auth", "no-auth=off")).flag("no-auth") is False
    assert Conf(config("no-auth=0", "no-auth=yes")).flag("no-auth") is True
    assert Conf(config("no-tls")).flag("no-tls") is True
    assert Conf(config("realm=x")).flag("no-tls") is False


def test_numbers_are_read_as_far_as_they_are_digits() -> None:
    conf = Conf(config("min-port=50000 # first", "max-port=x"))
    assert (conf.number("min-port", 1), conf.number("max-port", 65535)) == (50000, 65535)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"realm=\0", "not a text file"),
        (b"realm=" + b"x" * 1100, "line 1 is longer"),
        (b"no-auth\n" * (MOST_SETTINGS + 1), f"more than {MOST_SETTINGS}"),
    ],
)
def test_what_is_no_configuration_is_refused_in_a_line(data: bytes, why: str) -> None:
    with pytest.raises(ConfError, match=why):
        parse(data)


def test_comments_in_an_old_encoding_do_not_matter() -> None:
    lines = parse("# Schlüssel\nstatic-auth-secret=Schlüssel\nrealm=a.example".encode("latin-1"))
    assert [(line.number, line.option, line.value) for line in lines] == [
        (2, "static-auth-secret", None),
        (3, "realm", "a.example"),
    ]
    assert lines[0].secret is not None
    assert lines[0].secret.length == 9


def test_a_byte_order_mark_is_a_part_of_its_line_which_coturn_passes_over() -> None:
    conf = Conf(TurnConfig(t_ms=0.0, name="x", lines=parse("no-tcp-relay\nno-auth".encode("utf-8-sig"))))
    assert (conf.flag("no-tcp-relay"), conf.flag("no-auth")) == (False, True)


def test_what_stands_behind_a_switch_is_not_kept_unless_it_turns_it_on_or_off() -> None:
    assert read(f"lt-cred-mech # {HIDDEN}\nlt-cred-mech off\nverbose {HIDDEN}") == [
        (1, "lt-cred-mech", UNREADABLE),
        (2, "lt-cred-mech", "off"),
        (3, "verbose", UNREADABLE),
    ]


@given(st.binary(max_size=400))
def test_no_file_makes_it_raise_anything_else(data: bytes) -> None:
    try:
        lines = parse(data)
    except ConfError:
        return
    evidence = Evidence(observations=(TurnConfig(t_ms=0.0, name="x", lines=lines),))
    assert all(finding.subject == "x" for finding in findings_of(evidence))


HIDDEN = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "line",
    [
        f"static-auth-secret={HIDDEN}",
        f"user={HIDDEN}:{HIDDEN}",
        f"cli-password={HIDDEN}",
        f"pkey-pwd {HIDDEN}",
        f"psql-userdb=host=x password={HIDDEN}",
        f"static-auth-secrt={HIDDEN}",
        f"{HIDDEN}",
        f"={HIDDEN}",
    ],
)
def test_no_secret_is_kept_or_told(line: str) -> None:
    file = config(line)
    findings = findings_of(Evidence(observations=(file,)))
    assert HIDDEN not in msgspec.json.encode(file).decode()
    assert HIDDEN not in msgspec.json.encode(findings).decode()


def test_a_line_like_no_option_is_not_repeated_and_a_typing_mistake_is() -> None:
    assert read("hunter2hunter2") == [(1, UNKNOWN, None)]
    assert read("denied-peer_ip=1.2.3.4") == [(1, "denied-peer_ip", None)]


def test_secrets_that_everybody_knows_are_told_apart() -> None:
    lines = parse(b"static-auth-secret=north\nuser=kim:kim\nuser=a:0x" + b"1f" * 16 + b"\nuser=b:Zx8s-kTq1")
    assert [line.secret and (line.secret.weak, line.secret.hashed) for line in lines] == [
        ("well-known", False),
        ("like-the-name", False),
        (None, True),
        (None, False),
    ]


def test_a_range_is_covered_by_several_that_touch() -> None:
    wanted = network_range("10.0.0.0/8")
    halves = [network_range("10.128.0.0/9"), network_range("10.0.0.0/9")]
    assert not uncovered(wanted, halves)
    assert uncovered(wanted, halves[:1])
    assert uncovered(wanted, [network_range("::/0")])
    assert uncovered(wanted, [parse_range("10.0.0.0-10.255.255.254")])


@pytest.mark.parametrize("text", ["10.0.0.0/8", "", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "host", "10.0.0.1-"])
def test_what_coturn_reads_as_no_range_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_range(text)


@pytest.mark.parametrize("behind", ["", " # private", "# private"])
@pytest.mark.parametrize("written", ["10.0.0.0/8", "10.0.0.0-10.255.255.255"])
def test_a_range_that_coturn_cannot_read_is_written_anew(written: str, behind: str) -> None:
    found = findings_of(Evidence(observations=(config(f"denied-peer-ip={written}{behind}"),)))
    bad = next((item for item in found if item.code == "turn-config-bad-range"), None)
    assert (bad is None) == ("/" not in written and not behind)
    assert bad is None or bad.facts["suggested"] == ["denied-peer-ip=10.0.0.0-10.255.255.255"]


def test_a_range_with_an_unspecified_end_is_boundless_but_for_the_first_of_ipv4() -> None:
    assert [parse_range(text).is_boundless for text in ("::", "::-::1", "0.0.0.0", "0.0.0.0-0.255.255.255", "::1")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_range_is_written_as_it_is_read() -> None:
    for text in ("10.0.0.0-10.255.255.255", "fe80::-febf::", "127.0.0.1"):
        assert str(parse_range(text)) == text
        assert isinstance(parse_range(text), Range)
