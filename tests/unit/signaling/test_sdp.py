"""SDP of other applications: taken as people paste it, and answered so that the other application takes that.

The samples of Chromium and aiortc are what these wrote behind a NAT of the lab; those of Firefox and pion have the form
that these write, with addresses for documentation.
"""

import base64
import contextlib
import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtcdiag.signaling import errors, sdp
from rtcdiag.signaling.errors import CopiedTextError
from rtcdiag.signaling.messages import Description
from rtcdiag.signaling.sdp_answer import answer

SAMPLES = {path.stem: path.read_text() for path in sorted(Path("tests/support/sdp").glob("*.json"))}
CANDIDATES = {"chromium-data": 4, "chromium-media": 4, "aiortc": 2, "firefox": 4, "pion": 2}
OWN = Description(
    session="f123456789abcdef",
    role="answerer",
    ufrag="abcd",
    pwd="0123456789ABCDEFabcdef",
    candidates=("candidate:1 1 udp 2130706431 192.0.2.7 50123 typ host",),
)


def _plain(name: str) -> str:
    return str(json.loads(SAMPLES[name])["sdp"])


def test_there_is_a_sample_of_each_kind() -> None:
    assert sorted(SAMPLES) == sorted(CANDIDATES)


@pytest.mark.parametrize("name", CANDIDATES)
def test_what_ice_needs_is_read_from_each_application(name: str) -> None:
    read = sdp.read(SAMPLES[name], "offerer").description
    assert len(read.candidates) == CANDIDATES[name]
    assert f"a=ice-ufrag:{read.ufrag}\r\n" in _plain(name)
    assert f"a=ice-pwd:{read.pwd}\r\n" in _plain(name)
    assert (read.role, read.complete, read.expires_at_s) == ("offerer", True, None)


COPIED: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "in a string of JSON": json.dumps,
    "with typographic quotes": lambda text: text.replace('"', "\u201c", 1).replace('"', "\u201d"),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in wrapped base64": lambda text: "\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 76)),
    "wrapped anywhere": lambda text: "\n".join(text[at : at + 71] for at in range(0, len(text), 71)),
    "quoted by mail": lambda text: "\n".join("> " + text[at : at + 72] for at in range(0, len(text), 72)),
    "in a fence": lambda text: f"```json\n{text}\n```",
    "with prose around": lambda text: f"Here is my offer:\r\n\r\n{text}\r\n\r\nBye, Ann",
    "with characters without width": lambda text: "\ufeff" + text.replace("candidate", "can\u200bdidate"),
    "indented": lambda text: json.dumps(json.loads(text), indent=2),
    "inside of another object": lambda text: json.dumps({"to": 1, "offer": json.loads(text)}),
    "pasted twice": lambda text: f"{text}\n{text}",
    "pasted twice on one line": lambda text: text + text,
    "between prompts with braces": lambda text: f"{{venv}} ann$ cat ${{FILE}}\n{text}\n{{venv}} ann$ ",
    "behind another object": lambda text: '[{"note": "the sdp follows"}, ' + text + "]",
    "wrapped between words": lambda text: "\n".join(textwrap.wrap(text, 76)),
    "wrapped at blanks, quoted": lambda text: "> " + "\n> ".join(textwrap.wrap(text, 76, break_on_hyphens=False)),
    "plain": lambda text: json.loads(text)["sdp"],
    "plain, with line feeds": lambda text: json.loads(text)["sdp"].replace("\r", ""),
    "plain, double-spaced": lambda text: json.loads(text)["sdp"].replace("\r\n", "\n\n"),
    "plain, with escaped line ends": lambda text: json.dumps(json.loads(text)["sdp"]),
    "plain, indented": lambda text: textwrap.indent(json.loads(text)["sdp"].replace("\r", ""), "    "),
    "plain, quoted": lambda text: textwrap.indent(json.loads(text)["sdp"].replace("\r", ""), "> > "),
    "plain, wrapped anywhere": lambda text: _wrapped(json.loads(text)["sdp"], 60),
    "plain, wrapped between words": lambda text: "\n".join(
        each for line in json.loads(text)["sdp"].splitlines() for each in textwrap.wrap(line, 60)
    ),
}


