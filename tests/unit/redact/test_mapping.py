"""What stands for a name is decided anew with each part of a report that tells more names."""

from rtcdiag.redact.addresses import Addresses, Known
from rtcdiag.redact.key import Key
from rtcdiag.redact.mapping import Mapping, Words
from rtcdiag.redact.roles import Role

NOTHING = Known(all=frozenset(), named=frozenset())


def test_a_text_that_was_told_before_is_told_anew_when_a_word_in_it_is_known_to_be_a_name() -> None:
    key = Key(bytes(range(16)))
    mapping = Mapping(Addresses(NOTHING, key, again=False), key, again=False, words=Words())
    assert mapping.text("relay7 was asked", Role.TEXT) == "relay7 was asked"
    mapping.learn(NOTHING, Words(hosts=frozenset({"relay7"})))
    assert "relay7" not in mapping.text("relay7 was asked", Role.TEXT)
