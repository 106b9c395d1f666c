"""Files appear complete or not at all, and what the file system refuses is said in its own words."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import BadInput, DiskFull, RunFailure
from engine.files import file_sha256, make_folder, require_file_path, slug, write_atomic


def failing(number: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(number, os.strerror(number))

    return write


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_only_a_full_disk_is_called_full_and_what_to_do_is_said(tmp_path: Path, number: int) -> None:
    with pytest.raises(
        DiskFull, match=r"^a.tif could not be written: the disk of .* is full.*then resume\.$"
    ):
        write_atomic(tmp_path / "a.tif", failing(number), then="resume")


def test_a_full_disk_that_only_the_text_tells_of_is_called_full(tmp_path: Path) -> None:
    def write(_: Path) -> None:
        raise OSError("TIFFAppendToStrip: Write error at scanline 4: No space left on device")

    with pytest.raises(DiskFull):
        write_atomic(tmp_path / "a.tif", write)


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EACCES, BadInput, "permission denied"),
        (errno.EROFS, BadInput, "read-only"),
        (errno.ENAMETOOLONG, BadInput, "too long"),
        (errno.EIO, RunFailure, "could not be written"),
        (errno.EFBIG, RunFailure, "could not be written"),
    ],
)
def test_what_else_the_file_system_refuses_is_not_called_a_full_disk(
    tmp_path: Path, number: int, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words) as told:
        write_atomic(tmp_path / "a.tif", failing(number))
    assert str(told.value).startswith(str(tmp_path / "a.tif")) and "full" not in str(told.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_where_a_file_is_to_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for ask in (require_file_path, lambda path: write_atomic(path, failing(errno.EIO))):
        with pytest.raises(BadInput, match="run is a folder, and a file is to be written there"):
            ask(tmp_path / "run")


@pytest.mark.parametrize("below", ["notes.txt/a.tif", "notes.txt/more/a.tif"])
def test_a_file_where_a_folder_is_needed_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "notes.txt").write_text("a file")
    with pytest.raises(BadInput, match=r"notes\.txt is a file, and a folder is needed there"):
        require_file_path(tmp_path / below)
    with pytest.raises(BadInput, match=r"notes\.txt is a file, and a folder is needed there"):
        make_folder(tmp_path / "notes.txt")


def test_a_name_too_long_is_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="too long"):
        require_file_path(tmp_path / ("a" * 300))


def test_nothing_appears_when_what_comes_before_the_name_fails(tmp_path: Path) -> None:
    def refuse() -> None:
        raise ValueError("not yet")

    with pytest.raises(ValueError, match="not yet"):
        write_atomic(tmp_path / "a", lambda path: path.write_bytes(b"x"), before_rename=refuse)
    assert not list(tmp_path.iterdir())


def test_a_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    # the sha256 of nothing, FIPS 180-4
    assert (
        file_sha256(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("prithvi eo/v2", "prithvi-eo-v2"), ("cuda:1", "cuda-1"), ("a" * 50, "a" * 40)]
)
def test_free_text_becomes_part_of_a_name(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_two_that_write_one_file_at_once_leave_a_whole_one(tmp_path: Path) -> None:
    both_write, path = threading.Barrier(2), tmp_path / "a.bin"

    def visit(number: int) -> None:
        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                both_write.wait(timeout=60)
                file.write(bytes([number]) * 1000)
                both_write.wait(timeout=60)
                file.write(bytes([number]) * 1000)

        write_atomic(path, write)
        assert path.stat().st_size == 2000

    with ThreadPoolExecutor(2) as visitors:
        for done in [visitors.submit(visit, number) for number in (1, 2)]:
            done.result(timeout=60)
    assert path.read_bytes() in (b"\x01" * 2000, b"\x02" * 2000) and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_goes_when_the_file_is_written_a_day_later(tmp_path: Path) -> None:
    old, new, other = (tmp_path / f"{name}.writing" for name in ("a[1].bin.7-8", "a[1].bin.7-9", "b.bin.7-8"))
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (1, 1))
    write_atomic(tmp_path / "a[1].bin", lambda temporary: temporary.write_bytes(b"whole"))
    assert [path.exists() for path in (old, new, other)] == [False, True, True]
