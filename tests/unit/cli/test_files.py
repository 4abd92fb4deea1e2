"""Files: nothing half-written, nothing overwritten that should not be, and one line for what cannot be read."""

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from rtcdiag.cli import files
from rtcdiag.cli.entry import BadInputError
from rtcdiag.cli.files import check_writable, make_directory, read_bytes, read_text, write_new, write_whole


def test_a_file_is_replaced_whole_and_nothing_else_is_left_in_the_directory(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_at_its_last_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")

    def fail(_: Path, target: Path) -> Path:
        raise OSError(5, f"Input/output error at {target}")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replaced_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "report.json", tmp_path / "latest.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    # A pipe of its own and never a device: where the code is wrong, this would replace the computer's.
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        check_writable(pipe, what="--output")
        write_whole(pipe, b"new")
        assert pipe.is_fifo()
        assert os.read(reader, 16) == b"new"
    finally:
        os.close(reader)


def test_reports_never_overwrite_each_other(tmp_path: Path) -> None:
    (tmp_path / "run.html").write_bytes(b"mine")
    first = write_new(tmp_path, "run", {".json": b"1", ".html": b"2"})
    second = write_new(tmp_path, "run", {".json": b"3", ".html": b"4"})
    assert [path.name for path in first] == ["run-2.json", "run-2.html"]
    assert [path.name for path in second] == ["run-3.json", "run-3.html"]
    assert (tmp_path / "run.html").read_bytes() == b"mine"
    assert [path.read_bytes() for path in (*first, *second)] == [b"1", b"2", b"3", b"4"]
    assert len(list(tmp_path.iterdir())) == 5


def test_a_pair_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path, data: bytes) -> int:
        raise OSError(28, f"No space left for {len(data)} bytes")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path, "run", {".json": b"1", ".html": b"2"})
    assert list(tmp_path.iterdir()) == []


def test_whether_a_file_can_be_written_is_known_before_and_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.json", what="--output")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadInputError, match="is a directory"):
        check_writable(tmp_path, what="--output")
    with pytest.raises(BadInputError, match=r"there is no directory .*missing"):
        check_writable(tmp_path / "missing" / "report.json", what="--output")
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="there is no directory"):
        check_writable(tmp_path / "file" / "report.json", what="--output")
    with pytest.raises(BadInputError, match=r"--reports-dir .*file: File exists"):
        make_directory(tmp_path / "file", what="--reports-dir")


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"x" * 11, "longer than 10 bytes"), (b"a\xff", "not UTF-8 text \\(byte 1\\)")],
)
def test_a_text_file_that_is_none_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(data)
    with pytest.raises(BadInputError, match=f"--ice-servers .*list.json: {why}"):
        read_text(str(path), what="--ice-servers", limit=10)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(b"\xef\xbb\xbf[]")
    assert read_text(str(path), what="list", limit=10) == "[]"


@pytest.mark.parametrize(("name", "why"), [("missing", "No such file"), (".", "Is a directory"), ("a\0b", "null byte")])
def test_a_file_that_cannot_be_opened_is_named_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        read_bytes(name, what="report", limit=10)


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello")))
    assert read_bytes("-", what="report", limit=10) == b"hello"


def test_a_private_file_is_its_owners_alone_whatever_it_was_before(tmp_path: Path) -> None:
    path = tmp_path / "packets"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_whole(path, b"new", private=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_told_from_one_that_is_no_text(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "servers.json"
    path.write_bytes("\ufeff[]".encode(encoding))
    with pytest.raises(BadInputError, match="UTF-16 text; save it as UTF-8"):
        read_text(str(path), what="health", limit=100)
    path.write_bytes(b"ab\xff")
    with pytest.raises(BadInputError, match=r"not UTF-8 text \(byte 2\)"):
        read_text(str(path), what="health", limit=100)


def test_a_pipe_is_read_and_one_into_which_nobody_writes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"stun:a",))
    writer.start()
    assert read_text(str(path), what="health", limit=100) == "stun:a"
    writer.join()
    monkeypatch.setattr(files, "PIPE_S", 0.01)
    with pytest.raises(BadInputError, match="nobody wrote into this pipe"):
        read_text(str(path), what="health", limit=100)
