"""A layer as one GeoParquet file: a row a patch, with the footers `geo`, `emb` and the store's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.store.emb_footer import emb_footer
from engine.store.footprints import Footprints, footprints, in_batches
from engine.store.schema import StoredTile, TileRows
from engine.store.table import geo_metadata, rows_table
from engine.store.writer import ROWS_A_GROUP
from engine.views.export.asked import Export, Made, own_facts
from engine.views.export.quantisation import LossMeter, to_float16

SCALE = "embedding_scale"
_METHOD = "per_row_scale"


def write_geoparquet(asked: Export) -> Made:
    """Write the rows in the order of the store, which follows a Hilbert curve where Emberscope extracted it, in groups with boxes.

    int8: `embedding` holds whole numbers and `embedding_scale` a scale a row, NaN for gaps, as the footer `emb` says. Rows without
    a valid pixel hold NaN.
    """
    meter = LossMeter(asked.dtype, "one scale an embedding" if asked.dtype == "int8" else "rounded")
    writer: pq.ParquetWriter | None = None
    try:
        for rows in _grouped(asked):
            table = _table(asked, rows, meter)
            if writer is None:
                writer = _writer(asked, table.schema)
            writer.write_table(table, row_group_size=len(table))
        assert writer is not None
        writer.add_key_value_metadata({"emberscope": json.dumps(own_facts(asked.meta, asked.store.tiles))})
    finally:
        if writer is not None:
            writer.close()
    return Made((asked.out,), (), meter.loss() if asked.is_smaller else None)


def _grouped(asked: Export) -> Iterator[list[TileRows]]:
    """Tiles whose rows make a row group."""
    waiting: list[TileRows] = []
    count = 0
    for tile, values, valid in asked.tiles("Writing embeddings"):
        waiting.append(TileRows(tile, (values.reshape(-1, asked.dim),), valid.reshape(-1)))
        count += tile.rows
        if count >= ROWS_A_GROUP:
            yield waiting
            waiting, count = [], 0
    if waiting:
        yield waiting


def _table(asked: Export, rows: Sequence[TileRows], meter: LossMeter) -> pa.Table:
    """The rows of some tiles; a store's own columns, but for the window's share, which is told of no other layer."""
    values = np.concatenate([one.embeddings[0] for one in rows])
    if asked.dtype == "float16":
        to_float16(values)
    meta = replace(asked.meta, has_window_fraction=False)
    table = rows_table(meta, rows, footprints([one.tile for one in rows]))
    if asked.dtype != "int8":
        if asked.is_smaller:
            meter.add(values, values.astype(asked.dtype).astype(np.float32))
        return table
    numbers, scales = asked.by_row(values)
    meter.add(values, numbers.astype(np.float32) * scales[:, None])
    kind = pa.list_(pa.field("element", pa.int8(), nullable=False), asked.dim)
    at = table.schema.get_field_index("embedding")
    column = pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), type=kind)
    table = table.set_column(at, pa.field("embedding", kind, nullable=False), column)
    return table.add_column(at + 1, pa.field(SCALE, pa.float32(), nullable=False), pa.array(scales))


def _writer(asked: Export, schema: pa.Schema) -> pq.ParquetWriter:
    quantization = None
    if asked.dtype == "int8":
        quantization = {
            "method": _METHOD, "original_dtype": asked.store.meta.dtype, "quantized_dtype": "int8", "scale_column": SCALE,
        }  # fmt: skip
    told: dict[str, Any] = {
        "geo": geo_metadata(outlines_of_tiles(asked.store.tiles)),
        "emb": emb_footer(asked.meta, asked.store.tiles, quantization),
    }
    metadata = {key: json.dumps(value) for key, value in told.items()}
    return pq.ParquetWriter(
        asked.out,
        schema.with_metadata(metadata),
        compression="zstd",
        use_dictionary=["tile_id"],
        write_page_index=True,
    )


def outlines_of_tiles(tiles: Sequence[StoredTile]) -> Footprints:
    """Boxes of the tiles in the place of those of their patches: what is told of a whole file."""
    boxes, cut = list[np.ndarray](), dict[int, bytes]()
    for batch in in_batches(tiles, ROWS_A_GROUP):
        own = footprints(batch)
        if own.cut:
            boxes += [np.array([footprints([tile]).total_bounds]) for tile in batch]
            cut |= own.cut
            continue
        starts = np.cumsum([0, *(tile.rows for tile in batch[:-1])])
        low, high = np.minimum.reduceat(own.bounds, starts), np.maximum.reduceat(own.bounds, starts)
        boxes.append(np.concatenate([low[:, :2], high[:, 2:]], axis=1))
    return Footprints(np.empty((0, 0), np.uint8), np.concatenate(boxes), cut)
