"""Pages drawn without a browser, on a workspace that real, small jobs have filled."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import streamlit_folium
import yaml
from affine import Affine
from streamlit.testing.v1 import AppTest

from engine.__main__ import main
from pages.ui.map import maps
from pages.ui.state import session
from pages.ui.state.session import Place

ROOT = Path(__file__).resolve().parents[2]
SIDE, CHIPS = 48, 6
OpenPage = Callable[..., AppTest]


@pytest.fixture
def drawn_maps(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the pages gave to the map component, in order; it answers that nothing is drawn on it."""
    seen: list[dict[str, Any]] = []

    def stand_in(figure: Any, **given: Any) -> dict[str, Any]:
        seen.append({"figure": figure, **given})
        return {"all_drawings": []}

    monkeypatch.setattr(streamlit_folium, "st_folium", stand_in)
    return seen


@pytest.fixture
def open_page(drawn_maps: list[dict[str, Any]]) -> OpenPage:
    """Draws a page inside the app's frame: open_page("extract", job="..."); at the coast, where no place is named."""

    def draw(name: str, session: dict[str, Any] | None = None, **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for key, value in (session or {}).items():
            at.session_state[key] = value
        for key, value in {"place": "virginia", **address}.items():
            at.query_params[key] = value
        at.run()
        return at if name == "start" else at.switch_page(str(ROOT / "pages" / f"{name}.py")).run()

    return draw


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished extraction (raw pixels of six labelled chips) and one finished training."""
    home = tmp_path_factory.mktemp("filled")
    chips = home / "data" / "chips"
    for part in ("data", "splits"):
        (chips / part).mkdir(parents=True)
    for index in range(CHIPS):
        _write_chip(chips / "data", index)
    for name, members in (("train", (0, 1, 2)), ("val", (3,)), ("test", (4, 5))):
        (chips / "splits" / f"{name}.txt").write_text(
            "".join(f"chip{i}\n" for i in members), encoding="utf-8"
        )
    extract = {
        "kind": "extract",
        "scene": {"source": "chips", "path": str(chips)},
        "backbone": {"name": "raw"},
        "device": "cpu",
    }
    train = {
        "kind": "train",
        "store": str(home / "run-extract" / "store"),
        "epochs": 3,
        "device": "cpu",
        "head": {"name": "linear"},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBERSCOPE_HOME", str(home))
        for config in (extract, train):
            path = home / f"{config['kind']}.yaml"
            path.write_text(yaml.safe_dump(config), encoding="utf-8")
            assert main([str(config["kind"]), str(path), "--out", str(home / f"run-{config['kind']}")]) == 0
    return home


@pytest.fixture
def filled_home(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The filled workspace as the app's own."""
    monkeypatch.setenv("EMBERSCOPE_HOME", str(filled))
    return filled


@pytest.fixture(autouse=True)
def _fresh_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test reads its own workspace, and none writes into the project's."""
    import streamlit as st

    monkeypatch.setenv("EMBERSCOPE_HOME", str(tmp_path / "unused-home"))
    st.cache_data.clear()
    st.cache_resource.clear()
    assert maps is not None
    yield
    os.environ.pop("EMBERSCOPE_DATA", None)


def place_of(at: AppTest) -> Place:
    """The place that a page looks at."""
    return next(found for found in session.places() if found.key == at.session_state["place_key"])


def words(at: AppTest) -> str:
    """All text of a page that a person reads."""
    kinds = (
        "title",
        "subheader",
        "markdown",
        "caption",
        "info",
        "warning",
        "error",
        "code",
        "metric",
        "html",
    )
    said = "\n".join(
        str(item.value) for kind in kinds for item in at.get(kind) if hasattr(item, "value")
    ) + "\n".join(getattr(item.proto, "body", "") for item in at.get("html"))
    return re.sub(r"</?abbr[^>]*>", "", said)  # marks of words that are explained


def _write_chip(folder: Path, index: int) -> None:
    """A round scar on green land, so that a linear decoder can learn it."""
    chance = np.random.default_rng(index)
    row, column = np.mgrid[0:SIDE, 0:SIDE]
    burned = np.hypot(row - 20 - index, column - 24) < 9
    image = np.stack([np.full((SIDE, SIDE), value) for value in (0.03, 0.06, 0.04, 0.35, 0.2, 0.1)])
    image[:, burned] = np.array([0.04, 0.05, 0.06, 0.08, 0.2, 0.22])[:, None]
    image = (image + chance.normal(0, 0.005, image.shape)).astype(np.float32)
    profile = {"driver": "GTiff", "height": SIDE, "width": SIDE, "crs": "EPSG:32610",
               "transform": Affine(30, 0, 500_000 + index * 5000, 0, -30, 4_500_000)}  # fmt: skip
    with rasterio.open(folder / f"chip{index}_merged.tif", "w", count=6, dtype="float32", **profile) as out:
        out.write(image)
        out.descriptions = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
        out.update_tags(EMBERSCOPE_SIMULATED="yes")
    with rasterio.open(folder / f"chip{index}.mask.tif", "w", count=1, dtype="int16", **profile) as out:
        out.write(burned.astype(np.int16), 1)
