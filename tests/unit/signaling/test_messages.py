"""What one end takes as a message of the other, who may be anybody that was given the address."""

import pytest

from rtcdiag.signaling import Description
from rtcdiag.signaling.messages import decode, encode

SESSION = "0123456789abcdef"


def offer(session: str) -> bytes:
    return encode(Description(session=session, role="offerer", ufrag="frag", pwd="word" * 6))


@pytest.mark.parametrize("session", [SESSION, ""], ids=["of this program", "of another, which has none"])
def test_a_session_of_sixteen_digits_or_none_is_taken(session: str) -> None:
    assert isinstance(decode(offer(session)), Description)


@pytest.mark.parametrize("session", [SESSION[1:], SESSION + "\n", "\x1b[2J" + SESSION[4:], SESSION * 10_000])
def test_a_session_that_is_not_sixteen_digits_never_gets_into_a_report(session: str) -> None:
    with pytest.raises(ValueError, match="not a message"):
        decode(offer(session))


@pytest.mark.parametrize("data", [b"", b"[]", b'{"type":"offer"}', b'{"type":"bye","more":' + b"[" * 10_000])
def test_what_is_no_message_is_told_in_one_way(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        decode(data)
