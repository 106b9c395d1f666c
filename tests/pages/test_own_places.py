"""Places of one's own: listed, renamed, removed, found again; folders of the server looked through."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.errors import BadInput
from engine.imagery.sources import FileScene
from pages.ui.explore import own_files
from pages.ui.state import own_places, session, uploads
from tests.pages.conftest import OpenPage, place_of, words


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()


@pytest.fixture
def mine(home: Path, scene_file: Path, tmp_path: Path) -> FileScene:
    """A raster in a folder that may be shown."""
    return FileScene(source="file", path=str(scene_file.rename(tmp_path / "data" / "mine.tif")))


def titles() -> list[str]:
    return [place.title for place in session.places()][5:]


def test_a_name_belongs_to_one_place_and_the_same_files_take_it_again(mine: FileScene, home: Path) -> None:
    key = own_places.keep("  Long\tCanyon ", mine, "raw")
    assert titles() == ["Long Canyon"]
    assert own_places.keep("long canyon", mine.model_copy(update={"scale": 0.001}), "raw") == key
    other = mine.model_copy(update={"path": "/elsewhere.tif"})
    with pytest.raises(BadInput, match="Choose another name"):
        own_places.keep("Long Canyon", other, "raw")
    assert own_places.free_title("Long Canyon", other) == "Long Canyon 2"
    for title in ("", " \n ", "x" * 61):
        with pytest.raises(BadInput, match="1 to 60"):
            own_places.keep(title, other, "raw")


def test_a_place_is_renamed_and_removed_in_the_list(open_page: OpenPage, mine: FileScene) -> None:
    key = own_places.keep("First", mine, "raw")
    at = open_page("explore", place=key)
    at.text_input(key=f"own_name_{key}_First").set_value("Second")
    at.button(key=f"own_rename_{key}").click().run()
    assert titles() == ["Second"]
    assert at.session_state["place_key"] == key
    at.button(key=f"own_remove_{key}").click().run()
    assert not titles()
    assert at.session_state["place_key"] == "fire"
    assert Path(mine.path).is_file(), "files that were not dropped into the page are the person's"


def test_files_that_went_away_are_told_in_the_list_and_the_page_stays_usable(
    open_page: OpenPage, mine: FileScene
) -> None:
    key = own_places.keep("Gone", mine, "raw")
    Path(mine.path).unlink()
    at = open_page("explore", place=key)
    assert not at.exception
    assert any("moved or deleted" in warning.value for warning in at.warning)
    assert "Gone (files gone)" in at.segmented_control(key="explore_place").options
    at.segmented_control(key="explore_place").set_value("virginia").run()
    assert at.session_state["place_key"] == "virginia"
    assert not at.exception


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"title": 3}', '{"title": "a", "scene": {"source": "file", "path": "x", "run": "y"}}', "\x00"],
)
def test_a_damaged_place_is_told_and_can_be_removed(open_page: OpenPage, home: Path, text: str) -> None:
    (home / "places").mkdir()
    path = home / "places" / "own-0000ffff.json"
    path.write_text(text, encoding="utf-8")
    at = open_page("explore", place="own-0000ffff")
    assert not at.exception
    assert any("cannot be read as a place" in warning.value for warning in at.warning)
    assert any("place “own" in info.value for info in at.info)
    at.button(key="own_remove_own-0000ffff").click().run()
    assert not path.is_file()


def test_dropped_files_go_with_their_place_after_a_question_unless_a_run_needs_them(
    open_page: OpenPage, home: Path, scene_file: Path
) -> None:
    content = scene_file.read_bytes()
    for is_needed in (False, True):
        path = uploads.store([("mine.tif", content)])
        scene = FileScene(source="file", path=str(path))
        if is_needed:
            (home / "run").mkdir()
            (home / "run" / "config.yaml").write_text(str(path), encoding="utf-8")
        key = own_places.keep("Mine", scene, "raw")
        at = open_page("explore", place=key)
        at.button(key=f"own_remove_{key}").click().run()
        assert path.is_file(), "it is asked first"
        at.button(key=f"own_sure_{key}").click().run()
        assert path.is_file() == is_needed
        assert not titles()
    assert own_files.release(FileScene(source="file", path=str(scene_file))), "files elsewhere are left alone"
    assert scene_file.is_file()


def browse(at: AppTest, name: str) -> AppTest:
    return next(button for button in at.button if button.label.startswith(name)).click().run()


def test_rasters_are_found_by_looking_through_the_folders_of_the_server(
    open_page: OpenPage, mine: FileScene, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    (folder / "deep" / "er").mkdir(parents=True)
    content = Path(mine.path).read_bytes()
    for name in ("deep/one.tif", "deep/two.tif", "deep/er/needle.tif"):
        (folder / name).write_bytes(content)
    (folder / "outside").symlink_to(tmp_path)
    (folder / "notes.txt").write_text("no raster")
    at = browse(open_page("explore").button(key="open_own").click().run(), "data")
    said = [button.label for button in at.button if (button.key or "").startswith("own_entry_")]
    assert [label.split(" ·")[0] for label in said] == ["deep", "mine.tif"]
    assert "2 rasters, 1 folder" in said[0]
    at = browse(at, "deep")
    assert [button for button in at.button if button.key == "own_whole"]
    at.text_input(key="own_search").set_value("NEED").run()
    at = browse(at, "er/needle.tif")
    assert at.session_state["own_draft"].scene.path == str(folder / "deep" / "er" / "needle.tif")
    assert "What was understood" in words(at)


def test_all_rasters_of_a_folder_become_one_place(
    open_page: OpenPage, mine: FileScene, tmp_path: Path
) -> None:
    (tmp_path / "data" / "second.tif").write_bytes(Path(mine.path).read_bytes())
    at = browse(open_page("explore").button(key="open_own").click().run(), "data")
    at.button(key="own_whole").click().run()
    assert at.session_state["own_draft"].scene.source == "files"
    at.button(key="own_use").click().run()
    assert place_of(at).scene.source == "files"
