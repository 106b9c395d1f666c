"""What a person keeps of a run: a name, a note, all of it as one zip."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pages.conftest import OpenPage


@pytest.fixture
def own_home(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled workspace that a test may write to."""
    home = tmp_path / "own"
    shutil.copytree(filled, home)
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    return home


@pytest.mark.parametrize("name", ["First try", "../../etc/passwd", "Föhr · <b>", "a/b"])
def test_a_name_is_shown_in_every_list_and_becomes_no_path(
    open_page: OpenPage, own_home: Path, name: str
) -> None:
    before = sorted(path.relative_to(own_home) for path in own_home.rglob("*"))
    at = open_page("runs", job="run-extract")
    at.text_input(key="note_name_run-extract").set_value(name)
    at.text_area(key="note_text_run-extract").set_value("with the new card")
    at.button(key="keep_note_run-extract").click().run()
    assert not at.exception
    assert name in at.dataframe[0].value["Name"].tolist()
    after = sorted(path.relative_to(own_home) for path in own_home.rglob("*"))
    assert set(after) - set(before) == {Path("run-extract/note.json")}
    again = open_page("embeddings", job="run-extract")
    assert any(label.startswith(name) for label in again.selectbox(key="embeddings_store").options)
    assert (
        open_page("runs", job="run-extract").text_area(key="note_text_run-extract").value
        == "with the new card"
    )


def test_a_run_can_be_taken_as_a_zip(open_page: OpenPage, own_home: Path) -> None:
    at = open_page("runs", job="run-train")
    assert [button.key for button in at.get("download_button") if button.key == "take_run"] == ["take_run"]
