"""A downstream file whose splits have folders of their own, with the same names in each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml

from engine.__main__ import main
from engine.errors import BadInput
from engine.extraction.embedding_files.chips import chips_of
from engine.extraction.embedding_files.taking import take, taken_folder
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs.configuration.config import EmbeddingFilesConfig, ExtractConfig
from engine.jobs.job import Job
from engine.jobs.keeping.dependence import dependents
from engine.learning.keeping.result import TrainRun
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from engine.terratorch.training import translate_training
from tests.burn_scars_layout import SPLITS, write_layout
from tests.unit.terratorch.downstream_files import downstream

PATCH_PX = 4


def with_roots(folder: Path, has_images: bool = True) -> dict[str, Any]:
    """Chips, masks and embeddings (their pixels) below train/, val/ and test/, all of them named 0, 1, ...; the file of them."""
    layout, data = write_layout(folder / "layout"), {}
    for split, stems in SPLITS.items():
        chips, made = folder / split / "chips", folder / split / "layer_00"
        chips.mkdir(parents=True)
        made.mkdir()
        for number, stem in enumerate(stems):
            shutil.copyfile(layout / "data" / f"{stem}.mask.tif", chips / f"{number}.mask.tif")
            image = chips / f"{number}.tif"
            shutil.copyfile(layout / "data" / f"{stem}_merged.tif", image)
            with rasterio.open(image) as source:
                pixels = source.read()
            if not has_images:
                image.unlink()
            h, w = (side // PATCH_PX for side in pixels.shape[1:])
            patches = pixels.reshape(6, h, PATCH_PX, w, PATCH_PX).transpose(2, 4, 0, 1, 3).reshape(-1, h, w)
            with rasterio.open(made / f"{number}_embedding.tif", "w", driver="GTiff", count=len(patches), dtype="float32",
                               height=h, width=w) as out:  # fmt: skip
                out.write(patches)
        data |= {
            f"{split}_data_root": str(made),
            f"{split}_label_data_root": str(chips),
            f"{split}_split": None,
        }
    shutil.rmtree(layout)
    return downstream(folder, folder, data)


def store_of(tree: dict[str, Any], root: Path) -> EmbeddingStore:
    config = translate_training(tree, "file.yaml").config.store
    assert isinstance(config, EmbeddingFilesConfig)
    list(take(config, root))
    return EmbeddingStore.open(taken_folder(chips_of(config), root))


def test_each_split_is_read_from_its_own_folders_although_their_chips_have_the_same_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_HOME", str(tmp_path / "home"))
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(with_roots(tmp_path)))
    assert main(["train", str(file), "--out", str(tmp_path / "home" / "run"), "--json"]) == 0
    run = TrainRun.open(tmp_path / "home" / "run")
    assert run.scores["iou_burned"] > 0.6
    store = EmbeddingStore.open(run.store_folder)
    expected = [f"{split}-{number}" for split, stems in SPLITS.items() for number in range(len(stems))]
    assert sorted(tile.id for tile in store.tiles) == sorted(expected)
    for tile in store.tiles:
        split, number = tile.split, tile.id.rsplit("-", 1)[1]
        with rasterio.open(tmp_path / str(split) / "layer_00" / f"{number}_embedding.tif") as dataset:
            values = np.moveaxis(dataset.read(), 0, -1)
        np.testing.assert_array_equal(store.read_tile(tile.id).reshape(values.shape), values)
        with rasterio.open(tmp_path / str(split) / "chips" / f"{number}.mask.tif") as dataset:
            assert tuple(dataset.transform[:6]) == tile.transform
    taken = Job(run.store_folder.parent)
    assert (taken.state, list(check_store(run.store_folder))) == ("finished", [])
    assert isinstance(taken.config, ExtractConfig)
    assert isinstance(taken.config.scene, PublishedEmbeddings)  # every list shows it as an import
    others = [(Job(run.folder), run.config), (taken, taken.config)]
    assert [job.folder for job in dependents(taken.folder, others)] == [run.folder.resolve()]
    assert run.scores["baseline"]["pixels"] == run.scores["pixels"]  # on the images of all splits


def test_folders_of_several_encoders_are_refused_naming_both(tmp_path: Path) -> None:
    tree = with_roots(tmp_path, has_images=False)
    summary = {
        "backbone": "prithvi_eo_v2_300",
        "layers": [{"output_folder_name": "layer_00", "layer_number": 3}],
    }
    (tmp_path / "train" / "configuration_summary.json").write_text(json.dumps(summary))
    store_of(tree, tmp_path / "home")  # the other folders do not say what made them
    (tmp_path / "test" / "configuration_summary.json").write_text(
        json.dumps(summary | {"backbone": "dofa_base"})
    )
    with pytest.raises(BadInput, match="backbone prithvi_eo_v2_300 and dofa_base"):
        store_of(tree, tmp_path / "other")
