"""Outlines of patches are where pyproj puts their corners, in the bytes that shapely would write."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from engine.store.footprints import WKB_BYTES, footprints
from tests.unit.store.stores import tile_at

CRS = ("EPSG:32618", "EPSG:32733", "EPSG:3857")


@pytest.mark.parametrize("crs", CRS)
def test_every_outline_is_its_patch_counterclockwise_from_the_south_west(crs: str) -> None:
    tile = tile_at(3, 2, side=3, crs=crs)
    made = footprints([tile])
    polygons, bounds = made.wkb(), made.bounds
    to_lonlat = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    for index, (polygon, box) in enumerate(zip(shapely.from_wkb(polygons), bounds, strict=True)):
        row, column = divmod(index, tile.w)
        places = [
            (column, row + 1),
            (column + 1, row + 1),
            (column + 1, row),
            (column, row),
            (column, row + 1),
        ]
        expected = [to_lonlat.transform(*(tile.patch_transform @ place)) for place in places]
        assert np.allclose(shapely.get_coordinates(polygon), expected, atol=1e-10)
        assert polygon.exterior.is_ccw
        assert polygon.bounds == tuple(box)


def test_the_bytes_are_those_that_shapely_writes() -> None:
    polygons = footprints([tile_at(0, side=2)]).wkb()
    assert shapely.to_wkb(shapely.from_wkb(polygons), byte_order=1).tolist() == polygons.tolist()
    assert {len(polygon) for polygon in polygons} == {WKB_BYTES}


def test_tiles_of_several_sizes_and_zones_keep_their_order() -> None:
    tiles = [tile_at(index, side=2 + index % 3, crs=CRS[index % 2]) for index in range(7)]
    together = footprints(tiles)
    alone = [footprints([tile]) for tile in tiles]
    assert np.array_equal(together.packed, np.concatenate([one.packed for one in alone]))
    assert np.array_equal(together.bounds, np.concatenate([one.bounds for one in alone]))
