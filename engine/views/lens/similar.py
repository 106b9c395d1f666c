"""Patches that are like some others: exact ranking in full precision, over one or several stores.

Every patch is compared: one search takes 2.4 s among a million patches of 768 numbers, 23 s among 5 million and 46 s among 10
(tests/bench/search.py, two cores that others used too; half precision, read from disk). Below two million patches an
approximate index would not be built before a person has the answer; above, it pays for those who ask many questions.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.imagery.geobox import from_lonlat
from engine.store.schema import StoredTile
from engine.views.comparing.change import require_same_space
from engine.views.comparing.dated_view import DatedView
from engine.views.lens.kinds import similarity_lens
from engine.views.lens.lens import Lens
from engine.views.maps.overlay import store_tags, write_mosaic
from engine.views.pca import pca_of

_COMPONENTS = 3
# Patches from which on a search takes ten seconds or more.
MANY = 2_000_000


@dataclass(frozen=True)
class Patch:
    """One patch of a view: its tile, and its row and column in the tile, from the north-west."""

    tile: StoredTile
    row: int
    column: int

    @property
    def name(self) -> str:
        """TILE/ROW/COLUMN."""
        return f"{self.tile.id}/{self.row}/{self.column}"


@dataclass(frozen=True)
class Match:
    """A patch and how much it is like what was asked for.

    Attributes:
        view: number of its view among those that were ranked.
        cosine: about the mean of the view that the question comes from, -1 to 1.
    """

    view: int
    patch: Patch
    cosine: float


def patch_of(view: DatedView, words: str) -> Patch:
    """The patch of `TILE/ROW/COLUMN` or of `LON,LAT` in degrees.

    Raises:
        StoreError: neither of the two, a tile or a patch that the store does not have, or a place without data.
    """
    try:
        if "/" in words:
            name, row, column = words.rsplit("/", 2)
            found = _named(view, name, int(row), int(column))
        else:
            lon, lat = map(float, words.split(","))
            found = _at(view, lon, lat)
    except ValueError as err:
        raise StoreError(
            f"{words!r} names no patch. Give TILE/ROW/COLUMN, or LON,LAT in degrees such as -75.6,37.5."
        ) from err
    _, valid = view.view.read_tile(found.tile)
    if not valid[found.row, found.column] > 0:
        raise StoreError(f"The patch {found.name} of {view.store.folder} has no data. Choose another.")
    return found


def similarity(view: DatedView, positive: Sequence[Patch], negative: Sequence[Patch] = ()) -> Lens:
    """The lens of the cosine with some patches of a view against others, about the view's mean.

    Raises:
        StoreError: no patch, or patches that do not differ from the mean.
    """
    embeddings = [_embeddings(view, patches) for patches in (positive, negative)]
    mean = pca_of(view.view, _components(view)).mean
    return similarity_lens(mean, embeddings[0], embeddings[1])


def ranked(lens: Lens, views: Sequence[DatedView], most: int, besides: Sequence[Patch] = ()) -> list[Match]:
    """The patches with data that are most like what the lens asks for, the likest first.

    Args:
        views: of one backbone and layer; the first is the one that the question comes from.
        most: patches to find.
        besides: patches of the first view that are left out, those that the question is made of.

    Raises:
        StoreError: views of several backbones, weights or layers; embeddings that are not finite.
    """
    for other in views[1:]:
        require_same_space(views[0], other)
    left_out = {patch.name for patch in besides}
    best: list[tuple[float, int, Match]] = []  # a heap, the least alike on top
    for count, (number, tile, values) in enumerate(_values(lens, views)):
        order = np.argsort(-values, axis=None, kind="stable")[: most + len(left_out)]
        for place in order.tolist():
            cosine = float(values.flat[place])
            if np.isnan(cosine) or (len(best) == most and cosine <= best[0][0]):
                break
            patch = Patch(tile, *divmod(place, tile.w))
            if number == 0 and patch.name in left_out:
                continue
            # Of equals the first of the store counts.
            entry = (cosine, -(count * 1_000_000 + place), Match(number, patch, cosine))
            (heapq.heappushpop if len(best) == most else heapq.heappush)(best, entry)
    return [match for _, _, match in sorted(best, key=lambda entry: entry[:2], reverse=True)]


def similarity_overlay(lens: Lens, view: DatedView, out: Path) -> None:
    """Write the cosine of every patch as one float32 band, NaN without data.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    pieces = ((tile, values[None]) for _, tile, values in _values(lens, [view]))
    write_mosaic(
        out, pieces, level="patch", nodata=float("nan"), dtype="float32", band_names=("cosine similarity",),
        tags=store_tags(view.store, view.view.layer) | view.view.tags,
    )  # fmt: skip


