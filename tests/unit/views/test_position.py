"""What embeddings tell of the place in the window is measured, and taken off without taking the ground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from engine.errors import StoreError
from engine.extraction import extract as job
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.schema import TileRows
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.pca import fit
from engine.views.position import place_means, position_share
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

SIDE, DIM = 8, 6


def made(folder: Path, place: float, ground: float, count: int = 5, dtype: str = "float32") -> EmbeddingStore:
    """count x count windows whose embeddings are so much place and so much ground."""
    rng = np.random.default_rng(1)
    of_place = rng.normal(size=(SIDE, SIDE, DIM))
    of_place = place * (of_place - of_place.mean(axis=(0, 1))) / of_place.std()
    rows = []
    for row in range(count):
        for column in range(count):
            values = 2.0 + of_place + rng.normal(size=of_place.shape) * ground
            tile = tile_at(column, row, side=SIDE)
            rows.append(
                TileRows(tile, (values.reshape(-1, DIM).astype(np.float32),), np.ones(tile.rows, np.float32))
            )
    return make_store(folder, rows, meta_of((DIM,), dtype))


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_store_of_nothing_but_position_has_all_of_it_and_one_without_has_none(
    tmp_path: Path, dtype: str, count: int
) -> None:
    only = place_means(made(tmp_path / "only", 1.0, 0.001, count, dtype)).share
    without = place_means(made(tmp_path / "without", 0.0, 1.0, count, dtype)).share
    assert only is not None and only > 0.95
    assert without is not None and without < 0.05


@pytest.mark.parametrize("wanted", [0.25, 0.5, 0.75])
def test_the_share_is_the_variance_of_the_places_over_all_variance(tmp_path: Path, wanted: float) -> None:
    store = made(tmp_path, wanted**0.5, (1 - wanted) ** 0.5, count=8)
    assert place_means(store).share == pytest.approx(wanted, abs=0.03)


def test_with_position_taken_off_the_ground_is_left(tmp_path: Path) -> None:
    store = made(tmp_path, 3.0, 1.0, count=8)
    ground = made(tmp_path / "ground", 0.0, 1.0, count=8)
    view = view_of(store, window=1, position="remove")
    assert view.places is not None
    assert position_share(store, 0) == pytest.approx(0.9, abs=0.02)
    assert position_share(store, 0, view.places) == pytest.approx(0.0, abs=0.01)
    for (_, shown, _), (_, values, _) in zip(view.tiles(), ground.iterate(), strict=True):
        assert np.corrcoef(shown.ravel(), values.ravel())[0, 1] > 0.97
    assert fit(view).position == "remove"
    assert "64 windows" in view.tags["EMBERSCOPE_POSITION"]


def test_windows_with_padding_do_not_take_part_in_the_means(tmp_path: Path) -> None:
    store = made(tmp_path, 1.0, 0.1)
    rows = []
    for number, (tile, values, valid) in enumerate(store.iterate()):
        share = valid.ravel().copy()
        share[: SIDE * SIDE // 2] *= number > 4  # the first five have padding in the north
        shown = values.reshape(-1, DIM) + (0.0 if number > 4 else 100.0)
        rows.append(TileRows(tile, (shown,), share))
    damaged = make_store(tmp_path / "damaged", rows, store.meta)
    offsets = [place_means(each).offsets[SIDE, SIDE] for each in (store, damaged)]
    assert np.allclose(*offsets, atol=0.2)


def test_a_tile_that_was_cut_keeps_its_place_in_the_window(tmp_path: Path) -> None:
    """The last rows of a scene come from the end of a window that lies further inwards."""
    store = made(tmp_path, 1.0, 0.001)
    whole = [
        TileRows(tile, (values.reshape(-1, DIM),), valid.ravel()) for tile, values, valid in store.iterate()
    ]
    tile, values, _ = list(store.iterate())[3]
    cut = replace(
        tile_at(50), h=3, w=2, height_px=48, width_px=32, in_window=(SIDE - 3, SIDE - 2, SIDE, SIDE)
    )
    rows = TileRows(cut, (values[-3:, -2:].reshape(-1, DIM),), np.ones(6, np.float32))
    found = make_store(tmp_path / "cut", [*whole, rows], store.meta)
    assert position_share(found, 0) == pytest.approx(1.0, abs=0.01)
    assert tile.in_window is None


def test_one_window_cannot_tell_position_from_ground(tmp_path: Path) -> None:
    store = made(tmp_path, 1.0, 1.0, count=1)
    assert position_share(store, 0) is None
    with pytest.raises(StoreError, match=r"seen twice.*Choose --position keep"):
        view_of(store, position="remove")


def test_where_windows_hardly_repeat_a_place_position_is_not_known(tmp_path: Path) -> None:
    """A scene a little larger than a window: of the others only what the first does not hold is kept."""
    whole = replace(tile_at(0, side=8), in_window=(0, 0, 8, 8))
    rest = replace(tile_at(1), h=1, w=3, height_px=16, width_px=48, in_window=(7, 5, 8, 8))
    rows = [rows_at(whole), rows_at(rest)]
    rows[0].embeddings[0][:] = np.arange(64)[:, None] % 8  # ground that would pass for position
    store = make_store(tmp_path, rows, meta_of(dtype="float32"))
    assert position_share(store, 0) is None
    with pytest.raises(StoreError, match="hardly a place"):
        view_of(store, position="remove")


@pytest.mark.parametrize("backbone", ["timm/vit_tiny_patch16_224", "efficientnet_lite0"])
def test_one_texture_everywhere_has_one_colour_everywhere(
    write_raster: Callable[..., Path], tmp_path: Path, backbone: str
) -> None:
    """Tiles at the end of the scene differ from inner ones by less than patches do among themselves."""
    pixels = np.random.default_rng(7).integers(1000, 2000, (6, 300, 290)).astype(np.int16)
    path = write_raster("texture.tif", pixels, transform=Affine(20, 0, 400_100, 0, -20, 4_099_780))
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(path)}, "output": {"dtype": "float32"},
        "backbone": {"name": backbone, "weights": "random"}, "tiles": {"size_px": 64}, "device": "cpu",
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    list(job.extract(config, tmp_path / "run", tmp_path))
    store = EmbeddingStore.open(tmp_path / "run")
    view = view_of(store, window=1, position="remove")
    fitted = fit(view)
    inner, outer = [], []
    for tile, values, _ in view.tiles():
        shown = fitted.project(values).reshape(-1, 3)
        (inner if tile.height_px == tile.width_px == 64 else outer).append(shown)
    among = np.concatenate(inner).std(axis=0)
    apart = np.abs(np.concatenate(outer).mean(axis=0) - np.concatenate(inner).mean(axis=0))
    assert len(inner) >= 4 and len(outer) >= 4
    assert (apart < among).all(), (apart, among)
