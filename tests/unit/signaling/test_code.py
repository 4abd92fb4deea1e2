"""The code that people copy: it survives what they and their programs do to it, and says what is wrong with it."""

import base64
import contextlib
import struct
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rtcdiag.evidence.session import SessionRole
from rtcdiag.signaling import errors
from rtcdiag.signaling.candidate import SdpCandidate, parse_candidate
from rtcdiag.signaling.code import SKEW_S, Expected, accept, decode, encode, is_whole, looks_like_code
from rtcdiag.signaling.errors import CopiedTextError
from rtcdiag.signaling.messages import MAX_CANDIDATES, Description

NOW_S = 1_790_000_000.0
CANDIDATES = (
    "candidate:1 1 udp 2130706431 192.168.1.4 50123 typ host",
    "candidate:2 1 udp 2130706175 10.8.0.2 50124 typ host",
    "candidate:3 1 udp 2130705919 2001:db8:1::4 50125 typ host",
    "candidate:4 1 udp 2130705663 0e2e0c4c-d1a7-4d3f-a4a7-0c4a1f9b6f8e.local 50126 typ host",
    "candidate:5 1 udp 1694498815 203.0.113.7 50123 typ srflx raddr 192.168.1.4 rport 50123",
    "candidate:5 1 udp 1694498559 203.0.113.7 50124 typ srflx raddr 10.8.0.2 rport 50124",
    "candidate:6 1 udp 1694498303 203.0.113.7 50129 typ srflx raddr 0.0.0.0 rport 9",
    "candidate:7 1 udp 16777215 198.51.100.9 49152 typ relay raddr 203.0.113.7 rport 50130",
)
OFFER = Description(
    session="0123456789abcdef",
    role="offerer",
    ufrag="a+/Z",
    pwd="0123456789ABCDEFabcdef",
    candidates=CANDIDATES,
    expires_at_s=NOW_S + 600,
)
ANSWER = replace(OFFER, role="answerer", ufrag="zzzz", candidates=CANDIDATES[:2])
OFFERED, ANSWERED = encode(OFFER), encode(ANSWER)


def test_a_code_with_eight_candidates_of_all_kinds_takes_less_than_300_characters() -> None:
    assert len(OFFERED) < 300
    assert decode(OFFERED, "offerer") == OFFER


ICE_CHARS = st.characters(codec="ascii", categories=["L", "N"]) | st.sampled_from("+/")
HOSTS = (
    st.builds(str, st.builds(IPv4Address, st.integers(0, 2**32 - 1)))
    | st.builds(str, st.builds(IPv6Address, st.integers(0, 2**128 - 1)))
    | st.builds(lambda number: f"{UUID(int=number)}.local", st.integers(0, 2**128 - 1))
    | st.from_regex(r"[a-z][a-z0-9-]{0,40}(\.[a-z]{1,20}){0,3}", fullmatch=True)
)
PORTS = st.integers(0, 65535)
RELATED = (
    st.none()
    | st.just(("0.0.0.0", 9))
    | st.tuples(st.builds(str, st.builds(IPv4Address, st.integers(0, 2**32 - 1))), PORTS)
    | st.tuples(st.builds(str, st.builds(IPv6Address, st.integers(0, 2**128 - 1))), PORTS)
)
CANDIDATE = st.builds(
    SdpCandidate,
    foundation=st.text(ICE_CHARS, min_size=1, max_size=32),
    component=st.integers(1, 256),
    priority=st.integers(0, 2**32 - 1),
    host=HOSTS,
    port=PORTS,
    type=st.sampled_from(["host", "srflx", "prflx", "relay"]),
    related=RELATED,
)
DESCRIPTION = st.builds(
    Description,
    session=st.integers(0, 2**64 - 1).map("{:016x}".format),
    role=st.sampled_from(["offerer", "answerer"]),
    ufrag=st.text(ICE_CHARS, min_size=4, max_size=255),
    pwd=st.text(ICE_CHARS, min_size=22, max_size=255),
    candidates=st.lists(CANDIDATE.map(str), max_size=MAX_CANDIDATES).map(tuple),
    complete=st.booleans(),
    expires_at_s=st.none() | st.integers(0, 2**32 - 1).map(float),
)


