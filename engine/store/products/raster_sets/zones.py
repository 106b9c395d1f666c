"""A Zarr store whose embeddings lie in several groups, each on a grid of its own, such as one a UTM zone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine.imagery.region import Region
from engine.imagery.scene import scene_id
from engine.store.products.raster_sets.raster_set import Member, taken_set
from engine.store.products.raster_tiles import taken_raster
from engine.store.products.taken import Taken
from engine.store.products.zarr.group import groups_of


@contextmanager
def taken_groups(path: Path, region: Region | None, year: int | None, model: str | None) -> Iterator[Taken]:
    """The embeddings of a group, or of all groups of a store that meet a region.

    Raises:
        StoreError, RegionError: as `taken_raster` and `taken_set`.
    """
    groups = groups_of(path)
    if len(groups) < 2:
        with taken_raster(path, region, year, model) as found:
            yield found
        return
    members = [Member(group, scene_id(str(group.relative_to(path)))) for group in groups]
    found = taken_set(path, members, region, year, model)
    told = found.understood
    named = ", ".join(group.name for group in groups[:8])
    yield replace(found, understood=replace(told, notes=(f"The groups of the store: {named}.", *told.notes)))
