"""A UMAP as a GeoParquet: each patch that was laid out, with its place on the ground and its point in the plane."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from engine.errors import BadInput
from engine.files import require_file_path, write_atomic
from engine.store.footprints import footprints
from engine.views.comparing.dated_view import DatedView
from engine.views.umap_layout import UmapLayout


def require_table(out: Path) -> None:
    """Check that a table can be written there.

    Raises:
        BadInput: another ending than .parquet, or a path that cannot be written.
    """
    if out.suffix.lower() != ".parquet":
        raise BadInput(f"{out} does not end in .parquet. Give the file that ending.")
    require_file_path(out)


def write_umap(out: Path, view: DatedView, found: UmapLayout) -> Path:
    """Write tile, row, column, x, y and the outline in lon/lat of each patch.

    Raises:
        DiskFull: no room.
    """
    outlines = np.empty(len(found.rows), object)
    for number in np.unique(found.tiles):
        here = np.flatnonzero(found.tiles == number)
        outlines[here] = shapely.from_wkb(footprints([view.chosen[number]]).wkb()[found.rows[here]])
    tiles = [view.chosen[number] for number in found.tiles]
    widths = np.array([tile.w for tile in tiles])
    table = gpd.GeoDataFrame(
        {"tile_id": [tile.id for tile in tiles], "row": found.rows // widths, "col": found.rows % widths,
         "x": found.points[:, 0], "y": found.points[:, 1]},
        geometry=outlines, crs="OGC:CRS84",
    )  # fmt: skip
    write_atomic(out, lambda temporary: table.to_parquet(temporary, index=False))
    return out
