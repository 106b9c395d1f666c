"""A change between two dates as files: a GeoTIFF of the distances, a picture with its legend, polygons above a threshold."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import BadInput
from engine.files import require_file_path
from engine.store.schema import StoredTile
from engine.views.comparing.change import DISTANCES, Change, change_overlay, change_tags, change_tiles
from engine.views.lens.export import write_painted
from engine.views.lens.lens import ramp
from engine.views.maps.filled_blocks import block_groups
from engine.views.maps.outlines import outlined
from engine.views.maps.picture import Caption
from engine.views.maps.polygon_files import FORMATS, write_polygons

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from engine.imagery.scene import Scene

ENDINGS = (".tif", ".tiff", ".png", *FORMATS)
_STOPS = 5


@dataclass(frozen=True)
class ChangeCut:
    """How a change is drawn and cut.

    Attributes:
        distance: one of `DISTANCES`.
        threshold: patches of at least this distance make polygons; None: the 95th percentile of the shared ground.
        smallest_ha: smaller polygons are left out.
    """

    distance: str = "cosine"
    threshold: float | None = None
    smallest_ha: float = 0.0

    def least(self, found: Change) -> float:
        """The threshold that counts."""
        return found.percentiles[self.distance][2] if self.threshold is None else self.threshold


def require_change_file(out: Path) -> None:
    """Check that a file of a change can be written there.

    Raises:
        BadInput: an ending that is not written here, or a path that cannot be written.
    """
    require_file_path(out)
    if out.suffix.lower() not in ENDINGS:
        raise BadInput(f"{out} has no ending that is written here. Give one of {', '.join(ENDINGS)}.")


def write_change(found: Change, out: Path, cut: ChangeCut, scenes: Sequence[Scene] = ()) -> Path:
    """Write the file that an ending asks for: .tif both distances, .png a picture, the others polygons.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    match out.suffix.lower():
        case ".tif" | ".tiff":
            change_overlay(found, out)
        case ".png":
            write_painted(_painted(found, cut), out, _caption(found, cut), scenes)
        case _:
            write_polygons(out, change_polygons(found, cut, out.parent), change_tags(found))
    return out


def change_polygons(found: Change, cut: ChangeCut, room: Path) -> gpd.GeoDataFrame:
    """Ground that changed by at least the threshold, largest first, in the CRS of most tiles.

    Args:
        room: folder for the raster that is outlined.

    Returns:
        Columns `hectares`, `distance` (mean), `before`, `after` and the geometry; no rows where nothing did.
    """
    import geopandas as gpd
    import rasterio

    least, rows = cut.least(found), list[tuple[float, float, "BaseGeometry"]]()
    with tempfile.TemporaryDirectory(prefix=".change-", dir=room) as held:
        change_overlay(found, Path(held) / "change.tif")
        with rasterio.open(Path(held) / "change.tif") as dataset:
            for window in block_groups(dataset):
                numbers = dataset.read(1 + DISTANCES.index(cut.distance), window=window)
                rows += outlined(dataset, window, numbers >= least, numbers, cut.smallest_ha)
            crs = dataset.crs
    rows.sort(key=lambda row: -row[0])
    days = {"before": found.before.days, "after": found.after.days}
    columns = {
        "hectares": np.array([round(row[0], 4) for row in rows], np.float64),
        "distance": np.array([round(row[1], 6) for row in rows], np.float64),
        **{name: np.full(len(rows), day, object) for name, day in days.items()},
    }
    return gpd.GeoDataFrame(columns, geometry=[row[2] for row in rows], crs=crs)


def _painted(found: Change, cut: ChangeCut) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Tile by tile, (4, h, w): the distance on a ramp from 0 to its 95th percentile; transparent without data."""
    which, colours, highest = DISTANCES.index(cut.distance), ramp(), _highest(found, cut)
    for tile, distances in change_tiles(found):
        numbers = distances[which]
        has_data = np.isfinite(numbers)
        if cut.threshold is not None:
            has_data &= numbers >= cut.threshold
        steps = np.clip(np.where(has_data, numbers, 0) / highest, 0, 1)
        drawn = colours[np.round(steps * 255).astype(int)] * has_data[..., None]
        yield tile, np.moveaxis(drawn, -1, 0).astype(np.uint8)


def _caption(found: Change, cut: ChangeCut) -> Caption:
    before, after = found.before, found.after
    steps, colours, highest = np.linspace(0, 1, _STOPS), ramp(), _highest(found, cut)
    legend = [
        ((int(row[0]), int(row[1]), int(row[2])), f"{cut.distance} distance {step * highest:.3g}")
        for step, row in ((step, colours[round(255 * step)]) for step in steps)
    ]
    meta = after.store.meta
    random = "random weights" if meta.is_random else f"weights {meta.weights_sha256[:12]}"
    position = "position taken off" if after.view.position == "remove" else "position kept"
    is_simulated = meta.is_simulated or before.store.meta.is_simulated
    hidden = "" if cut.threshold is None else f" Below {cut.threshold:.3g} is not drawn."
    lines = [
        f"{before.days or 'no date stated'} to {after.days or 'no date stated'}; half of the ground is below "
        f"{found.percentiles[cut.distance][1]:.3g}.{hidden}",
        f"{meta.backbone} ({random}), layer {after.view.layer}, {position}",
        *found.notes,
        f"{'SIMULATED, no satellite has seen it. ' if is_simulated else ''}Sources: "
        + " and ".join(dict.fromkeys(one.store.meta.source or "not stated" for one in (before, after))),
    ]
    return Caption(f"Change seen by {meta.backbone}", legend, lines)


def _highest(found: Change, cut: ChangeCut) -> float:
    """Distance of the last colour: the 95th percentile, which is where change stands out."""
    return max(found.percentiles[cut.distance][2], 1e-6)
