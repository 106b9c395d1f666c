"""The Extract page takes a TerraTorch file by upload, says how it was read, and starts it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from engine.jobs.configuration.config import read_yaml
from tests.pages.conftest import OpenPage, words
from tests.unit.terratorch.files import present

WriteRaster = Callable[..., Path]


def upload(at: AppTest, tree: dict[str, Any] | str) -> AppTest:
    content = tree if isinstance(tree, str) else yaml.safe_dump(tree)
    return at.file_uploader(key="tt_file").upload("mine.yaml", content.encode()).run()


@pytest.fixture
def chips(write_raster: WriteRaster, tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).uniform(0.01, 0.4, (6, 32, 32)).astype(np.float32)
    return write_raster("chips/one.tif", pixels).parent


def test_an_uploaded_file_is_shown_key_by_key_and_starts_as_it_was_read(
    open_page: OpenPage, home: Path, chips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    means = {"means": [0.03] * 6, "stds": [0.02] * 6}
    tree = present(
        {"predict_data_root": "/elsewhere/chips", "img_grep": "*.tif", **means},
        model_args={"backbone_temporal_pooling": "mean"},
    )
    at = upload(open_page("extract"), tree)
    (table,) = [frame.value for frame in at.dataframe if "How" in frame.value]
    assert "model.init_args.model_args.backbone" in set(table["Where it stands"])
    assert any("means and stds are not" in warning.value for warning in at.warning)
    assert any("holds no chips" in warning.value for warning in at.warning)
    at.text_input(key="tt_folder").set_value(str(chips)).run()
    at.button(key="tt_start").click().run()
    (config,) = [read_yaml(path) for path in home.glob("*/config.yaml")]
    assert config["backbone"]["name"] == "prithvi_eo_v2_tiny_tl"
    assert config["scene"]["path"] == str(chips)
    assert "Starting" in words(at) + str([bar.proto for bar in at.get("progress")])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "is not YAML"),
        ("just words", "keys and values"),
        (yaml.safe_dump(present(embedding_pooling="min")), "embedding_pooling"),
        ("kind: extract", "EmbeddingGenerationTask"),
        ("model: &a {b: *a}", "levels deep"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    open_page: OpenPage, home: Path, content: str, said: str
) -> None:
    at = upload(open_page("extract"), content)
    assert not at.exception
    assert any(said.replace("_", "\\_") in warning.value for warning in at.warning)
    assert not list(home.glob("*/config.yaml"))


@pytest.mark.parametrize(
    "name", ["mine.yaml", "a; rm -rf ~ #.yaml", "../../etc/cron.d/x.yaml", ".yaml", "ä ö$(id).yml"]
)
def test_a_file_of_any_name_is_drawn_whole_and_its_name_becomes_no_path_and_no_command(
    open_page: OpenPage, home: Path, chips: Path, name: str
) -> None:
    means = {"means": [0.03] * 6, "stds": [0.02] * 6}
    tree = present(
        {"predict_data_root": str(chips), "img_grep": "*.tif", **means},
        model_args={"backbone_temporal_pooling": "mean"},
    )
    at = open_page("extract")
    at.file_uploader(key="tt_file").upload(name, yaml.safe_dump(tree).encode()).run()
    assert not at.exception
    assert at.button(key="tt_start")
    commands = [block.value for block in at.code if block.value.startswith("python -m engine extract")]
    assert len(commands) == 2
    for command in commands:
        assert re.fullmatch(r"python -m engine extract [\w-]+\.yaml", command)
    (made,) = {path.name for path in home.iterdir()} or {""}
    assert made == ""
