"""Whom a command asks, and where a password comes from and does not go."""

import io
import json
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.options import Servers
from rtcdiag.cli.servers import default_servers, named_servers, with_credential
from rtcdiag.contacts import STUN_SERVERS
from rtcdiag.stun.credentials import password_of
from rtcdiag.targets import Credential, parse_server

TURN = "turn:turn.example.org"
SECRET = "hunter2"


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    return str(path)


def credential(options: Servers) -> Credential | None:
    (server,) = with_credential((parse_server(TURN),), options)
    return server.credential


def test_servers_come_from_arguments_options_and_lists_each_once_in_order(tmp_path: Path) -> None:
    listed = file(tmp_path, json.dumps([{"urls": ["stun:c", "stun:a"]}]))
    options = Servers(server=["stun:b", "stun:a"], ice_servers=listed)
    servers = named_servers(options, ["stun:a"], only=None)
    assert [server.uri for server in servers] == ["stun:a", "stun:b", "stun:c"]


def test_a_command_about_one_kind_takes_only_those_of_a_mixed_list(tmp_path: Path) -> None:
    listed = file(tmp_path, json.dumps([{"urls": ["stun:a", TURN]}]))
    assert [server.uri for server in named_servers(Servers(ice_servers=listed), (), only="turn")] == [TURN]


@pytest.mark.parametrize(
    ("uri", "only", "message"),
    [
        ("turn://h", None, "'turn://h': turn: is not followed by // (write turn:h)"),
        (
            "turn:h?transport=tcp",
            "stun",
            "'turn:h?transport=tcp': no STUN server, as this command wants (write stun:h, or use check-turn)",
        ),
        ("stuns:h", "turn", "'stuns:h': no TURN server, as this command wants (write turns:h, or use check-stun)"),
    ],
)
def test_a_uri_that_does_not_fit_is_named_and_corrected(
    uri: str, only: Literal["stun", "turn"] | None, message: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        named_servers(Servers(), [uri], only=only)
    assert str(caught.value) == message


def test_no_server_at_all_is_said_with_an_example() -> None:
    with pytest.raises(BadInputError, match="no server is named \\(write rtcdiag check-turn turn:HOST"):
        named_servers(Servers(), (), only="turn")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{}]", ": $[0]: no urls"),
        ("nonsense", ": $: not JSON"),
        ('[{"urls": "stun:a"}]', ": there is no turn: or turns: server in it"),
    ],
)
def test_a_list_that_is_none_is_refused_with_the_name_of_its_file(tmp_path: Path, text: str, message: str) -> None:
    name = file(tmp_path, text)
    with pytest.raises(BadInputError) as caught:
        named_servers(Servers(ice_servers=name), (), only="turn")
    assert str(caught.value).startswith(f"--ice-servers {name}{message}")


def test_the_default_list_is_of_stun_servers_of_several_operators_none_twice() -> None:
    servers = default_servers()
    assert [server.uri for server in servers] == [contact.target for contact in STUN_SERVERS]
    assert {server.protocol for server in servers} == {"stun"}
    assert {server.origin for server in servers} == {"default"}
    assert len({contact.operator for contact in STUN_SERVERS}) == len(STUN_SERVERS) >= 5


@pytest.mark.parametrize("text", [SECRET, SECRET + "\n", SECRET + "\r\n"])
def test_a_password_file_holds_one_line_with_or_without_its_end(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(text.encode())
    found = credential(Servers(username="ann", password_file=str(path)))
    assert found is not None
    assert (found.username, found.password) == ("ann", SECRET)


@pytest.mark.parametrize("text", ["", "\n", f"{SECRET}\nmore\n"])
def test_a_password_file_of_another_shape_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInputError, match=r"--password-file .*: expected one line") as caught:
        credential(Servers(username="ann", password_file=file(tmp_path, text)))
    assert SECRET not in str(caught.value)


def test_a_password_file_that_is_not_there_is_bad_input_also_where_no_server_needs_it(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--password-file"):
        with_credential((parse_server("stun:a"),), Servers(username="ann", password_file=str(tmp_path / "missing")))


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTCDIAG_PASSWORD", SECRET)
    found = credential(Servers(username="ann"))
    assert found is not None
    assert found.password == SECRET


@pytest.mark.parametrize(
    ("name", "password", "what"), [("\udcff", "x", "--username"), ("ann", "\udcff", "RTCDIAG_PASS")]
)
def test_bytes_that_are_no_text_are_refused_in_one_line(
    name: str, password: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RTCDIAG_PASSWORD", password)
    with pytest.raises(BadInputError, match=f"{what}.*: holds bytes that are no UTF-8 text"):
        credential(Servers(username=name))


def test_a_password_file_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTCDIAG_PASSWORD", "other")
    found = credential(Servers(username="ann", password_file=file(tmp_path, SECRET)))
    assert found is not None
    assert found.password == SECRET


def test_a_shared_secret_makes_a_credential_that_expires_within_the_hour(tmp_path: Path) -> None:
    found = credential(Servers(username="ann", secret_file=file(tmp_path, "shared\n")))
    assert found is not None
    expires, _, name = found.username.partition(":")
    assert name == "ann"
    assert expires.isdigit()
    assert found.password == password_of("shared", found.username)


def test_turn_without_any_credential_is_asked_all_the_same_because_that_is_a_finding() -> None:
    assert credential(Servers()) is None


def test_a_credential_of_the_list_stays_and_the_user_s_goes_to_the_other_turn_servers(tmp_path: Path) -> None:
    own = Credential("bob", "b")
    servers = (parse_server(TURN, credential=own), parse_server("turn:other"), parse_server("stun:s"))
    found = with_credential(servers, Servers(username="ann", password_file=file(tmp_path, SECRET)))
    assert [server.credential and server.credential.username for server in found] == ["bob", "ann", None]


def test_nobody_is_prompted_where_no_turn_server_needs_it() -> None:
    servers = (parse_server("stun:s"),)
    assert with_credential(servers, Servers(username="ann")) == servers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stdin", "no_input"), [(io.StringIO(SECRET), False), (Terminal(SECRET), True)])
def test_a_username_without_a_password_is_refused_where_no_one_can_be_asked(
    stdin: Any, no_input: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RTCDIAG_PASSWORD", raising=False)
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(BadInputError, match="--username needs a password: use --password-file"):
        credential(Servers(username="ann", no_input=no_input))


def test_contradicting_sources_of_a_password_are_refused(tmp_path: Path) -> None:
    name = file(tmp_path, SECRET)
    with pytest.raises(BadInputError, match="exclude each other"):
        credential(Servers(username="ann", secret_file=name, password_file=name))
    with pytest.raises(BadInputError, match="needs --username"):
        credential(Servers(password_file=name))
    with pytest.raises(BadInputError, match="only one of --ice-servers and --password-file can be -"):
        named_servers(Servers(ice_servers="-", password_file="-"), (), only=None)
