"""A map has a gap where the pixels have one, to the pixel, and so have labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.extraction.extract import ensure_store, store_folder
from engine.extraction.pixels.pixel_gaps import pixels_with_data
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, TrainConfig, parse_config
from engine.jobs.events import Event, Noticed, TestDone
from engine.learning.evaluate import evaluate
from engine.learning.keeping.result import TrainRun
from engine.learning.train import train
from engine.store.store import EmbeddingStore
from tests.predicted_map import predict_map

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]
GAP = (slice(3, 14), slice(5, 22))  # no patch of 8 px begins or ends there


def run(config: TrainConfig, home: Path, name: str = "run") -> tuple[Path, list[Event]]:
    run_folder.create(home / name, config)
    return home / name, list(train(config, home / name, home))


def made(config: ExtractConfig, home: Path) -> EmbeddingStore:
    list(ensure_store(config, home))
    return EmbeddingStore.open(store_folder(config, home))


def with_gaps(chips: Path) -> Path:
    for path in chips.glob("data/*_merged.tif"):
        with rasterio.open(path, "r+") as dataset:
            pixels = dataset.read()
            pixels[(slice(None), *GAP)] = -9999
            dataset.write(pixels)
    return chips


@pytest.fixture
def gappy(write_chips: WriteChips) -> Path:
    """Chips with a gap that ends within patches."""
    return with_gaps(write_chips("gappy"))


def is_gap() -> np.ndarray:
    found = np.zeros((32, 32), bool)
    found[GAP] = True
    return found


@pytest.mark.parametrize("tiles", [{}, {"size_px": 16}, {"size_px": 24, "overlap_px": 8, "merge": "blend"}])
def test_a_predicted_map_has_no_class_in_a_gap_and_one_everywhere_else(
    tiles: dict[str, object],
    gappy: Path,
    write_chips: WriteChips,
    config_of: ConfigOf,
    home: Path,
    tmp_path: Path,
) -> None:
    folder, _ = run(config_of(write_chips(), patch_px=8, epochs=1), home)
    tree = config_of(gappy, patch_px=8).model_dump()["store"]
    store = made(parse_config({**tree, "tiles": tiles}), home)  # type: ignore[arg-type]
    mapped = predict_map(folder, store.folder, tmp_path / "map.tif", home)
    assert mapped.notes == ()
    with rasterio.open(mapped.path) as dataset:
        for number in range(9):
            column, row = ~dataset.transform @ (500000 + number * 5000, 4500000)
            found = dataset.read(1, window=rasterio.windows.Window(column, row, 32, 32))
            assert ((found == 255) == is_gap()).all()


def test_a_region_cuts_the_map_to_the_pixel(write_chips: WriteChips, config_of: ConfigOf, home: Path) -> None:
    from pyproj import Transformer

    to_lonlat = Transformer.from_crs(32610, 4326, always_xy=True)
    west, south = to_lonlat.transform(500000 + 30 * 10, 4500000 - 30 * 20)
    east, north = to_lonlat.transform(500000 + 30 * 21, 4500000 - 30 * 3)
    tree = config_of(write_chips(), patch_px=8).model_dump()["store"]
    store = made(parse_config({**tree, "region": {"bounds_lonlat": [west, south, east, north]}}), home)  # type: ignore[arg-type]
    reader, note = pixels_with_data(store, home)
    assert reader is not None
    assert note == ""
    found = reader(store.tiles[0])
    assert found is not None
    expected = np.zeros((32, 32), bool)
    expected[3:20, 10:21] = True
    assert (found != expected).sum() <= 2 * (17 + 11)  # lon/lat lines are not quite those of the grid


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_gaps_that_cannot_be_read_again_are_told(
    change: str, gappy: Path, write_chips: WriteChips, config_of: ConfigOf, home: Path, tmp_path: Path
) -> None:
    folder, _ = run(config_of(write_chips(), patch_px=8, epochs=1), home)
    config = config_of(gappy, patch_px=8).store
    assert isinstance(config, ExtractConfig)
    store = made(config, home)
    for path in gappy.glob("data/*_merged.tif"):
        path.unlink() if change == "gone" else path.write_bytes(path.read_bytes() + b" ")
    mapped = predict_map(folder, store.folder, tmp_path / "map.tif", home)
    (note,) = mapped.notes
    assert "whole patches on 9 tile(s)" in note
    assert ("cannot be read again" if change == "gone" else "have changed since") in note


def test_a_store_without_gaps_needs_no_scenes(
    write_chips: WriteChips, config_of: ConfigOf, home: Path, tmp_path: Path
) -> None:
    chips = write_chips()
    folder, _ = run(config_of(chips, epochs=1), home)
    for path in chips.glob("data/*"):
        path.unlink()
    assert predict_map(folder, TrainRun.open(folder).store_folder, tmp_path / "map.tif", home).notes == ()


def test_pixels_without_data_have_no_label_and_are_not_scored(
    gappy: Path, config_of: ConfigOf, home: Path
) -> None:
    folder, events = run(config_of(gappy, patch_px=8, epochs=1), home)
    scores = next(event.scores for event in events if isinstance(event, TestDone))
    assert scores["pixels"] == scores["baseline"]["pixels"] == 3 * (32 * 30 - int(is_gap().sum()))
    assert evaluate(folder) == scores
    for path in (TrainRun.open(folder).predictions, TrainRun.open(folder).errors):
        with rasterio.open(path) as dataset:
            assert (dataset.read(1, window=rasterio.windows.Window(0, 0, 32, 32))[is_gap()] == 255).all()
    assert not any(isinstance(event, Noticed) and "Gaps" in event.message for event in events)