def _wrapped(text: str, width: int) -> str:
    lines = text.splitlines()
    return "\n".join(line[at : at + width] for line in lines for at in range(0, len(line), width))


@pytest.mark.parametrize("how", COPIED)
@pytest.mark.parametrize("name", CANDIDATES)
def test_what_copying_does_to_sdp_is_undone(name: str, how: str) -> None:
    text = COPIED[how](SAMPLES[name])
    assert sdp.looks_like_sdp(text)
    assert sdp.read(text, "offerer").description == sdp.read(SAMPLES[name], "offerer").description


def test_a_host_name_of_mdns_and_a_hidden_address_are_kept_as_told() -> None:
    host, *_, relay = sdp.read(SAMPLES["chromium-data"], "offerer").description.candidates
    assert host == "candidate:3065163974 1 udp 2113937151 7b27769a-55c6-4af2-a048-3259ecaf80ee.local 56020 typ host"
    assert relay.endswith("typ relay raddr 203.0.113.130 rport 56020")


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_answer_can_be_read_back_and_holds_the_own_candidates(name: str) -> None:
    offer = sdp.read(SAMPLES[name], "offerer")
    text = answer(offer, OWN)
    assert json.loads(text)["type"] == "answer"
    read = sdp.read(text, "answerer")
    assert (read.description.ufrag, read.description.pwd) == (OWN.ufrag, OWN.pwd)
    assert read.description.candidates == OWN.candidates
    assert read.bundled == offer.bundled
    assert [section.media.split()[0] for section in read.sections] == [
        section.media.split()[0] for section in offer.sections
    ]
    assert [section.value("mid") for section in read.sections] == [section.value("mid") for section in offer.sections]


def test_the_answer_comes_in_the_form_of_the_offer() -> None:
    text = SAMPLES["pion"]
    assert answer(sdp.read(_plain("pion"), "offerer"), OWN).startswith("v=0\r\n")
    in_base64 = answer(sdp.read(base64.b64encode(text.encode()).decode(), "offerer"), OWN)
    assert json.loads(base64.b64decode(in_base64))["type"] == "answer"


SESSION = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "t=0 0"]
AUDIO = [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=mid:a",
    "a=setup:actpass",
    "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host",
]
VIDEO = [
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "a=mid:v",
    "a=setup:actpass",
    "a=candidate:1 1 udp 1 192.0.2.1 5002 typ host",
]
ICE = ["a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901"]
MORE = ["a=ice-ufrag:efgh", "a=ice-pwd:9876543210987654321098"]


