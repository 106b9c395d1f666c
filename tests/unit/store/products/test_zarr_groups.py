"""Zarr groups of embeddings, as TESSERA publishes its zones, become stores; what is torn or missing is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from engine.errors import EngineError
from engine.store.importing.forms import is_folder_of_embeddings, understand
from engine.store.importing.taking import import_embeddings
from tests.unit.store.products.made import NORTH, WEST
from tests.unit.store.products.test_raster_products import on_grid, region_of_pixels

_H, _W = 96, 70


def tessera(folder: Path, with_scales: bool = True) -> tuple[Path, np.ndarray]:
    """A zone of TESSERA's Zarr v3 with shards, two years, and the leading numbers of version 2; (h, w, 128) of 2024."""
    drawn = np.random.default_rng(0)
    group = zarr.open_group(folder / "utm18", mode="w", zarr_format=3)
    group.update_attributes(
        {"proj:code": "EPSG:32618", "spatial:transform": [10.0, 0.0, WEST, 0.0, -10.0, NORTH]}
    )
    numbers = drawn.integers(-127, 128, (2, 128, _H, _W)).astype(np.int8)
    scales = drawn.uniform(0.01, 0.1, (2, _H, _W)).astype(np.float32)
    scales[1, :10, :20], scales[1, 10:20, :20] = np.nan, np.inf
    names = ("time", "band", "y", "x")
    for name, values in (("embeddings", numbers), ("embeddings_d4", numbers[:, :4])):
        made = group.create_array(
            name, shape=values.shape, dtype="int8", chunks=(1, values.shape[1], 32, 32), shards=(1, values.shape[1], 64, 64),
            dimension_names=names, fill_value=0,
        )  # fmt: skip
        made[:] = values
    if with_scales:
        group.create_array("scales", data=scales, chunks=(1, 32, 32), dimension_names=("time", "y", "x"))
    group.create_array("time", data=np.array([2023, 2024], np.int32), dimension_names=("time",))
    known = np.where(np.isfinite(scales[1]), scales[1], np.nan)
    return folder / "utm18", np.moveaxis(numbers[1].astype(np.float32) * known, 0, -1)


@pytest.mark.parametrize("in_place", [False, True])
def test_a_zone_with_shards_becomes_a_store_of_its_newest_year(tmp_path: Path, in_place: bool) -> None:
    group, expected = tessera(tmp_path / "v2.zarr")
    assert is_folder_of_embeddings(tmp_path / "v2.zarr") and is_folder_of_embeddings(group)
    told, store = import_embeddings(group, tmp_path / "run", in_place=in_place)
    assert (told.model, told.dim, told.year, told.decoding) == ("tessera", 128, 2024, "v times its scale")
    assert any("2023, 2024; the last one is read" in note for note in told.notes)
    assert any("embeddings_d4" in note for note in told.notes)
    found = on_grid(store, _H, _W)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected)) < 0.01


def test_a_region_needs_only_its_own_chunks_and_a_torn_one_is_named(tmp_path: Path) -> None:
    group, _ = tessera(tmp_path / "v2.zarr")
    shard = next((group / "embeddings").rglob("c/1/0/1/0"))
    shard.write_bytes(shard.read_bytes()[:50])
    import_embeddings(group, tmp_path / "north", region_of_pixels(25, 2, 60, 60))
    with pytest.raises(EngineError, match=r"v2|utm18.*embeddings"):
        import_embeddings(group, tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_whole_numbers_without_their_scales_and_a_group_without_a_place_are_refused(tmp_path: Path) -> None:
    group, _ = tessera(tmp_path / "v2.zarr", with_scales=False)
    with pytest.raises(EngineError, match="no array named scales"):
        understand(group)
    group, _ = tessera(tmp_path / "other.zarr")
    zarr.open_group(group, mode="a").attrs.clear()
    with pytest.raises(EngineError, match="where its embeddings lie"):
        understand(group)
