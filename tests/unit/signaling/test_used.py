"""Each code is good for one session, whichever run of this computer uses it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from rtcdiag.signaling.messages import Description
from rtcdiag.signaling.used import MOST, UsedCodes, state_directory

NOW_S = 1_790_000_000.0
OFFER = Description(session="0123456789abcdef", role="offerer", ufrag="abcd", pwd="a" * 22, expires_at_s=NOW_S + 600)


def _numbered(number: int) -> Description:
    return replace(OFFER, session=f"{number:016x}")


def test_a_code_can_be_claimed_once_by_all_runs_together(tmp_path: Path) -> None:
    first, second = UsedCodes(tmp_path), UsedCodes(tmp_path)
    assert not second.has(OFFER)
    assert first.claim(OFFER, NOW_S)
    assert second.has(OFFER)
    assert not second.claim(OFFER, NOW_S)
    assert not first.claim(OFFER, NOW_S)
    assert second.claim(replace(OFFER, role="answerer"), NOW_S)


def test_of_many_that_claim_at_once_one_succeeds(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: UsedCodes(tmp_path).claim(OFFER, NOW_S), range(64)))
    assert got.count(True) == 1


def test_many_that_claim_at_once_lose_none(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: UsedCodes(tmp_path).claim(_numbered(number), NOW_S), range(64)))
    assert all(UsedCodes(tmp_path).has(_numbered(number)) for number in range(64))


def test_the_file_is_private_and_holds_no_session(tmp_path: Path) -> None:
    UsedCodes(tmp_path / "deep" / "er").claim(OFFER, NOW_S)
    file = tmp_path / "deep" / "er" / "used-codes"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert OFFER.session not in file.read_text()


def test_what_would_be_expired_is_forgotten(tmp_path: Path) -> None:
    used = UsedCodes(tmp_path)
    used.claim(OFFER, NOW_S)
    used.claim(_numbered(1), NOW_S + 899)
    assert UsedCodes(tmp_path).has(OFFER)
    used.claim(_numbered(2), NOW_S + 901)
    assert not UsedCodes(tmp_path).has(OFFER)


def test_the_file_stays_small_and_the_newest_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "used-codes"
    file.write_text("".join(f"name-{number} {NOW_S + 1000 + number:.0f}\n" for number in range(MOST + 20)))
    UsedCodes(tmp_path).claim(replace(OFFER, expires_at_s=NOW_S + 5000), NOW_S)
    lines = file.read_text().splitlines()
    assert len(lines) == MOST
    assert lines[0].startswith("name-21 ")
    assert UsedCodes(tmp_path).has(OFFER)


@pytest.mark.parametrize("rubbish", [b"\xff\xfe", b"a b c\n", b"x\n\n y 99999999999999999999999\n", b"x -1\nnan nan\n"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / "used-codes").write_bytes(rubbish)
    assert UsedCodes(tmp_path).claim(OFFER, NOW_S)
    assert UsedCodes(tmp_path).has(OFFER)


def test_without_a_directory_the_process_remembers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for used in (UsedCodes(None), UsedCodes(tmp_path / "file" / "below")):
        assert used.claim(OFFER, NOW_S)
        assert used.has(OFFER)
        assert not used.claim(OFFER, NOW_S)


@pytest.mark.parametrize(
    ("environ", "platform", "directory"),
    [
        ({"HOME": "/home/ann"}, "linux", "/home/ann/.local/state/rtcdiag"),
        ({"HOME": "/home/ann", "XDG_STATE_HOME": "/state"}, "linux", "/state/rtcdiag"),
        ({"HOME": "/home/ann", "XDG_STATE_HOME": "state"}, "linux", "/home/ann/.local/state/rtcdiag"),
        ({"HOME": "/Users/ann"}, "darwin", "/Users/ann/Library/Application Support/rtcdiag"),
        ({"LOCALAPPDATA": "/local", "HOME": "/home/ann"}, "win32", "/local/rtcdiag"),
        ({}, "linux", None),
        ({}, "win32", None),
    ],
)
def test_the_state_directory_is_where_the_system_wants_it(
    environ: dict[str, str], platform: str, directory: str | None
) -> None:
    assert state_directory(environ, platform) == (Path(directory) if directory else None)
