"""What a file says of the store of Emberscope that it was written from, so that `import` makes the same store again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from engine.errors import RegionError, StoreError
from engine.imagery.geobox import area_in_crs
from engine.imagery.region import Region
from engine.store.emb_footer import date_range, warnings_of
from engine.store.products.decoding import is_unit_length, median_length
from engine.store.products.taken import Taken
from engine.store.products.understood import Understood
from engine.store.schema import StoredTile, StoreMeta, TileRows, parse_metadata

KEY = "emberscope"
# What decides how a store may be used; how it was made and where it lies is said anew by an import.
_KEPT = (
    "weights_sha256", "layers", "dims", "columns", "pooling", "patch_px", "gsd_m", "bands", "is_simulated", "sensor", "level",
    "licence", "attribution", "source", "cells",
)  # fmt: skip


@dataclass(frozen=True)
class OwnFacts:
    """The store that a file was written from."""

    meta: StoreMeta
    tiles: tuple[StoredTile, ...]

    @property
    def kept(self) -> dict[str, Any]:
        """Fields of the metadata that a store made of the file takes over."""
        return {name: getattr(self.meta, name) for name in _KEPT}

    def taken(self, seen: Understood, rows: Callable[[], Iterator[TileRows]], count: int) -> Taken:
        """The file, open for reading.

        Args:
            rows: of the tiles, in the order of the store.
            count: of these tiles.
        """
        is_tile = self.meta.granularity == "tile"
        return Taken(seen, "tile" if is_tile else "patch", self.meta.patch_px, rows, self.kept, count)


def tiles_that_meet(tiles: Sequence[StoredTile], region: Region | None, where: str) -> list[bool]:
    """For each tile whether it meets a region.

    Raises:
        RegionError: none does.
    """
    if region is None:
        return [True] * len(tiles)
    areas = {crs: area_in_crs(region.polygon, crs) for crs in {tile.crs for tile in tiles}}
    found = [bool(areas[tile.crs].intersects(_box(tile))) for tile in tiles]
    if not any(found):
        raise RegionError(f"The region and {where} do not overlap. Choose a region inside the file's bounds.")
    return found


def own_facts(raw: str | bytes | Mapping[str, Any], where: str) -> OwnFacts:
    """The facts in a file's JSON.

    Raises:
        StoreError: they are damaged, or of another schema.
    """
    try:
        tree = raw if isinstance(raw, Mapping) else json.loads(raw)
        told = json.dumps({"meta": tree["meta"], "tiles": tree["tiles"]})
        meta, tiles = parse_metadata({KEY.encode(): told.encode()}, where)
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise StoreError(
            f"What {where} says of its store cannot be read ({' '.join(str(err).split())[:80]}). Export it again."
        ) from err
    if not tiles:
        raise StoreError(f"{where} has no tiles. Export a store that has some.")
    return OwnFacts(meta, tuple(tiles))


def understood_own(
    facts: OwnFacts, tiles: Sequence[StoredTile], path: str, form: str, decoding: str, sample: np.ndarray
) -> Understood:
    """What an export of Emberscope is taken for.

    Args:
        sample: (n, D) embeddings without gaps.
    """
    meta = facts.meta
    first, last = date_range(tiles)
    years = {moment[:4] for moment in (first, last) if moment}
    layers = ", ".join(map(str, meta.layers))
    zones = sorted({tile.crs for tile in tiles})
    return Understood(
        path=path, form=f"an export of Emberscope, {form}", model=meta.backbone, dim=meta.dims[0], decoding=decoding,
        mean_length=median_length(sample) if len(sample) else 0.0, is_unit_length=bool(len(sample)) and is_unit_length(sample),
        nodata="NaN", year=int(years.pop()) if len(years) == 1 else None, licence=meta.licence, attribution=meta.attribution,
        crs=", ".join(zones[:4]) + (", ..." if len(zones) > 4 else ""), gsd_m=meta.gsd_m,
        size=f"{len(tiles):,} tiles, {sum(tile.rows for tile in tiles):,} patches, layer {layers}",
        rows=sum(tile.rows for tile in tiles), dtype="float16" if meta.dtype == "float16" else "float32", notes=warnings_of(meta),
    )  # fmt: skip


def _box(tile: StoredTile) -> shapely.Geometry:
    affine = tile.pixel_transform
    (west, north), (east, south) = affine @ (0, 0), affine @ (tile.width_px, tile.height_px)
    return shapely.box(west, south, east, north)
