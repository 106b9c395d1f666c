"""What a person keeps of a run: a name, a note, all of it as one zip."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pages.conftest import OpenPage, words


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
    signs_addresses = Path(".secret")  # made when the first file is offered
    assert set(after) - set(before) - {signs_addresses} == {Path("run-extract/note.json")}
    again = open_page("embeddings", job="run-extract")
    assert any(label.startswith(name) for label in again.selectbox(key="embeddings_store").options)
    assert (
        open_page("runs", job="run-extract").text_area(key="note_text_run-extract").value
        == "with the new card"
    )


def test_runs_are_searched_and_their_size_and_score_stand_in_the_table(
    open_page: OpenPage, own_home: Path
) -> None:
    at = open_page("runs")
    table = at.dataframe[0].value
    assert set(table["Run"]) == {"run-extract", "run-train"}
    assert (table["Size"] > 0).all() and table["Score"].notna().sum() == 1
    assert any(" on disk" in caption.value for caption in at.caption)
    at.text_input(key="runs_search").set_value("linear head").run()
    assert list(at.dataframe[0].value["Run"]) == ["run-train"]
    at.text_input(key="runs_search").set_value("no such thing").run()
    assert not at.dataframe and any("Clear the filter" in info.value for info in at.info)


def test_what_is_listed_stands_in_the_address_and_is_found_again(open_page: OpenPage, own_home: Path) -> None:
    at = open_page("runs", kind="Train", find="linear", state="finished")
    assert list(at.dataframe[0].value["Run"]) == ["run-train"]
    assert at.text_input(key="runs_search").value == "linear"
    at.text_input(key="runs_search").set_value("no such thing").run()
    assert "no such thing" in at.query_params["find"]
    at.text_input(key="runs_search").set_value("").run()
    assert "find" not in at.query_params
    below = open_page("embeddings", job="run-extract", below="None")
    assert not below.exception
    assert below.session_state["embeddings_base"] == "None"


def test_several_runs_are_shown_beside_each_other_with_what_differs_first(
    open_page: OpenPage, own_home: Path
) -> None:
    other = own_home / "run-other"
    shutil.copytree(own_home / "run-train", other)
    config = other / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("seed: 0", "seed: 5"), encoding="utf-8")
    at = open_page("runs", runs="run-train,run-other")
    assert not at.exception
    assert [heading.value for heading in at.subheader] == ["2 runs beside each other"]
    assert "seed" in words(at) and set(at.dataframe[0].value["Settings"]) == {"", "seed 0", "seed 5"}
    assert list(at.get("plotly_chart"))
    at.button(key="one_run").click().run()
    assert not any("beside" in heading.value for heading in at.subheader)


@pytest.mark.parametrize(
    ("sort", "first"), [("Oldest first", "run-extract"), ("Highest score first", "run-train"), ("By name", "run-extract")]
)  # fmt: skip
def test_the_order_of_the_list_stands_in_the_address(
    open_page: OpenPage, own_home: Path, sort: str, first: str
) -> None:
    (own_home / "run-extract" / "note.json").write_text('{"name": "A first one", "text": ""}')
    at = open_page("runs", sort=sort)
    assert not at.exception
    assert at.dataframe[0].value["Run"].tolist()[0] == first
    at.selectbox(key="runs_sort").set_value("Newest first").run()
    assert at.dataframe[0].value["Run"].tolist() == ["run-train", "run-extract"]
    assert at.query_params["sort"] in ("Newest first", ["Newest first"])


def test_a_link_to_several_runs_says_which_of_them_is_gone_and_shows_no_other(
    open_page: OpenPage, own_home: Path
) -> None:
    at = open_page("runs", runs="run-extract,run-gone")
    assert any("run-gone" in info.value for info in at.info)
    assert [heading.value for heading in at.subheader if "beside" in heading.value] == []
    gone = open_page("runs", runs="run-gone,run-away")
    assert {"run-gone", "run-away"} <= {name for info in gone.info for name in info.value.split()}
    assert not gone.subheader
    gone.button(key="one_run").click().run()
    assert gone.subheader


def test_a_run_that_is_needed_says_by_whom_before_it_is_deleted(open_page: OpenPage, own_home: Path) -> None:
    path = own_home / "run-train" / "config.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(text.split("store: ")[1].splitlines()[0], str(own_home / "run-extract" / "store"))
    )
    at = open_page("runs", job="run-extract")
    assert any("run-train" in warning.value.replace("\\", "") for warning in at.warning)
    at.button(key="delete_yes").click().run()
    assert not at.exception
    assert not (own_home / "run-extract").exists() and (own_home / "run-train").is_dir()
