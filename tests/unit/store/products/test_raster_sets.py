"""Tiles of several zones, years or groups become one store, in which each place of a date stands once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from affine import Affine

from engine.errors import EngineError
from engine.imagery.geobox import from_lonlat
from engine.imagery.region import Region
from engine.store.check import check_store
from engine.store.importing.forms import is_folder_of_embeddings, understand
from engine.store.importing.preview import preview
from engine.store.importing.taking import import_embeddings
from engine.store.products.raster_rows import KeptOpen, OpenedRaster
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.lens.reduction import reduction_of
from tests.unit.store.products.made import ALPHAEARTH_BANDS, in_8_bits, unit_vectors, write_tiff

# The meridian between zones 17 and 18, 78 degrees west, at 37 degrees north.
_EDGE = {zone: from_lonlat(f"EPSG:{32600 + zone}").transform(-78.0, 37.0) for zone in (17, 18)}
_H, _W = 90, 80


def corner(zone: int, columns_from_edge: int) -> tuple[float, float]:
    """West and north of a tile of this zone that begins so many pixels of 10 m from the meridian."""
    x, y = _EDGE[zone]
    return round(x / 10) * 10 + columns_from_edge * 10, round(y / 10) * 10 + 450


def two_zones(folder: Path, year: int = 2023) -> Path:
    """A tile of AlphaEarth on each side of the edge, which overlap by 30 pixels; the eastern one has a gap in its north."""
    for zone, from_edge in ((17, -65), (18, -15)):
        west, north = corner(zone, from_edge)
        numbers = in_8_bits(unit_vectors(_H, _W, seed=zone))
        if zone == 18:
            numbers[:20, 40:] = -128
        write_tiff(
            folder / f"annual/{year}/{zone}N/x0000.tiff", numbers, ALPHAEARTH_BANDS, nodata=-128, south_up=True,
            transform=Affine(10, 0, west, 0, 10, north - _H * 10), crs=f"EPSG:{32600 + zone}",
        )  # fmt: skip
    return folder / "annual" / str(year)


def middles(store: EmbeddingStore) -> np.ndarray:
    """(n, 2) places of the pixels with data, metres of zone 18."""
    found = []
    for tile, _, valid in store.iterate():
        row, column = np.nonzero(valid)
        x, y = tile.pixel_transform @ (column + 0.5, row + 0.5)
        lonlat = from_lonlat(tile.crs).transform(x, y, direction="INVERSE")
        found.append(np.column_stack(from_lonlat("EPSG:32618").transform(*lonlat)))
    return np.concatenate(found)


def test_tiles_of_two_zones_are_one_store_and_share_no_ground(tmp_path: Path) -> None:
    folder = two_zones(tmp_path)
    assert is_folder_of_embeddings(folder) and is_folder_of_embeddings(folder / "17N")
    told, copied = import_embeddings(folder, tmp_path / "copied")
    _, found = import_embeddings(folder, tmp_path / "run", in_place=True)
    assert (told.model, told.year, told.crs, told.dim) == (
        "alphaearth_v1",
        2023,
        "EPSG:32617, EPSG:32618",
        64,
    )
    theirs = {tile.id: (values, valid) for tile, values, valid in found.iterate()}
    for tile, values, valid in copied.iterate():
        assert np.array_equal(theirs[tile.id][0], values) and np.array_equal(theirs[tile.id][1], valid)
        assert np.array_equal(found.read_tile(tile.id), values)
    places = middles(found)
    cells = np.unique(np.floor(places / 10).astype(int), axis=0)
    assert len(cells) > 0.98 * len(places), "a cell of ten metres holds one pixel"
    area = _H * (2 * _W - 30) - 20 * 40
    assert len(places) == pytest.approx(area, rel=0.03)
    assert reduction_of(view_of(found, 0)).header.patches == found.rows
    assert check_store(tmp_path / "run") == []


def test_a_set_is_drawn_before_it_is_used_and_a_region_takes_what_meets_it(tmp_path: Path) -> None:
    folder = two_zones(tmp_path)
    seen = preview(folder, None, None, None)
    assert seen.is_readable_in_place and (seen.pixels[..., 3] > 0).mean() > 0.8
    assert seen.shown_m[0] == pytest.approx((2 * _W - 30) * 10, rel=0.1)
    _, store = import_embeddings(
        folder, tmp_path / "run", Region.from_bounds(-77.996, 36.999, -77.994, 37.001), in_place=True
    )
    assert {tile.crs for tile in store.tiles} == {"EPSG:32618"}


def test_years_of_a_folder_are_dates_and_one_may_be_taken(tmp_path: Path) -> None:
    for year in (2019, 2022):
        two_zones(tmp_path, year)
    told, store = import_embeddings(tmp_path / "annual", tmp_path / "run", in_place=True)
    assert told.years == (2019, 2022) and told.year is None
    assert {str(tile.datetimes[0])[:4] for tile in store.tiles} == {"2019", "2022"}
    assert len({tile.id for tile in store.tiles}) == len(store.tiles)
    assert understand(tmp_path / "annual", year=2022).year == 2022
    with pytest.raises(EngineError, match="no embeddings of 2020"):
        understand(tmp_path / "annual", year=2020)


def test_what_does_not_fit_together_is_refused_by_name(tmp_path: Path) -> None:
    folder = two_zones(tmp_path)
    write_tiff(folder / "18N/other.tif", unit_vectors(10, 10, 32))
    with pytest.raises(EngineError, match=r"18N/other.tif is of unknown, 32 dimensions.*do not fit"):
        import_embeddings(folder, tmp_path / "run")
    (folder / "18N/other.tif").write_bytes(b"II*\0 torn")
    with pytest.raises(EngineError, match=r"other\.tif"):
        import_embeddings(folder, tmp_path / "run")
    write_tiff(tmp_path / "images/a.tif", np.ones((4, 4, 3), np.float32))
    assert not is_folder_of_embeddings(tmp_path / "images")
    with pytest.raises(EngineError, match="1 rasters of fewer than 8 bands"):
        understand(tmp_path / "images")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("in_place", [False, True])
def test_cells_of_tessera_with_their_scales_are_one_store(tmp_path: Path, in_place: bool) -> None:
    drawn, expected = np.random.default_rng(0), {}
    for zone, name, from_edge in ((17, "grid_-78.05_37.05", -40), (18, "grid_-77.95_37.05", 0)):
        numbers, scales = (
            drawn.integers(1, 128, (30, 40, 128)).astype(np.int8),
            drawn.uniform(0.01, 0.1, (30, 40)).astype(np.float32),
        )
        scales[:5, :5] = np.nan
        cell, (west, north) = tmp_path / f"2024/{name}", corner(zone, from_edge)
        cell.mkdir(parents=True)
        np.save(cell / f"{name}.npy", numbers)
        np.save(cell / f"{name}_scales.npy", scales)
        write_tiff(
            cell / f"{name}.tiff", np.ones((30, 40, 1), np.uint8), transform=Affine(10, 0, west, 0, -10, north), crs=f"EPSG:{32600 + zone}"
        )  # fmt: skip
        expected[f"EPSG:{32600 + zone}"] = numbers.astype(np.float32) * scales[..., None]
    told, store = import_embeddings(tmp_path / "2024", tmp_path / "run", in_place=in_place)
    assert (told.model, told.year) == ("tessera", 2024) and is_folder_of_embeddings(tmp_path / "2024")
    for tile, values, valid in store.iterate():
        assert np.allclose(values[valid > 0], expected[tile.crs][valid > 0], rtol=2e-3)
        assert not valid[:5, :5].any() and valid.sum() > 30 * 40 - 60


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("below", ["", "utm_zones"])
def test_groups_of_two_zones_are_one_store(tmp_path: Path, in_place: bool, below: str) -> None:
    root, expected = tmp_path / "any.zarr", {}
    zarr.open_group(root, mode="w", zarr_format=3).update_attributes(
        {"geoemb:model": "https://example.org/encoder"}
    )
    for zone, from_edge in ((17, -40), (18, 0)):
        west, north = corner(zone, from_edge)
        if below:
            zarr.open_group(root / below, mode="a", zarr_format=3)
        group = zarr.open_group(root / below / f"utm{zone}", mode="w", zarr_format=3)
        group.update_attributes(
            {"proj:code": f"EPSG:{32600 + zone}", "spatial:transform": [10.0, 0.0, west, 0.0, -10.0, north]}
        )
        values = unit_vectors(33, 41, 12, seed=zone).astype(np.float16)
        group.create_array(
            "embeddings", data=np.moveaxis(values, -1, 0)[None], chunks=(1, 12, 16, 16), shards=(1, 12, 32, 32), dimension_names=("time", "band", "y", "x"),
        )  # fmt: skip
        group.create_array("time", data=np.array([2021], np.int32), dimension_names=("time",))
        expected[f"EPSG:{32600 + zone}"] = values.astype(np.float32)
    told, store = import_embeddings(root, tmp_path / "run", in_place=in_place)
    assert (told.model, told.year, told.crs) == ("encoder", 2021, "EPSG:32617, EPSG:32618")
    for tile, values, valid in store.iterate():
        assert np.array_equal(values[valid > 0], expected[tile.crs][: tile.h, : tile.w][valid > 0])
    zarr.open_group(root / below / "utm18", mode="a").update_attributes({"proj:code": "EPSG:32619"})
    if in_place:
        with pytest.raises(EngineError, match="was changed since"):
            EmbeddingStore.open(tmp_path / "run")


def test_of_many_rasters_few_stay_open(tmp_path: Path) -> None:
    kept = KeptOpen(2)
    path = write_tiff(tmp_path / "x.tif", unit_vectors(4, 4, 16))
    rasters = [OpenedRaster(path, "as stored", kept) for _ in range(4)]
    from engine.store.products.pixel_grid import Box

    for _ in range(2):
        assert all(one.read(Box(0, 0, 2, 2), None)[1].all() for one in rasters)
    assert [one._pixels is not None for one in rasters] == [False, False, True, True]
