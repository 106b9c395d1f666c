"""The Train page takes a TerraTorch downstream file by upload, says how it was read and what is here, and starts it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml

from engine.jobs.configuration.config import read_yaml
from tests.burn_scars_layout import STEMS, write_layout
from tests.pages.conftest import OpenPage, words
from tests.unit.terratorch.downstream_files import downstream


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    """Chips in the layout of HLS Burn Scars, and embeddings of them as TerraTorch leaves them."""
    chips = write_layout(tmp_path / "hls_burn_scars")
    folder = chips / "embeddings" / "layer_00"
    folder.mkdir(parents=True)
    for stem in STEMS:
        with rasterio.open(folder / f"{stem}_merged_embedding.tif", "w", driver="GTiff", count=4, height=4, width=4,
                           dtype="float32", crs="EPSG:32610", transform=_of(chips, stem)) as out:  # fmt: skip
            out.write(np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32))
    return chips


def _of(chips: Path, stem: str) -> rasterio.Affine:
    with rasterio.open(chips / "data" / f"{stem}_merged.tif") as image:
        return image.transform @ rasterio.Affine.scale(image.width / 4)


def test_an_uploaded_file_is_read_key_by_key_counted_and_started(
    open_page: OpenPage, home: Path, embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    tree = downstream(Path("hls_burn_scars"), Path("hls_burn_scars/embeddings/layer_00"))
    at = open_page("train")
    at.file_uploader(key="tt_train_file").upload("mine.yaml", yaml.safe_dump(tree).encode()).run()
    assert not at.exception
    assert any("is no folder" in one.value for one in (*at.warning, *at.error))
    at.text_input(key="tt_train_base").set_value(str(embedded.parent)).run()
    (table,) = [frame.value for frame in at.dataframe if "How" in frame.value]
    assert "model.init_args.model_args.decoder" in set(table["Where it stands"])
    assert "9 chips with embeddings and labels: 4 to train on" in words(at)
    at.button(key="tt_train_start").click().run()
    assert not at.exception
    (config,) = [read_yaml(path) for path in home.glob("*/config.yaml")]
    assert config["store"]["train"]["embeddings"] == str(embedded / "embeddings" / "layer_00")
    assert config["head"]["name"] == "conv"


def test_a_generation_file_is_refused_in_words(open_page: OpenPage, home: Path) -> None:
    at = open_page("train")
    content = b"model: {class_path: terratorch.tasks.EmbeddingGenerationTask}\ndata: {class_path: x}\n"
    at.file_uploader(key="tt_train_file").upload("mine.yaml", content).run()
    assert not at.exception
    assert any("EmbeddingGenerationTask" in one.value for one in (*at.warning, *at.error))
    assert not list(home.glob("*/config.yaml"))
