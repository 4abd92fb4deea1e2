"""The address of a room: what is read, and what is wrong with the rest."""

import pytest

from rtcdiag.signaling.invitation import (
    Invitation,
    InvitationError,
    Rendezvous,
    is_invitation,
    parse_invitation,
    parse_rendezvous,
)

ROOM, OTHER_ROOM = "r" * 21 + "A", "s" * 21 + "A"
HOST = Rendezvous("https://rtc.example.org")
INVITATION = Invitation(HOST, ROOM, bytes(range(16)))
ADDRESS = str(INVITATION)


@pytest.mark.parametrize("url", ["https://rtc.example.org", "http://127.0.0.1:3480", "https://[::1]:8443/some/path"])
def test_what_is_written_is_read_again(url: str) -> None:
    invitation = Invitation.to(Rendezvous(url), ROOM)
    assert parse_invitation(str(invitation)) == invitation
    assert str(invitation).startswith(f"{url}/{ROOM}#")


def test_every_invitation_has_a_key_of_its_own_of_128_bits() -> None:
    keys = {Invitation.to(HOST, ROOM).key for _ in range(50)}
    assert len(keys) == 50
    assert {len(key) for key in keys} == {16}


@pytest.mark.parametrize("around", ["'{}'", '"{}"', " {} \n", "<{}>", "`{}`", "{},"])
def test_quotes_and_blanks_around_it_are_tolerated(around: str) -> None:
    assert parse_invitation(around.format(ADDRESS)) == INVITATION
    assert is_invitation(around.format(ADDRESS))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ADDRESS.partition("#")[0], "the key is missing: put quotes around the whole address"),
        (ADDRESS[:-1], "cut off"),
        (ADDRESS[:-8], "cut off"),
        (ADDRESS + "x", "something else around"),
        (ADDRESS + "%20", "something else around"),
        (ADDRESS.replace(ROOM, OTHER_ROOM), "two addresses were mixed"),
        (ADDRESS[:-2] + ("A" if ADDRESS[-2] != "A" else "B") + ADDRESS[-1], "a character is wrong"),
        (f"https://rtc.example.org#{ADDRESS.partition('#')[2]}", "there is no room"),
        (ADDRESS.replace("https://", "https://kim:secret@"), "no user name, password"),
        (ADDRESS.replace("https:", "ftp:"), "https://HOST"),
        (ADDRESS.replace("example.org", "example.org:99999"), "port cannot be read"),
        (ADDRESS.replace("example.org", "example.org:0"), "https://HOST"),
        (ADDRESS.replace("#", "?x=1#"), "no user name, password or ?"),
        ("https://" + "x" * 600, "no address"),
        ("https://exa mple.org", "no address"),
        ("https://[::1", "cannot be read"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_without_its_key(text: str, words: str) -> None:
    with pytest.raises(InvitationError) as caught:
        parse_invitation(text)
    assert words in str(caught.value)
    assert ADDRESS.partition("#")[2][:8] not in str(caught.value)


def test_every_wrong_character_of_the_key_is_noticed() -> None:
    before, _, secret = ADDRESS.partition("#")
    for at in range(len(secret)):
        # The last character has bits that are not used; the one before it does for it.
        changed = secret[:at] + ("B" if secret[at] != "B" else "C") + secret[at + 1 :]
        if at < len(secret) - 1:
            with pytest.raises(InvitationError):
                parse_invitation(f"{before}#{changed}")


def test_the_key_is_in_no_repr() -> None:
    assert ROOM in repr(INVITATION)
    assert ADDRESS.partition("#")[2] not in repr(INVITATION)
    assert repr(INVITATION.key) not in repr(INVITATION)


@pytest.mark.parametrize("text", ["https://rtc.example.org/", " https://rtc.example.org"])
def test_the_address_of_a_rendezvous_is_read(text: str) -> None:
    assert parse_rendezvous(text) == HOST


def test_the_address_of_a_room_is_no_rendezvous() -> None:
    with pytest.raises(InvitationError, match="address of a room"):
        parse_rendezvous(ADDRESS)


@pytest.mark.parametrize("text", ["rtcd1.o.abc.", "v=0", "file.json", "-", "turn:example.org"])
def test_other_codes_are_no_invitation(text: str) -> None:
    assert not is_invitation(text)


def test_a_room_that_a_hostile_rendezvous_names_is_refused() -> None:
    with pytest.raises(InvitationError, match="named a room that is none"):
        Invitation.to(HOST, "x'; rm -rf ~; '")
