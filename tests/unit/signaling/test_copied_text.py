"""The two ends of copied text, with a person between them who pastes wrong things too."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from time import time

import pytest
from msgspec.structs import replace

from rtcdiag.signaling import SignalingError, errors
from rtcdiag.signaling.code import decode, encode
from rtcdiag.signaling.copied_text import CopiedText, Offered, read_offer
from rtcdiag.signaling.messages import Bye, Description
from rtcdiag.signaling.paste import Chunk, Over
from rtcdiag.signaling.sdp import read
from rtcdiag.signaling.sdp_answer import answer
from rtcdiag.signaling.sdp_offer import OfferForm, offer
from rtcdiag.signaling.used import UsedCodes

OFFER = Description(
    session="0123456789abcdef",
    role="offerer",
    ufrag="abcd",
    pwd="0123456789ABCDEFabcdef",
    candidates=("candidate:1 1 udp 2130706431 192.0.2.7 50123 typ host",),
    expires_at_s=float(int(time()) + 600),
)
ANSWER = replace(OFFER, role="answerer", ufrag="zzzz")
PION = Path("tests/support/sdp/pion.json").read_text()


class Pieces:
    """What the person pastes, piece by piece."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts
        self.closed = False

    def start(self, give: Callable[[Chunk], None]) -> None:
        for text in self._texts:
            give(text.encode())
            give(Over.PIECE)
        give(Over.ALL)

    def close(self) -> None:
        self.closed = True


class Person:
    """One end's channel, and what its person saw."""

    def __init__(
        self,
        *pastes: str,
        offered: Offered | None = None,
        offer_as: OfferForm | None = None,
        used: UsedCodes | None = None,
    ) -> None:
        self.pieces = Pieces(*pastes)
        self.shown: list[str] = []
        self.told: list[str] = []
        self.channel = CopiedText(
            offered=offered,
            offer_as=offer_as,
            used=used or UsedCodes(None),
            hand_over=self._show,
            source=lambda: self.pieces,
            on_ready=lambda: None,
            tell=self.told.append,
        )

    async def _show(self, own: Description, text: str) -> None:
        assert own.role == self.channel.role
        self.shown.append(text)


async def _offered_and_answered(person: Person) -> Description:
    await person.channel.send(OFFER)
    message = await asyncio.wait_for(person.channel.receive(), 10)
    assert isinstance(message, Description)
    return message


def test_the_offerer_gets_the_answer_that_is_pasted_and_the_terminal_is_left() -> None:
    person = Person(encode(ANSWER))
    assert asyncio.run(_offered_and_answered(person)) == ANSWER
    assert [decode(text, "offerer") for text in person.shown] == [OFFER]
    assert person.pieces.closed
    assert not person.told


def test_wrong_pastes_are_told_one_by_one_and_waited_out() -> None:
    wrong = ("hello", encode(OFFER), encode(replace(ANSWER, session="f" * 16)), PION, "x" + encode(ANSWER)[20:])
    person = Person(*wrong, encode(ANSWER))
    assert asyncio.run(_offered_and_answered(person)) == ANSWER
    assert len(person.told) == len(wrong)
    assert len(set(person.told)) == len(wrong)


def test_an_answer_that_comes_in_two_pieces_is_put_together() -> None:
    text = encode(ANSWER)
    person = Person(text[:30], text[30:])
    assert asyncio.run(_offered_and_answered(person)) == ANSWER
    assert len(person.told) == 1


def test_a_whole_answer_after_one_that_was_cut_off_is_taken_by_itself() -> None:
    person = Person(encode(ANSWER)[:30], encode(ANSWER))
    assert asyncio.run(_offered_and_answered(person)) == ANSWER


def test_the_end_of_the_input_is_an_error_with_the_last_problem() -> None:
    with pytest.raises(SignalingError, match="no answer was pasted"):
        asyncio.run(_offered_and_answered(Person()))
    with pytest.raises(SignalingError, match="there is no code"):
        asyncio.run(_offered_and_answered(Person("hello")))


