"""What a probe loses by smaller numbers is measured wherever a raster of classes lies below the patches, and else it says why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from engine.jobs.configuration.config import LabelsConfig
from engine.learning.quantisation_loss import probe_change
from engine.store.store import EmbeddingStore
from engine.views.export.quantisation import and_back, by_row
from tests.unit.store.products.made import write_tiff
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

SIDE_M = 4 * 16 * 30.0
PLACES = 12


def store_of(folder: Path, granularity: str = "patch", cells: tuple[int, ...] = ()) -> EmbeddingStore:
    """Tiles of 4 x 4 patches a block apart, or chips of one; the first number of an embedding tells the class of its half of the tile."""
    tiles = []
    for number in range(PLACES):
        side = 1 if granularity == "tile" else 4
        tile = replace(tile_at(0, side=4), id=f"t{number}", h=side, w=side)
        west = 400_000 + 12_000.0 * number
        tile = replace(tile, transform=(30.0, 0.0, west, 0.0, -30.0, 4_100_000.0))
        rows = rows_at(tile, (6, 4 * 6) if cells else (6,), seed=number)
        for values in rows.embeddings:
            classes = class_of(number, np.arange(tile.rows) % tile.w, tile.w)
            values[:, ::6] = np.where(classes, 40.0, -40.0)[:, None]
        tiles.append(rows)
    dims = (6, 24) if cells else (6,)
    return make_store(
        folder,
        tiles,
        meta_of(
            dims,
            "float32",
            granularity=granularity,
            cells=cells,
            pooling="mean" if granularity == "tile" else None,
        ),
    )


def class_of(number: int, column: np.ndarray, width: int) -> np.ndarray:
    """Of a tile its western half is of class 1, of every second the eastern one; of one patch each is a class."""
    return (column < width / 2) == (number % 2 == 0)


def labels_of(folder: Path, values: tuple[float, float] = (3, 7), cut: int = 64) -> Path:
    """A raster over all tiles with two classes of any value; beyond the tiles there is none."""
    pixels = np.full((64, PLACES * 400, 1), -1, np.float32)
    for number in range(PLACES):
        classes = class_of(number, np.arange(64), 64)
        pixels[:cut, number * 400 : number * 400 + 64, 0] = np.where(classes, values[1], values[0])
    return write_tiff(
        folder / "labels.tif", pixels, nodata=-1, transform=Affine(30, 0, 400_000, 0, -30, 4_100_000)
    )


def measured(
    store: EmbeddingStore, path: Path | None, layer: int = 0, back: object = and_back(by_row)
) -> dict[str, object]:
    config = LabelsConfig() if path is None else LabelsConfig(source="raster", path=str(path))
    return probe_change(store.at_own_patches(layer), layer, back, store.folder.parent, config)  # type: ignore[arg-type]


@pytest.mark.parametrize(("layer", "cells"), [(0, ()), (1, (1, 2))])
def test_a_raster_of_any_classes_tells_what_8_bits_cost_also_of_a_layer_finer_than_the_rows(
    tmp_path: Path, layer: int, cells: tuple[int, ...]
) -> None:
    store = store_of(tmp_path / "run", cells=cells)
    found = measured(store, labels_of(tmp_path), layer)
    each = PLACES * 16 * (4 if cells else 1) // 2
    assert found["patches"] == {"3": each, "7": each} and found["places"] == PLACES
    assert found["mean_iou"] == found["mean_iou_after"] == 1.0
    ruined = measured(store, labels_of(tmp_path), layer, np.zeros_like)
    assert float(ruined["mean_iou_after"]) < 0.5 and float(ruined["mean_iou_change"]) < -0.5  # type: ignore[arg-type]


def test_chips_with_one_embedding_take_the_commonest_class_below_them(tmp_path: Path) -> None:
    store = store_of(tmp_path / "run", "tile")
    pixels = np.full((64, PLACES * 400, 1), -1, np.float32)
    for number in range(PLACES):
        pixels[:, number * 400 : number * 400 + 64, 0] = float(class_of(number, np.array(0), 1))
        pixels[:20, number * 400 : number * 400 + 64, 0] = 5  # less than half of each
    path = write_tiff(
        tmp_path / "l.tif", pixels, nodata=-1, transform=Affine(30, 0, 400_000, 0, -30, 4_100_000)
    )
    found = measured(store, path)
    assert found["patches"] == {"0": PLACES // 2, "1": PLACES // 2}


def test_where_it_cannot_be_measured_it_says_why(tmp_path: Path) -> None:
    store = store_of(tmp_path / "run")
    one = measured(store, labels_of(tmp_path, (3, 3)))["not_measured"]
    assert "one class or none" in str(one) and "3: 192" in str(one)
    sparse = measured(store, labels_of(tmp_path, cut=5))["not_measured"]
    assert "lie on none of the patches" in str(sparse)
    numbers = np.random.default_rng(0).normal(size=(64, 4400, 1)).astype(np.float32)
    path = write_tiff(tmp_path / "n.tif", numbers, transform=Affine(30, 0, 400_000, 0, -30, 4_100_000))
    assert "they are numbers" in str(measured(store, path)["not_measured"])
    assert "no file at" in str(measured(store, tmp_path / "none.tif")["not_measured"])
    assert "--labels on the command line" in str(measured(store, None)["not_measured"])
