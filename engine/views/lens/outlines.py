"""Outlines of what is seen: of each class, or of the ground above a threshold, as a vector file in lon/lat."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.files import write_atomic
from engine.views.comparing.dated_view import DatedView
from engine.views.lens.export import write_geotiff
from engine.views.lens.lens import Lens
from engine.views.maps.overlay import NO_CLASS

_SQUARE_M_OF_HA = 10_000


def has_outlines(lens: Lens) -> bool:
    """Whether what is seen has outlines: classes have, and numbers with a threshold."""
    return lens.kind == "classes" or (lens.kind != "rgb" and lens.threshold is not None)


def write_outlines(view: DatedView, lens: Lens, out: Path) -> int:
    """Write GeoJSON polygons with `name`, `hectares` (on the ellipsoid) and `patches`, the largest first.

    Patches that touch by a side are one polygon.

    Returns:
        Polygons.

    Raises:
        StoreError: colours of components, or numbers without a threshold; nothing above it; or as `write_geotiff`.
        DiskFull: no room.
    """
    import geopandas as gpd
    import rasterio
    from pyproj import Geod
    from rasterio.features import shapes
    from shapely.geometry import shape

    if not has_outlines(lens):
        raise StoreError("What is seen has no outlines. Set a threshold, or look at clusters.")
    with tempfile.TemporaryDirectory(prefix=".outlines-", dir=out.parent) as room:
        made = write_geotiff(view, lens, Path(room) / "seen.tif")
        with rasterio.open(made) as seen:
            numbers, transform, crs = seen.read(1), seen.transform, seen.crs
    classes = numbers if lens.kind == "classes" else _above(numbers, lens)
    found = [
        (shape(outline), int(value)) for outline, value in shapes(classes, classes != NO_CLASS, 4, transform)
    ]
    if not found:
        raise StoreError("No patch is above the threshold. Choose a lower one.")
    table = gpd.GeoDataFrame(
        {
            "name": [lens.names[value] for _, value in found],
            "patches": [round(outline.area / abs(transform.determinant)) for outline, _ in found],
        },
        geometry=[outline for outline, _ in found], crs=crs,
    ).to_crs("OGC:CRS84")  # fmt: skip
    ellipsoid = Geod(ellps="WGS84")
    table["hectares"] = [
        round(abs(ellipsoid.geometry_area_perimeter(outline)[0]) / _SQUARE_M_OF_HA, 4)
        for outline in table.geometry
    ]
    table = table.sort_values("hectares", ascending=False, kind="stable")
    words = table.to_json(drop_id=True, to_wgs84=True)
    write_atomic(out, lambda temporary: temporary.write_text(words, encoding="utf-8"))
    return len(table)


def _above(numbers: np.ndarray, lens: Lens) -> np.ndarray:
    """(H, W) uint8: 0 where a number is the threshold or more, NO_CLASS elsewhere."""
    with np.errstate(invalid="ignore"):
        return np.where(numbers >= lens.threshold, 0, NO_CLASS).astype(np.uint8)