@given(DESCRIPTION)
def test_a_description_comes_back_from_its_code_with_foundations_numbered_anew(description: Description) -> None:
    read = decode(encode(description), description.role)
    told, came = ([parse_candidate(value) for value in each.candidates] for each in (description, read))
    names = list(dict.fromkeys(item.foundation for item in told))
    assert came == [replace(item, foundation=str(names.index(item.foundation) + 1)) for item in told]
    assert replace(read, candidates=()) == replace(description, candidates=())


def test_candidates_over_tcp_are_left_out_since_none_is_gathered() -> None:
    tcp = "candidate:9 1 tcp 1518280447 192.168.1.4 9 typ host tcptype active"
    assert decode(encode(replace(OFFER, candidates=(tcp, *CANDIDATES))), "offerer") == OFFER


@given(st.text() | st.binary().map(lambda data: _sealed("o", data)))
def test_no_text_makes_decoding_raise_anything_but_its_own_error(text: str) -> None:
    with contextlib.suppress(CopiedTextError):
        decode(text, "offerer")


def _sealed(letter: str, data: bytes) -> str:
    """Return bytes as a code whose checksum is right."""
    whole = data + struct.pack(">I", crc32(letter.encode() + data))
    return f"rtcd1.{letter}.{base64.urlsafe_b64encode(whole).decode().rstrip('=')}."


@pytest.mark.parametrize("size", range(1, len(OFFERED)))
def test_every_beginning_of_a_code_is_called_cut_off(size: int) -> None:
    with pytest.raises(errors.CutOffError, match="full stop"):
        decode(OFFERED[:size], "offerer")


def test_a_code_without_its_beginning_is_called_cut_off() -> None:
    with pytest.raises(errors.CutOffError, match="beginning"):
        decode(OFFERED[12:], "offerer")


@given(st.integers(0, len(OFFERED) - 1), st.sampled_from("ABab01-_"))
def test_a_changed_character_never_gives_another_description(at: int, char: str) -> None:
    with contextlib.suppress(CopiedTextError):
        assert decode(OFFERED[:at] + char + OFFERED[at + 1 :], "offerer") == OFFER


def test_a_changed_character_in_the_middle_is_called_damaged() -> None:
    other = "A" if OFFERED[100] != "A" else "B"
    with pytest.raises(errors.DamagedError, match="checksum"):
        decode(OFFERED[:100] + other + OFFERED[101:], "offerer")


def _in_lines(text: str, width: int, between: str) -> str:
    return between.join(text[at : at + width] for at in range(0, len(text), width))


@pytest.mark.parametrize(
    "text",
    [
        _in_lines(OFFERED, 64, "\r\n"),
        "> " + _in_lines(OFFERED, 70, "\n> "),
        ">> " + _in_lines(OFFERED, 3, " \n>>"),
        _in_lines(OFFERED, 76, "=\n"),
        f"“{OFFERED}”",
        f"'{OFFERED}'",
        f"«{OFFERED}»",
        f"**{OFFERED}**",
        f"_{OFFERED}_",
        f"`{OFFERED}`",
        f"```\n{OFFERED}\n```",
        "\ufeff" + OFFERED,
        "\u200b".join(OFFERED),
        _in_lines(OFFERED, 40, "\u00a0"),
        _in_lines(OFFERED, 40, "\u00ad"),
        f"Hello, run this: rtcdiag connect {OFFERED} Thanks. Bob",
        f"{OFFERED}\n\nOn Monday somebody wrote:\n> {ANSWERED}",
        f"{ANSWERED}\n\nOn Monday somebody wrote:\n> {OFFERED}",
        f"{OFFERED[:80]}\n{OFFERED}",
        OFFERED.replace("--", "\u2014").replace("-", "\u2011"),
    ],
)
def test_what_mail_chats_and_terminals_do_to_a_code_is_undone(text: str) -> None:
    assert looks_like_code(text)
    assert decode(text, "offerer") == OFFER


