"""Workspaces: a name is never a path, runs are apart, and what is shared is shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.imagery.sources.simulated import season_folder
from engine.workspace import (
    is_name,
    is_of_another,
    name_of,
    shared_root,
    workspace_folder,
    workspace_name,
    workspace_of,
    workspaces,
)

NOT_NAMES = ("..", ".", "a/b", "../../etc", "/etc", "a\\b", "C:", "Anna", "a b", "-a", "a-", "ä", "a\n", "a\x00", "a" * 33, "con", "lpt1", "~", "*")  # fmt: skip


@pytest.mark.parametrize("words", NOT_NAMES)
def test_what_could_be_a_path_names_no_workspace(home: Path, words: str) -> None:
    assert not is_name(words)
    with pytest.raises(BadInput, match="is no name of a workspace"):
        workspace_folder(words)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Anna", "anna"),
        (" Anna  Müller ", "anna-muller"),
        ("../../etc", "etc"),
        ("a" * 50, "a" * 32),
        ("7", "7"),
    ],
)
def test_what_a_person_types_becomes_a_name(typed: str, name: str) -> None:
    assert name_of(typed) == name
    assert is_name(name)


@pytest.mark.parametrize("typed", ["", "  ", "..", "火", "con"])
def test_what_holds_no_name_is_refused(typed: str) -> None:
    with pytest.raises(BadInput, match="cannot name a workspace"):
        name_of(typed)


def test_runs_lie_apart_and_data_together(home: Path) -> None:
    anna, ben = workspace_folder("anna"), workspace_folder("ben")
    assert {anna, ben, workspace_folder("")} == {
        home / "workspaces" / "anna",
        home / "workspaces" / "ben",
        home,
    }
    assert workspace_of(anna / "run") == anna and workspace_of(home / "run") == home
    assert workspace_of(home.parent / "elsewhere" / "run") == home
    assert {season_folder(0, folder) for folder in (home, anna, ben)} == {home / "data" / "simulated-0"}
    assert shared_root(home.parent / "elsewhere") == home.parent / "elsewhere"
    assert [workspace_name(folder) for folder in (home, anna, anna / "run")] == ["", "anna", ""]


def test_a_path_is_of_another_workspace_or_not(home: Path) -> None:
    anna, ben = workspace_folder("anna"), workspace_folder("ben")
    assert is_of_another(ben / "run" / "map.tif", anna) and is_of_another(ben / "map.tif", home)
    assert not is_of_another(anna / "run" / "map.tif", anna) and not is_of_another(
        home / "run" / "map.tif", home
    )


def test_workspaces_are_listed_with_the_common_one_first(home: Path) -> None:
    for name in ("ben", "anna", "..hidden"):
        (home / "workspaces" / name).mkdir(parents=True)
    assert workspaces() == [home, home / "workspaces" / "anna", home / "workspaces" / "ben"]