def _sdp(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def test_credentials_of_the_whole_session_count_where_a_section_has_none() -> None:
    read = sdp.read(_sdp(*SESSION, *ICE, *AUDIO), "offerer").description
    assert (read.ufrag, len(read.candidates)) == ("abcd", 1)


def test_of_sections_that_are_not_bundled_the_first_is_taken_and_the_others_are_refused() -> None:
    offer = sdp.read(_sdp(*SESSION, *AUDIO, *ICE, *VIDEO, *MORE), "offerer")
    assert (offer.description.ufrag, len(offer.description.candidates)) == ("abcd", 1)
    lines = answer(offer, OWN).splitlines()
    assert [line.split()[1] for line in lines if line.startswith("m=")] == ["9", "0"]
    assert not [line for line in lines if "BUNDLE" in line]


def test_of_a_bundle_it_is_the_first_of_the_group_that_counts() -> None:
    offer = sdp.read(_sdp(*SESSION, "a=group:BUNDLE v a", *AUDIO, *ICE, *VIDEO, *MORE), "offerer")
    assert offer.description.ufrag == "efgh"
    lines = answer(offer, OWN).splitlines()
    assert [line.split()[1] for line in lines if line.startswith("m=")] == ["9", "9"]


@pytest.mark.parametrize(("theirs", "ours"), [("actpass", "active"), ("active", "passive"), ("passive", "active")])
def test_the_answer_takes_the_other_dtls_role(theirs: str, ours: str) -> None:
    lines = [line.replace("actpass", theirs) for line in AUDIO]
    offer = sdp.read(json.dumps({"type": "offer", "sdp": _sdp(*SESSION, *ICE, *lines)}), "offerer")
    assert f"a=setup:{ours}\\r\\n" in answer(offer, OWN)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (
            json.dumps({"type": "answer", "sdp": _sdp(*SESSION, *ICE, *AUDIO)}),
            errors.WrongRoleError,
            "an offer is wanted",
        ),
        (_sdp(*SESSION, *ICE, *AUDIO).replace("actpass", "active"), errors.WrongRoleError, "an offer is wanted"),
        (_sdp(*SESSION, *AUDIO), errors.NoCredentialsError, "no a=ice-ufrag"),
        (_sdp(*SESSION, ICE[0], *AUDIO), errors.NoCredentialsError, "no a=ice-pwd"),
        (_sdp(*SESSION, *ICE), errors.NoCredentialsError, "no media description"),
        (_sdp(*SESSION, "a=ice-ufrag:a:b", ICE[1], *AUDIO), errors.NoCredentialsError, "ice-ufrag"),
    ],
)
def test_sdp_that_is_of_no_use_is_refused_in_one_line(text: str, error: type[CopiedTextError], words: str) -> None:
    with pytest.raises(error, match=words):
        sdp.read(text, "offerer")


@pytest.mark.parametrize("name", CANDIDATES)
def test_json_that_is_cut_off_is_never_taken_for_plain_sdp(name: str) -> None:
    text = SAMPLES[name].strip()
    for whole in (text, base64.b64encode(text.encode()).decode(), json.dumps(text)):
        for size in range(60, len(whole) - 4, 13):
            assert not sdp.is_whole(whole[:size])
            if not sdp.looks_like_sdp(whole[:size]):
                continue
            with pytest.raises(errors.NoCredentialsError, match="cut off"):
                sdp.read(whole[:size], "offerer")


def test_sdp_without_setup_or_type_is_taken_for_what_is_wanted() -> None:
    text = _sdp(*SESSION, *ICE, *AUDIO).replace("a=setup:actpass\r\n", "")
    assert sdp.read(text, "offerer").description.role == "offerer"
    assert sdp.read(text, "answerer").description.role == "answerer"


@pytest.mark.parametrize("text", ["", "hello", "{}", '{"sdp', "rtcd1.o.abc.", "v=1", "A" * 60, "[" * 5000])
def test_other_texts_do_not_look_like_sdp(text: str) -> None:
    assert not sdp.looks_like_sdp(text)


def test_json_is_whole_when_its_last_brace_is_there() -> None:
    assert sdp.is_whole(SAMPLES["aiortc"])
    assert not sdp.is_whole(SAMPLES["aiortc"][:-2])
    assert not sdp.is_whole(_plain("aiortc"))


NOISE = st.text() | st.sampled_from(list(SAMPLES.values()))


@given(st.lists(NOISE, max_size=3), st.integers(0, 2000), st.integers(0, 2000))
def test_no_text_makes_reading_raise_anything_but_its_own_error(parts: list[str], begin: int, end: int) -> None:
    text = "v=0\n".join(parts)[begin : begin + end]
    for each in (text, json.dumps({"type": "offer", "sdp": text})):
        if sdp.looks_like_sdp(each):
            with contextlib.suppress(CopiedTextError):
                answer(sdp.read(each, "offerer"), OWN)


@pytest.mark.parametrize("lite", [False, True])
def test_an_ice_lite_agent_is_known_by_its_description_of_the_session(lite: bool) -> None:
    said = "a=ice-lite\r\nm=" if lite else "m="
    text = _plain("pion").replace("m=", said, 1)
    assert sdp.read(text, "offerer").description.lite is lite