def test_a_code_is_whole_with_its_final_mark_only() -> None:
    assert is_whole(_in_lines(OFFERED, 64, "\n"))
    assert not is_whole(OFFERED[:-1])
    assert not is_whole("no code")


EXPECTED = Expected(now_s=NOW_S)


@pytest.mark.parametrize(
    ("text", "wanted", "expected", "error"),
    [
        ("hello there", "answerer", EXPECTED, errors.NoCodeError),
        ("", "answerer", EXPECTED, errors.NoCodeError),
        ("many words of prose without a code, " * 5 + "the end.", "answerer", EXPECTED, errors.NoCodeError),
        (OFFERED, "answerer", Expected(NOW_S, own=OFFER), errors.OwnDescriptionError),
        (ANSWERED, "offerer", Expected(NOW_S, own=ANSWER), errors.OwnDescriptionError),
        (encode(replace(OFFER, session="f" * 16)), "answerer", Expected(NOW_S, own=OFFER), errors.WrongRoleError),
        (OFFERED, "answerer", EXPECTED, errors.WrongRoleError),
        (ANSWERED, "offerer", EXPECTED, errors.WrongRoleError),
        (encode(replace(ANSWER, session="f" * 16)), "answerer", Expected(NOW_S, own=OFFER), errors.OtherSessionError),
        (ANSWERED, "answerer", Expected(NOW_S, own=OFFER, is_used=lambda _: True), errors.UsedError),
        (OFFERED, "offerer", Expected(NOW_S + 601 + SKEW_S), errors.ExpiredError),
        (OFFERED.replace("rtcd1", "rtcd2"), "offerer", EXPECTED, errors.NewerVersionError),
        (OFFERED.replace("rtcd1", "rtcd0"), "offerer", EXPECTED, errors.DamagedError),
        (OFFERED.replace(".o.", ".x."), "offerer", EXPECTED, errors.DamagedError),
        (OFFERED.replace(".o.", ".0."), "offerer", EXPECTED, errors.DamagedError),
        (_sealed("o", b"\x84" + bytes(30)), "offerer", EXPECTED, errors.NewerVersionError),
        (_sealed("o", b""), "offerer", EXPECTED, errors.DamagedError),
    ],
)
def test_each_thing_that_can_be_wrong_has_its_own_error(
    text: str, wanted: SessionRole, expected: Expected, error: type[CopiedTextError]
) -> None:
    with pytest.raises(CopiedTextError) as raised:
        accept(text, wanted, expected)
    assert type(raised.value) is error


def test_a_clock_that_is_five_minutes_wrong_makes_no_code_expire() -> None:
    assert accept(OFFERED, "offerer", Expected(NOW_S + 600 + 299)) == OFFER


def test_the_errors_are_different_lines() -> None:
    every: list[CopiedTextError] = [
        errors.NoCodeError("offerer"),
        errors.NoCodeError("answerer"),
        errors.NoSdpError(),
        errors.CodeAnswerError(),
        errors.ForeignAnswerError(),
        errors.RefusedOfferError(),
        errors.CutOffError(),
        errors.CutOffError(beginning=True),
        errors.DamagedError(),
        errors.NewerVersionError(),
        errors.OwnDescriptionError("offerer"),
        errors.WrongRoleError("offerer"),
        errors.WrongRoleError("answerer"),
        errors.OtherSessionError(),
        errors.UsedError(),
        errors.ExpiredError(NOW_S),
    ]
    assert len({str(error) for error in every}) == len(every)