def test_the_same_answer_is_taken_once() -> None:
    used = UsedCodes(None)
    asyncio.run(_offered_and_answered(Person(encode(ANSWER), used=used)))
    with pytest.raises(SignalingError, match="already used"):
        asyncio.run(_offered_and_answered(Person(encode(ANSWER), used=used)))


async def _answered(person: Person) -> None:
    assert person.channel.role == "answerer"
    await person.channel.receive()
    await person.channel.send(ANSWER)
    await person.channel.send(Bye())


def test_the_answerer_has_the_offer_at_once_and_shows_its_answer() -> None:
    used = UsedCodes(None)
    person = Person(offered=read_offer(encode(OFFER), used), used=used)
    asyncio.run(_answered(person))
    assert [decode(text, "answerer") for text in person.shown] == [ANSWER]


def test_an_offer_is_used_when_its_answer_is_shown_and_not_before() -> None:
    used = UsedCodes(None)
    first, second = (Person(offered=read_offer(encode(OFFER), used), used=used) for _ in range(2))
    asyncio.run(_answered(first))
    with pytest.raises(errors.UsedError):
        asyncio.run(_answered(second))
    with pytest.raises(errors.UsedError):
        read_offer(encode(OFFER), used)
    assert not second.shown


def test_another_applications_offer_is_answered_in_its_form() -> None:
    person = Person(offered=read_offer(PION, UsedCodes(None)))
    asyncio.run(_answered(person))
    (shown,) = person.shown
    assert json.loads(shown)["type"] == "answer"


def _answer_in_sdp(own: Description = OFFER) -> str:
    return answer(read(offer(own, "json"), "offerer"), ANSWER)


@pytest.mark.parametrize("form", ["json", "sdp"])
def test_an_offer_in_sdp_is_answered_in_sdp(form: OfferForm) -> None:
    as_json = _answer_in_sdp()
    person = Person(as_json if form == "json" else json.loads(as_json)["sdp"], offer_as=form)
    found = asyncio.run(_offered_and_answered(person))
    assert (found.role, found.ufrag, found.candidates) == ("answerer", ANSWER.ufrag, ANSWER.candidates)
    (shown,) = person.shown
    assert shown.startswith('{"type": "offer"' if form == "json" else "v=0\r\n")
    assert not person.told


def test_an_answer_without_identifiers_is_taken() -> None:
    found = asyncio.run(_offered_and_answered(Person(_answer_in_sdp().replace("a=mid:", "a=x:"), offer_as="json")))
    assert found.ufrag == ANSWER.ufrag


WRONG_FOR_SDP = {
    "no SDP in this text": "hello",
    "this is a code": encode(ANSWER),
    "your own offer: this end needs the answer that the application makes": offer(OFFER, "sdp"),
    "this is an offer, and an answer is wanted": PION,
    "an answer to another offer": _answer_in_sdp(replace(OFFER, session="f" * 16)),
    "the application refused": _answer_in_sdp().replace("m=application 9", "m=application 0"),
    "cut off": _answer_in_sdp()[:200],
}


def test_wrong_answers_to_an_offer_in_sdp_are_told_one_by_one_and_waited_out() -> None:
    person = Person(*WRONG_FOR_SDP.values(), _answer_in_sdp(), offer_as="json")
    assert asyncio.run(_offered_and_answered(person)).ufrag == ANSWER.ufrag
    assert len(person.told) == len(WRONG_FOR_SDP)
    for words, told in zip(WRONG_FOR_SDP, person.told, strict=True):
        assert words in told


def test_an_answer_in_sdp_is_taken_once() -> None:
    used = UsedCodes(None)
    asyncio.run(_offered_and_answered(Person(_answer_in_sdp(), offer_as="json", used=used)))
    with pytest.raises(SignalingError, match="already used"):
        asyncio.run(_offered_and_answered(Person(_answer_in_sdp(), offer_as="json", used=used)))


def test_after_its_description_copied_text_brings_nothing() -> None:
    async def wait() -> None:
        person = Person(encode(ANSWER))
        await _offered_and_answered(person)
        receiving = asyncio.create_task(person.channel.receive())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not receiving.done()
        receiving.cancel()

    asyncio.run(wait())
