"""A run's name and note, and all of it as one zip."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.jobs.keeping.zip_stream import archive_bytes, zip_blocks
from engine.jobs.note import NOTE, Note, read_note, write_note


def test_a_note_is_read_as_it_was_written_and_an_empty_one_is_taken_away(tmp_path: Path) -> None:
    assert read_note(tmp_path) == Note()
    write_note(tmp_path, Note("Föhr, first try", "two\nlines"))
    assert read_note(tmp_path) == Note("Föhr, first try", "two\nlines")
    write_note(tmp_path, Note())
    assert not (tmp_path / NOTE).exists()


@pytest.mark.parametrize("note", [Note("x" * 81), Note("two\nlines"), Note("nul\x00"), Note("a", "x" * 4001)])
def test_what_is_no_name_or_too_long_is_refused_and_nothing_is_kept(tmp_path: Path, note: Note) -> None:
    with pytest.raises(ConfigError, match="Shorten it"):
        write_note(tmp_path, note)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "a"}', b"\xff"])
def test_a_damaged_note_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NOTE).write_bytes(content)
    assert read_note(tmp_path) == Note()


def test_an_archive_holds_every_file_below_the_runs_name_but_no_lock_process_or_link(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "store").mkdir(parents=True)
    for name in ("config.yaml", "store/part-0.parquet", ".working.lock", "process.json", "map.tif.writing"):
        (run / name).write_bytes(name.encode())
    (tmp_path / "secret").write_bytes(b"not of the run")
    (run / "link").symlink_to(tmp_path / "secret")
    held = io.BytesIO()
    held.writelines(zip_blocks(run))
    with zipfile.ZipFile(held) as archive:
        assert archive.namelist() == ["run/config.yaml", "run/store/part-0.parquet"]
        assert archive.testzip() is None
        assert archive.read("run/store/part-0.parquet") == b"store/part-0.parquet"
    assert archive_bytes(run) == len("config.yaml") + len("store/part-0.parquet")
