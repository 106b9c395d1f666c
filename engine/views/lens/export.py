"""What is seen through a lens as files, computed from the embeddings themselves: GeoTIFF, picture, GeoParquet."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.files import require_file_path, write_atomic
from engine.store.parts import StorePart
from engine.store.schema import StoredTile, TileRows
from engine.store.table import part_table
from engine.views.comparing.dated_view import DatedView
from engine.views.lens.lens import Lens
from engine.views.maps.overlay import NO_CLASS, class_overlay, store_tags, write_mosaic
from engine.views.maps.picture import Caption, captioned, composed

if TYPE_CHECKING:
    from engine.imagery.scene import Scene

# Columns of the store that a table of what is seen keeps.
_KEPT = ("tile_id", "row", "col", "datetime", "valid_fraction", "geometry", "bbox")


def write_geotiff(view: DatedView, lens: Lens, out: Path, more: Mapping[str, str] | None = None) -> Path:
    """A Cloud-Optimised GeoTIFF: colours of three components, classes with their colours, or numbers (NaN without data).

    Numbers are those of all patches: a threshold is told in the tags and hides none.

    Args:
        more: tags besides those of the view and the lens.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    tags = store_tags(view.store, view.view.layer) | view.view.tags | _lens_tags(lens) | dict(more or {})
    if lens.kind == "classes":
        return class_overlay(
            out, _pieces(view, lambda values, valid: _classes(lens, values, valid)), level="patch", band_name="class",
            colours={number: _rgba(row) for number, row in enumerate(lens.palette)}, names=dict(enumerate(lens.names)),
            tags=tags,
        )  # fmt: skip
    if lens.kind == "rgb":
        return write_mosaic(
            out, _pieces(view, lambda values, valid: _colours(lens, values, valid)), level="patch", nodata=None,
            dtype="uint8", tags=tags, band_names=[*(f"{name} ({colour})" for name, colour in zip(lens.names, ("red", "green", "blue"), strict=True)), "alpha"],
        )  # fmt: skip
    return write_mosaic(
        out, _pieces(view, lambda values, valid: np.where(valid > 0, lens.values(values)[..., 0], np.float32("nan"))),
        level="patch", nodata=float("nan"), dtype="float32", tags=tags, band_names=lens.names[:1],
    )  # fmt: skip


def write_picture(
    view: DatedView, lens: Lens, out: Path, caption: Caption, scenes: Sequence[Scene] = ()
) -> Path:
    """A PNG of what is seen, over the scenes, with title, legend, scale bar, dates and source.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    return write_painted(colours_of(view, lens), out, caption, scenes)


def colours_of(view: DatedView, lens: Lens) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Tile by tile, the patches in the colours of a lens: (4, h, w) red, green, blue and opacity."""
    return _pieces(view, lambda values, valid: _colours(lens, values, valid))


def write_painted(
    pieces: Iterable[tuple[StoredTile, np.ndarray]], out: Path, caption: Caption, scenes: Sequence[Scene] = ()
) -> Path:
    """The same of colours (4, h, w), red, green, blue and opacity, tile by tile."""
    require_file_path(out)
    with tempfile.TemporaryDirectory(prefix=".picture-", dir=out.parent) as room:
        painted = write_mosaic(Path(room) / "painted.tif", pieces, level="patch", nodata=None, dtype="uint8")
        page = captioned(*composed(painted, scenes), caption)
    write_atomic(out, lambda temporary: page.save(temporary, "PNG", optimize=True))
    return out


def write_table(view: DatedView, lens: Lens, out: Path) -> Path:
    """A GeoParquet of the patches with data: their place, date and numbers; for classes the class and its name.

    Raises:
        StoreError: damaged parts.
        DiskFull: no room.
    """
    wanted = {tile.id for tile in view.chosen}

    def write(temporary: Path) -> None:
        writer: pq.ParquetWriter | None = None
        try:
            for part in view.store.parts:
                tiles = [tile for tile in part.tiles if tile.id in wanted]
                if not tiles:
                    continue
                table = _table(view, lens, part, tiles)
                writer = writer or pq.ParquetWriter(temporary, table.schema, compression="zstd")
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()

    write_atomic(out, write)
    return out


def _table(view: DatedView, lens: Lens, part: StorePart, tiles: Sequence[StoredTile]) -> pa.Table:
    """The patches of a part that lie in some tiles and have data."""
    stored, geo = _places(view, part)
    ids = stored["tile_id"].to_numpy()
    numbers = {tile.id: view.view.read_tile(tile)[0] for tile in tiles}
    chosen = np.isin(ids, list(numbers))
    values = np.concatenate([numbers[tile.id].reshape(-1, numbers[tile.id].shape[-1]) for tile in tiles])
    has_data = stored["valid_fraction"].to_numpy()[chosen] > 0
    kept = stored.filter(pa.array(chosen)).filter(pa.array(has_data))
    for name, column in _columns(lens, values[has_data]).items():
        kept = kept.append_column(name, column)
    return kept.replace_schema_metadata(
        {b"geo": geo, **{name.encode(): words.encode() for name, words in _lens_tags(lens).items()}}
    )


def _places(view: DatedView, part: StorePart) -> tuple[pa.Table, bytes]:
    """What a table keeps of the patches of a part, and its `geo` metadata; made anew for a finer layer's own patches, and in place."""
    store = view.store
    if store.cells == 1 and part.foreign is None:
        return pq.ParquetFile(part.path).read(columns=list(_KEPT)), (
            pq.read_metadata(part.path).metadata or {}
        ).get(b"geo", b"{}")
    valid = view.view.valid_by_tile()
    rows = [TileRows(tile, (), valid[tile.id].ravel()) for tile in part.tiles]
    made = part_table(replace(store.meta, layers=(), columns=(), dims=()), rows)
    return made.select(_KEPT), made.schema.metadata[b"geo"]


def _columns(lens: Lens, values: np.ndarray) -> dict[str, Any]:
    if lens.kind == "classes":
        classes = lens.classes(values)
        return {
            "class": pa.array(classes),
            "class_name": pa.array([lens.names[number] for number in classes]),
        }
    found = lens.values(values)
    names = [re.sub(r"[^a-z0-9]+", "_", name.lower()) for name in lens.names]
    return {name: pa.array(found[:, index]) for index, name in enumerate(names)}


def _pieces(view: DatedView, made: Any) -> Iterator[tuple[StoredTile, np.ndarray]]:
    for tile, values, valid in view.tiles():
        yield tile, made(values, valid)


def _colours(lens: Lens, values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(4, h, w) red, green, blue, opacity."""
    return np.moveaxis(lens.colours(values) * (valid > 0)[..., None], -1, 0).astype(np.uint8)


def _classes(lens: Lens, values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    return np.where(valid > 0, lens.classes(values), NO_CLASS).astype(np.uint8)


def _lens_tags(lens: Lens) -> dict[str, str]:
    ends = ", ".join(f"{low:.6g} to {high:.6g}" for low, high in zip(lens.low, lens.high, strict=True))
    tags = {"EMBERSCOPE_LENS": lens.kind, "EMBERSCOPE_LENS_VALUES": ", ".join(lens.names)}
    if lens.kind != "classes":
        tags["EMBERSCOPE_LENS_RANGE"] = ends
    if lens.threshold is not None:
        tags["EMBERSCOPE_THRESHOLD"] = f"{lens.threshold:.6g}"
    return tags


def _rgba(row: np.ndarray) -> tuple[int, int, int, int]:
    red, green, blue, opacity = (int(part) for part in row)
    return red, green, blue, opacity
