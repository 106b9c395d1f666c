"""A film of what a backbone sees: the dates of a store, or of several, through one lens, so that colours mean the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.warp
from affine import Affine
from odc.geo.geobox import GeoBox
from PIL import Image
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from engine.views.comparing.basis import require_basis
from engine.views.comparing.dated_view import DatedView, dated, days_of
from engine.views.films.film_file import require_dates, require_film, write_film
from engine.views.films.imagery_film import thinned
from engine.views.layer_view import LayerView
from engine.views.lens.export import colours_of
from engine.views.lens.lens import Lens
from engine.views.maps.overlay import write_mosaic
from engine.views.maps.picture import Caption, captioned, enlarged

_PAPER = (232, 230, 225)


@dataclass(frozen=True)
class Dates:
    """The dates of one or several views, the first one first."""

    views: tuple[DatedView, ...]

    @property
    def days(self) -> tuple[str, ...]:
        """One a view."""
        return tuple(view.days for view in self.views)


def dates_of(views: Sequence[LayerView]) -> Dates:
    """Every date of some views of one space.

    Raises:
        StoreError: stores whose embeddings mean other things, or one date in all.
    """
    for view in views[1:]:
        require_basis(views[0], view)
    found = [dated(view, day or None) for view in views for day in days_of(view.store)]
    ordered = tuple(sorted(found, key=lambda one: one.days))
    require_dates(str(views[0].store.folder), [one.days for one in ordered])
    return Dates(ordered)


def write_lens_film(dates: Dates, lens: Lens, out: Path, seconds: float, title: str) -> Path:
    """Write the dates as a film.

    Raises:
        BadInput, StoreError, DiskFull: as `write_film` and `write_mosaic`.
    """
    require_film(out, seconds)
    with tempfile.TemporaryDirectory(prefix=".film-", dir=out.parent) as room:
        painted = [
            write_mosaic(
                Path(room) / f"{number}.tif",
                colours_of(view, lens),
                level="patch",
                nodata=None,
                dtype="uint8",
            )
            for number, view in enumerate(dates.views)
        ]
        grid = thinned(_around(painted))
        pictures = [
            captioned(*enlarged(_picture(path, grid), abs(grid.transform.a)), _caption(dates, number, title))
            for number, path in enumerate(painted)
        ]
    return write_film(out, pictures, seconds)


def _caption(dates: Dates, number: int, title: str) -> Caption:
    meta = dates.views[number].store.meta
    random = "random weights" if meta.is_random else f"weights {meta.weights_sha256[:12]}"
    lines = [
        f"{title}; colours mean the same on all dates",
        f"{meta.backbone} ({random}), layer {dates.views[number].view.layer}",
        f"{'SIMULATED, no satellite has seen it. ' if meta.is_simulated else ''}Source: {meta.source or 'not stated'}",
    ]
    return Caption(
        f"{dates.days[number] or 'date not stated'}  ({number + 1} of {len(dates.views)})", (), lines
    )


def _around(paths: Sequence[Path]) -> GeoBox:
    """The pixels of the first map continued over the ground of all."""
    with rasterio.open(paths[0]) as first:
        crs, step = first.crs, first.transform
        bounds = [tuple(first.bounds)]
    for path in paths[1:]:
        with rasterio.open(path) as one:
            bounds.append(rasterio.warp.transform_bounds(one.crs, crs, *one.bounds))
    west, south = (min(own[axis] for own in bounds) for axis in (0, 1))
    east, north = (max(own[axis] for own in bounds) for axis in (2, 3))
    shape = (max(1, round((north - south) / -step.e)), max(1, round((east - west) / step.a)))
    return GeoBox(shape, Affine(step.a, 0, west, 0, step.e, north), str(crs))


def _picture(path: Path, grid: GeoBox) -> Image.Image:
    place = {
        "crs": CRS.from_user_input(str(grid.crs)), "transform": grid.transform, "height": grid.shape[0], "width": grid.shape[1],
    }  # fmt: skip
    with rasterio.open(path) as source, WarpedVRT(source, resampling=Resampling.nearest, **place) as warped:
        painted = np.moveaxis(warped.read((1, 2, 3, 4)), 0, -1).astype(np.float32)
    share = painted[..., 3:] / 255
    return Image.fromarray((share * painted[..., :3] + (1 - share) * np.array(_PAPER)).astype(np.uint8))
