"""Maps of a store lie where the ground is, and hold what the tiles hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rio_cogeo.cogeo import cog_validate

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.views.layer_view import view_of
from engine.views.maps import mosaic
from engine.views.maps.overlay import class_overlay, pca_overlay, write_mosaic
from engine.views.neighbourhood_mean import neighbourhood_mean, usual_window
from engine.views.pca import fit_pca
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

COLOURS = {0: (20, 120, 20, 255), 1: (200, 30, 0, 255)}


def numbered(tiles: list[StoredTile], side: int = 4) -> Iterator[tuple[StoredTile, np.ndarray]]:
    for index, tile in enumerate(tiles):
        yield tile, np.arange(side * side, dtype=np.int32).reshape(side, side) + 100 * index


def value_at(path: Path, lon: float, lat: float) -> np.ndarray:
    with rasterio.open(path) as dataset:
        x, y = Transformer.from_crs(4326, dataset.crs, always_xy=True).transform(lon, lat)
        return next(dataset.sample([(x, y)]))


def test_aligned_tiles_are_copied_as_they_are(tmp_path: Path) -> None:
    tiles = [tile_at(0), tile_at(1), tile_at(3, 1)]
    out = write_mosaic(tmp_path / "m.tif", numbered(tiles), level="patch", nodata=-1, dtype="int32")
    with rasterio.open(out) as dataset:
        found = dataset.read(1)
        assert dataset.transform == tiles[0].patch_transform
    assert cog_validate(out)[0]
    assert found.shape == (8, 16)
    for (_, values), (top, left) in zip(numbered(tiles), [(0, 0), (0, 4), (4, 12)], strict=True):
        assert np.array_equal(found[top : top + 4, left : left + 4], values)
    assert (found == -1).sum() == found.size - 3 * 16


def test_a_marked_patch_lands_at_its_longitude_and_latitude(tmp_path: Path) -> None:
    tiles = [tile_at(0), tile_at(2, 3)]
    marked = np.zeros((4, 4), np.uint8)
    marked[1, 2] = 1
    out = class_overlay(
        tmp_path / "m.tif", [(tiles[0], marked * 0), (tiles[1], marked)], colours=COLOURS, level="patch"
    )
    x, y = tiles[1].patch_transform @ (2.5, 1.5)
    lon, lat = Transformer.from_crs(32618, 4326, always_xy=True).transform(x, y)
    assert value_at(out, lon, lat)[0] == 1
    with rasterio.open(out) as dataset:
        assert (dataset.read(1) == 1).sum() == 1
        assert dataset.colormap(1)[1] == COLOURS[1]
        assert dataset.nodata == 255


def test_a_tile_of_another_zone_is_brought_into_the_crs_of_most(tmp_path: Path) -> None:
    at_edge = tile_at(0, crs="EPSG:32618", west=730_000.0)
    beside = replace(tile_at(1, crs="EPSG:32618", west=730_000.0), id="beside")
    x, y = beside.pixel_transform @ (128, 128)
    lon, lat = Transformer.from_crs(32618, 4326, always_xy=True).transform(x, y)
    east, north = Transformer.from_crs(4326, 32619, always_xy=True).transform(lon, lat)
    other = replace(beside, id="other", crs="EPSG:32619", transform=(30.0, 0.0, east, 0.0, -30.0, north))
    pieces = [
        (at_edge, np.zeros((4, 4), np.uint8)),
        (beside, np.zeros((4, 4), np.uint8)),
        (other, np.ones((4, 4), np.uint8)),
    ]
    out = class_overlay(tmp_path / "m.tif", pieces, colours=COLOURS, level="patch")
    centre = Transformer.from_crs(32619, 4326, always_xy=True).transform(east + 960, north - 960)
    assert value_at(out, *centre)[0] == 1
    with rasterio.open(out) as dataset:
        assert dataset.crs.to_epsg() == 32618
        assert 12 <= (dataset.read(1) == 1).sum() <= 20


def test_a_chip_off_the_grid_moves_by_less_than_a_cell(tmp_path: Path) -> None:
    first, off = tile_at(0), tile_at(2)
    shifted = replace(
        off, transform=(30.0, 0.0, off.transform[2] + 200.0, 0.0, -30.0, off.transform[5] - 200.0)
    )
    pieces = [(first, np.zeros((4, 4), np.uint8)), (shifted, np.arange(1, 17, dtype=np.uint8).reshape(4, 4))]
    out = write_mosaic(tmp_path / "m.tif", pieces, level="patch", nodata=255, dtype="uint8")
    x, y = shifted.patch_transform @ (1.5, 1.5)
    with rasterio.open(out) as dataset:
        assert next(dataset.sample([(x, y)]))[0] == 6


def test_gaps_of_a_later_tile_hide_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    under = np.full((4, 4), 1, np.uint8)
    over = np.full((4, 4), 255, np.uint8)
    over[0, 0] = 0
    out = class_overlay(
        tmp_path / "m.tif", [(tile_at(0), under), (tile_at(0), over)], colours=COLOURS, level="patch"
    )
    with rasterio.open(out) as dataset:
        found = dataset.read(1)
    assert found[0, 0] == 0
    assert (found == 1).sum() == 15


def test_tiles_far_apart_make_a_small_file_and_over_the_limit_a_clear_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = [tile_at(0), tile_at(150, 150)]  # 288 km apart
    pieces = [(tile, np.ones((64, 64), np.uint8)) for tile in far]
    out = class_overlay(tmp_path / "far.tif", pieces, colours=COLOURS)
    assert out.stat().st_size < 200_000
    monkeypatch.setattr(mosaic, "MAX_CELLS", 1000)
    with pytest.raises(StoreError, match=r"too far apart for one map, up to 29\d km"):
        class_overlay(tmp_path / "no.tif", pieces, colours=COLOURS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["far.tif"]


def test_pieces_of_another_shape_or_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no tiles"):
        class_overlay(tmp_path / "m.tif", [], colours=COLOURS)
    with pytest.raises(StoreError, match="its pixel grid has"):
        class_overlay(tmp_path / "m.tif", [(tile_at(0), np.zeros((4, 4), np.uint8))], colours=COLOURS)
    assert not list(tmp_path.iterdir())


def test_pca_colours_carry_their_facts_and_leave_gaps_transparent(tmp_path: Path) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(column), gaps=3) for column in range(3)])
    fitted = pca_overlay(view_of(store, window=1), tmp_path / "pca.tif")
    assert np.array_equal(fitted.components, fit_pca(store).components)
    with rasterio.open(tmp_path / "pca.tif") as dataset:
        found, tags = dataset.read(), dataset.tags()
    assert cog_validate(tmp_path / "pca.tif")[0]
    assert (found[3] == 0).sum() == 9
    assert np.array_equal(
        np.moveaxis(found[:3, :4, 4:8], 0, -1)[1:], fitted.to_rgb(store.read_tile(store.tiles[1].id))[1:]
    )
    assert tags["EMBERSCOPE_WEIGHTS"].startswith("random")
    assert tags["EMBERSCOPE_SIMULATED"] == "yes"
    assert float(tags["EMBERSCOPE_EXPLAINED_VARIANCE"].split(",")[0]) == pytest.approx(
        fitted.explained_variance_ratio[0], abs=1e-4
    )


def test_colours_of_small_patches_are_those_of_their_surroundings_unless_asked_otherwise(
    tmp_path: Path,
) -> None:
    rows = [rows_at(tile_at(column), gaps=3) for column in range(3)]
    store = make_store(tmp_path / "run", rows, meta_of(patch_px=4))
    window = usual_window(store)
    assert window > 1
    fitted = pca_overlay(view_of(store), tmp_path / "pca.tif")
    assert np.array_equal(fitted.components, fit_pca(store, window=window).components)
    with rasterio.open(tmp_path / "pca.tif") as dataset:
        found, tags = dataset.read(), dataset.tags()
    _, values, valid = zip(*store.iterate(), strict=True)
    across = neighbourhood_mean(np.concatenate(values, axis=1), np.concatenate(valid, axis=1), window)
    is_shown = found[3] > 0
    assert np.array_equal(np.moveaxis(found[:3], 0, -1)[is_shown], fitted.to_rgb(across)[is_shown])
    assert tags["EMBERSCOPE_PCA_WINDOW"] == str(window)