def write_matches(path: Path, matches: Sequence[Match], views: Sequence[DatedView]) -> None:
    """Write matches as polygons in lon/lat with rank, cosine, store, tile, row, column and date: GeoParquet.

    Raises:
        DiskFull: no room.
    """
    import geopandas as gpd
    import shapely

    from engine.files import write_atomic
    from engine.store.footprints import footprints

    shapes = [
        footprints([match.patch.tile]).wkb()[match.patch.row * match.patch.tile.w + match.patch.column]
        for match in matches
    ]
    table = gpd.GeoDataFrame(
        {
            "rank": range(1, len(matches) + 1),
            "cosine": [match.cosine for match in matches],
            "store": [str(views[match.view].store.folder) for match in matches],
            "tile_id": [match.patch.tile.id for match in matches],
            "row": [match.patch.row for match in matches],
            "col": [match.patch.column for match in matches],
            "datetime": [match.patch.tile.datetimes[-1] for match in matches],
        },
        geometry=shapely.from_wkb(shapes), crs="OGC:CRS84",
    )  # fmt: skip
    write_atomic(path, table.to_parquet)


def _values(lens: Lens, views: Sequence[DatedView]) -> Iterator[tuple[int, StoredTile, np.ndarray]]:
    """Number of the view, tile, and the cosines of its patches (h, w), NaN without data."""
    for number, view in enumerate(views):
        for tile, values, valid in view.tiles():
            cosines = lens.values(values)[..., 0]
            if np.isnan(cosines[valid > 0]).any():
                raise StoreError(
                    f"{view.store.folder} holds embeddings that are not finite. Run `python -m engine check` on it, or extract "
                    f"again with output.dtype: float32."
                )
            yield number, tile, np.where(valid > 0, cosines, np.float32("nan"))


def _embeddings(view: DatedView, patches: Sequence[Patch]) -> np.ndarray:
    """(n, D) of some patches."""
    rows = [view.view.read_tile(patch.tile)[0][patch.row, patch.column] for patch in patches]
    dim = view.store.meta.dims[view.store.meta.layers.index(view.view.layer)]
    return np.array(rows, np.float64).reshape(len(patches), dim)


def _named(view: DatedView, name: str, row: int, column: int) -> Patch:
    tile = next((tile for tile in view.chosen if tile.id == name), None)
    if tile is None:
        raise StoreError(
            f"{view.store.folder} has no tile {name!r}. Its first is {view.chosen[0].id}, with patches 0/0 to "
            f"{view.chosen[0].h - 1}/{view.chosen[0].w - 1}."
        )
    if not (0 <= row < tile.h and 0 <= column < tile.w):
        raise StoreError(
            f"The tile {name} has patches 0/0 to {tile.h - 1}/{tile.w - 1}, and not {row}/{column}."
        )
    return Patch(tile, row, column)


def _at(view: DatedView, lon: float, lat: float) -> Patch:
    for tile in view.chosen:
        x, y = from_lonlat(tile.crs).transform(lon, lat)
        column, row = (np.floor(at) for at in ~tile.patch_transform @ (x, y))
        if 0 <= column < tile.w and 0 <= row < tile.h:
            return Patch(tile, int(row), int(column))
    raise StoreError(
        f"{view.store.folder} has no patch at longitude {lon:g}, latitude {lat:g}. Choose a place that it covers."
    )


def _components(view: DatedView) -> int:
    return min(_COMPONENTS, view.store.meta.dims[view.store.meta.layers.index(view.view.layer)])
