"""A global raster in degrees, as Copernicus-Embed's: pixels of a region are footprints, the ocean is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import BadInput, RegionError
from engine.imagery.region import Region
from engine.store.importing.forms import understand
from engine.store.importing.preview import preview
from engine.store.importing.taking import import_embeddings


@pytest.fixture
def globe(tmp_path: Path) -> Path:
    """721 x 1440 pixels of a quarter of a degree; nothing but two of them is land."""
    path = tmp_path / "embed_map.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=721, width=1440, count=8, dtype="float32", crs="EPSG:4326", sparse_ok=True,
        transform=Affine(0.25, 0, -180.125, 0, -0.25, 90.125), tiled=True,
    ) as out:  # fmt: skip
        for number, (lon, lat) in enumerate(((11.0, 46.0), (11.25, 46.0)), 1):
            row, column = round((90.125 - lat) / 0.25 - 0.5), round((lon + 180.125) / 0.25 - 0.5)
            out.write(np.full((8, 1, 1), number, np.float32), window=((row, row + 1), (column, column + 1)))
    return path


@pytest.mark.parametrize("in_place", [False, True])
def test_land_pixels_of_a_region_become_footprints_where_they_lie(
    globe: Path, tmp_path: Path, in_place: bool
) -> None:
    told, store = import_embeddings(
        globe, tmp_path / "run", Region.from_bounds(10.6, 45.7, 11.5, 46.3), in_place=in_place
    )
    assert store.is_in_place == in_place and store.read_tile(store.tiles[1].id).ravel()[0] == 2
    assert told.form == "embeddings in a GeoTIFF in degrees" and told.rows == 2
    assert any("each pixel is a footprint" in note for note in told.notes)
    assert store.meta.granularity == "tile" and store.read(0)[:, 0].tolist() == [1, 2]
    first = store.tiles[0]
    assert first.crs == "EPSG:32632"
    assert first.height_px * abs(first.transform[4]) == pytest.approx(27_800, rel=0.02)
    assert first.width_px * first.transform[0] == pytest.approx(27_830 * np.cos(np.radians(46)), rel=0.05)


def test_the_whole_globe_is_looked_at_before_a_region_is_asked_and_not_taken_at_once(
    globe: Path, tmp_path: Path
) -> None:
    seen = preview(globe, None, None, None)
    told = seen.understood
    assert told.rows == 1_038_240 > told.most_rows and seen.is_middle and seen.pixels[..., 3].any()
    assert told.bounds_lonlat == pytest.approx((-180.125, -90.125, 179.875, 90.125))
    with pytest.raises(BadInput, match=r"1,038,240 embeddings.*--region"):
        import_embeddings(globe, tmp_path / "run")
    with pytest.raises((BadInput, RegionError)):
        understand(globe, Region.from_bounds(-30.5, 10.2, -30.2, 10.4))
