"""Where the chips of TerraTorch's tables lie: on the images of their stems, or where their column of geometries has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.store.products.tables.footprint_tiles import Footprint, footprints_of
from engine.store.products.tables.geometry_column import geometry_of
from engine.store.products.tables.polygons import polygons
from engine.store.products.tables.rows_read import times_of
from engine.store.products.tables.vector_column import time_column
from engine.store.products.terratorch.chip_files import ChipFile, values_column
from engine.store.products.terratorch.chip_place import (
    image_aspect,
    image_of,
    nowhere,
    tile_on_footprint,
    tile_on_image,
)
from engine.store.schema import StoredTile

Placed = tuple[Footprint, str | None]


def placed_rows(chips: Mapping[str, ChipFile], images: Path | None) -> dict[str, Placed | Path]:
    """Of each chip its image, else its footprint and time.

    Raises:
        StoreError: nothing says where one lies.
    """
    found: dict[str, Placed | Path] = {}
    without: dict[Path, list[str]] = {}
    for stem, chip in chips.items():
        image = image_of(stem, images)
        if image is None:
            without.setdefault(chip.path, []).append(stem)
        else:
            found[stem] = image
    for path, stems in without.items():
        footprints = _of_file(path, stems[0], images)
        found |= {stem: footprints[chips[stem].row or 0] for stem in stems}
    return found


def aspect_of(place: Placed | Path) -> float:
    """Height of a chip over its width."""
    return image_aspect(place) if isinstance(place, Path) else place[0].height_m / place[0].width_m


def tile_at(place: Placed | Path, stem: str, h: int, w: int) -> StoredTile:
    """The tile of a chip of h x w patches."""
    if isinstance(place, Path):
        return tile_on_image(place, stem, h, w)
    return tile_on_footprint(place[0], stem, h, w, place[1])


def require_one_size(chips: Sequence[ChipFile], each: int) -> None:
    """Check that the rows of tables hold as many numbers each as the first one, by the counts in the files' footers.

    Raises:
        StoreError: a file holds others.
    """
    for path in dict.fromkeys(chip.path for chip in chips):
        with _open(path) as file:
            name = values_column(file.schema_arrow) or ""
            rows, count = file.metadata.num_rows, 0
            for group in range(file.num_row_groups):
                columns = file.metadata.row_group(group)
                of = [columns.column(number) for number in range(columns.num_columns)]
                count += sum(one.num_values for one in of if one.path_in_schema.split(".")[0] == name)
        if count != rows * each:
            raise StoreError(
                f"The embeddings of {path.name} change their shape: its {rows:,} rows hold {count:,} numbers together, and the first chip "
                f"has {each:,}. Give chips of one kind."
            )


def _of_file(path: Path, stem: str, images: Path | None) -> list[Placed]:
    """Footprint and time of each row."""
    with _open(path) as file:
        try:
            geometry = geometry_of(file, path.name)
        except StoreError as err:
            raise StoreError(f"{path.name} {nowhere(stem, images)}") from err
        column = time_column(file)
        table = file.read(columns=[geometry.name, *([column] if column else [])])
    shapes = polygons(table[geometry.name], geometry, path.name)
    times = times_of(table[column].to_pylist()) if column else (None,) * len(shapes)
    return list(zip(footprints_of(np.asarray(shapes)), times, strict=True))


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as err:
        raise StoreError(
            f"{path} cannot be read as Parquet ({' '.join(str(err).split())[:100]}). Copy or download it again."
        ) from err
