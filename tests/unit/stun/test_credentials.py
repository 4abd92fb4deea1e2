"""Long-term keys, time-limited credentials and the shape of a username."""

import pytest

from rtcdiag.stun.credentials import long_term_key, mint, opaque_string, password_of, shape_of


def test_the_key_is_the_digest_of_username_realm_and_password() -> None:
    # The example of RFC 8489 section 9.2.2 (and of RFC 5389 section 15.4).
    assert long_term_key("user", "realm", "pass").hex() == "8493fbc53ba582fb4c044c456bdc40eb"
    assert long_term_key("user", b"realm", "pass") == long_term_key("user", "realm", "pass")
    assert len(long_term_key("user", "realm", "pass", "sha256")) == 32


def test_equal_looking_passwords_are_equal() -> None:
    assert opaque_string("e\u0301\u00a0x") == "\u00e9 x"
    assert long_term_key("u", "r", "e\u0301") == long_term_key("u", "r", "\u00e9")


def test_a_minted_credential_is_what_coturn_computes() -> None:
    # printf 1700000000:alice | openssl dgst -sha1 -hmac north -binary | base64
    made = mint("north", "alice", 1700000000)
    assert made.username == "1700000000:alice"
    assert made.password == password_of("north", "1700000000:alice") == "Cd/49soE35ICqcJF/bCTn8Z4OyE="


def test_without_a_name_the_username_is_the_time_alone() -> None:
    assert mint("secret", "", 1700000000).username == "1700000000"


@pytest.mark.parametrize(
    "username", ["1700000000:alice", "alice:1700000000", "1700000000", "1700000000:", "1700000000:a:b"]
)
def test_a_time_stamp_is_found_wherever_servers_put_it(username: str) -> None:
    shape = shape_of(username)
    assert (shape.form, shape.expires_at) == ("time-limited", 1700000000.0)


@pytest.mark.parametrize(
    "username",
    ["", "alice", "12345678", "123456789012:x", "17000x0000:alice", "alice:x1700000000", "\u0661\u0667" + "\u0660" * 8],
)
def test_other_usernames_are_static(username: str) -> None:
    shape = shape_of(username)
    assert (shape.form, shape.expires_at) == ("static", None)
