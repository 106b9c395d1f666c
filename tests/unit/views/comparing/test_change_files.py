"""A change is written as a raster, a picture and polygons, and all of them tell the same."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from PIL import Image
from rio_cogeo.cogeo import cog_validate

from engine.errors import BadInput
from engine.views.comparing.change import Change, change
from engine.views.lens.change_files import ChangeCut, require_change_file, write_change
from tests.unit.views.comparing.made import SIDE, ground, store_of, view_on

CUT = ChangeCut("euclidean", threshold=4.0)


@pytest.fixture
def found(tmp_path: Path) -> Change:
    """Two dates that differ on a block of 3 x 4 patches, and by a single patch elsewhere."""
    before, after = ground(), ground()
    after[2:5, SIDE - 2 : SIDE + 2] += 5
    after[10, 20] += 5
    stores = [
        store_of(tmp_path / day, values, day=day)
        for day, values in (("2020-06-01", before), ("2020-09-01", after))
    ]
    return change(*map(view_on, stores))


@pytest.mark.parametrize("ending", [".gpkg", ".parquet", ".geojson"])
def test_polygons_are_the_ground_above_the_threshold(found: Change, ending: str, tmp_path: Path) -> None:
    path = write_change(found, tmp_path / f"change{ending}", CUT)
    table = gpd.read_parquet(path) if ending == ".parquet" else gpd.read_file(path)
    patch_ha = found.before.patch_m**2 / 1e4
    assert table["hectares"].to_numpy() == pytest.approx([12 * patch_ha, patch_ha], rel=2e-3)
    assert table["distance"].to_numpy() == pytest.approx([5 * 5**0.5] * 2, rel=1e-4)
    assert table["after"].astype(str).str.startswith("2020-09-01").all()
    assert (
        len(
            gpd.read_parquet(
                write_change(found, tmp_path / "c.parquet", ChangeCut("euclidean", 4.0, 2 * patch_ha))
            )
        )
        == 1
    )


def test_the_raster_is_cloud_optimised_and_agrees_with_the_polygons(found: Change, tmp_path: Path) -> None:
    path = write_change(found, tmp_path / "change.tif", CUT)
    assert cog_validate(path)[0]
    with rasterio.open(path) as dataset:
        assert (dataset.read(2) >= 4).sum() == 13


def test_the_picture_shows_only_what_exceeds_the_threshold(found: Change, tmp_path: Path) -> None:
    coloured = []
    for cut in (CUT, ChangeCut("euclidean")):
        with Image.open(write_change(found, tmp_path / "change.png", cut)) as page:
            coloured.append((np.ptp(np.asarray(page.convert("RGB"), int), axis=-1) > 60).sum())
    assert 0 < coloured[0] < coloured[1] / 5


def test_an_unknown_ending_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"change\.shp"):
        require_change_file(tmp_path / "change.shp")
