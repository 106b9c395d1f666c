"""A GeoParquet file of embeddings on another computer: of its row groups those that a region meets are fetched."""

from __future__ import annotations

from pathlib import Path

from engine.errors import RegionError
from engine.imagery.region import Region
from engine.imagery.remote.fetching import cached
from engine.store.catalogues.lists.listed import ListedItem
from engine.store.catalogues.lists.remote_tables import column_ranges, opened_parquet
from engine.store.catalogues.remote_files.placed import Bytes, Placed
from engine.store.products.tables.row_groups import groups_that_meet
from engine.store.products.tables.table import taken_of
from engine.store.products.tables.vector_column import columns_of
from engine.store.products.taken import Taken


def placed_table(item: ListedItem, region: Region) -> Placed:
    """The row groups of a file that a region meets, and the bytes of the columns that are read.

    Raises:
        RegionError: it meets none.
        RemoteError, StoreError: the file cannot be had, or holds no embeddings.
    """
    file = item.files[0]
    with opened_parquet(file.raster) as opened:
        columns = columns_of(opened, file.name)
        groups = groups_that_meet(opened, columns.geometry, region)
        if not groups:
            raise RegionError(f"No footprint of {file.name} meets the region. Choose another region.")
        wanted = [name for name in (columns.vector, columns.geometry, columns.time) if name]
        ranges = tuple(column_ranges(opened, groups, wanted))
        rows = sum(opened.metadata.row_group(group).num_rows for group in groups)
    size = cached(file.raster).size
    needed = Bytes(file.raster, ((0, size),) if file.sha256 else ranges)
    return Placed(item, None, None, rows, 0, (needed,))


def taken_of_item(item: ListedItem, region: Region) -> Taken:
    """The embeddings of a file in a region.

    Raises:
        As `placed_table`.
    """
    file = item.files[0]
    with opened_parquet(file.raster) as opened:
        return taken_of(opened, Path(file.name), region)
