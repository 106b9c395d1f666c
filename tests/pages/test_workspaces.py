"""Two workspaces on one server: neither sees the other's runs, tiles, regions or links."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import SceneError
from pages.ui.map.routes import tiles
from tests.pages.conftest import ROOT, OpenPage, words


@pytest.fixture
def shared(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which anna has both runs, and the common workspace and ben have none."""
    home = tmp_path / "shared"
    for run in ("run-extract", "run-train"):
        shutil.copytree(filled / run, home / "workspaces" / "anna" / run)
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    return home


@pytest.mark.parametrize("other", ["ben", ""])
@pytest.mark.parametrize("name", ["runs", "embeddings", "evaluate", "apply"])
def test_the_runs_of_one_workspace_are_not_seen_from_another(
    open_page: OpenPage, shared: Path, name: str, other: str
) -> None:
    own = open_page(name, workspace="anna")
    assert not own.exception
    assert own.dataframe if name == "runs" else own.selectbox
    address = {"workspace": other} if other else {}
    at = open_page(name, job="run-train", **address)
    assert not at.exception
    assert not at.dataframe and not at.selectbox
    assert "is not among the runs of this workspace" in words(at) or name == "runs"


def test_a_page_keeps_its_workspace_in_the_address(open_page: OpenPage, shared: Path) -> None:
    at = open_page("runs", workspace="anna")
    assert at.query_params["workspace"] in ("anna", ["anna"])


@pytest.mark.parametrize("wrong", ["../anna", "/etc", "Anna", "a b", "<b>x</b>", "x" * 5000])
def test_an_address_that_names_no_workspace_shows_none(open_page: OpenPage, shared: Path, wrong: str) -> None:
    at = open_page("start", workspace=wrong)
    assert not at.exception
    assert any("is no name of a workspace" in warning.value for warning in at.warning)
    assert not at.title and not at.dataframe
    assert at.text_input(key="workspace_name_arrival").label == "Name of the workspace"


def test_every_token_of_an_address_is_signed() -> None:
    """One that a known file gives could be computed by somebody who may not see it."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "pages").rglob("*.py")}
    own = {name for name, text in texts.items() if "popitem(" in text and "[token] = " in text} - {
        "by_token.py"
    }
    tables = own | {name for name, text in texts.items() if "by_token.keep(" in text}
    assert len(tables) >= 4
    assert [name for name in sorted(tables) if " = token_of(" not in texts[name]] == []


def test_a_raster_of_another_workspace_is_not_shown(shared: Path) -> None:
    raster = next((shared / "workspaces" / "anna").rglob("*.tif"))
    with pytest.raises(SceneError, match="may not show"):
        tiles.register(tiles.Layer(((tiles.Band(raster),),)))
