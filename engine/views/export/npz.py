"""A layer as a numpy archive: embeddings, the keys and places of their rows, and the store's facts as JSON."""

from __future__ import annotations

import json
import zipfile
from typing import IO, Any

import numpy as np

from engine.store.footprints import footprints, in_batches
from engine.store.writer import ROWS_A_GROUP
from engine.views.export.asked import Export, Made, notice_of, own_facts
from engine.views.export.quantisation import LossMeter, to_float16


def write_npz(asked: Export) -> Made:
    """Write it part by part: an npz is a zip of npy files.

    `embeddings` (rows, D); `valid_fraction` (0: the row holds no embedding), `tile_id`, `row`, `col`, `lon`, `lat` (rows,), of patch centres; `store`, a JSON text
    with the store's facts and tiles; `notice`, what must be said of them. int8: `scales` (rows,), NaN for gaps, and an
    embedding is its numbers times its scale.
    """
    meter, scales = (
        LossMeter(asked.dtype, "one scale an embedding" if asked.dtype == "int8" else "rounded"),
        list[np.ndarray](),
    )
    tiles = asked.store.tiles
    with zipfile.ZipFile(asked.out, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("embeddings.npy", "w", force_zip64=True) as entry:
            _write_embeddings(entry, asked, meter, scales)
        small: dict[str, np.ndarray] = {
            "valid_fraction": asked.store.read_valid_fraction(),
            "tile_id": np.repeat([tile.id for tile in tiles], [tile.rows for tile in tiles]),
            "row": np.concatenate([np.arange(tile.rows, dtype=np.int32) // tile.w for tile in tiles]),
            "col": np.concatenate([np.arange(tile.rows, dtype=np.int32) % tile.w for tile in tiles]),
            **_centres(asked),
            "store": np.array(json.dumps({**own_facts(asked.meta, tiles), "layer": asked.layer})),
            "notice": np.array(notice_of(asked.store.meta)),
        }
        if scales:
            small["scales"] = np.concatenate(scales)
        for name, values in small.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, values, allow_pickle=False)
    return Made((asked.out,), (), meter.loss() if asked.is_smaller else None)


def _write_embeddings(entry: IO[bytes], asked: Export, meter: LossMeter, scales: list[np.ndarray]) -> None:
    header: dict[str, Any] = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(asked.dtype)),
        "fortran_order": False,
        "shape": (asked.store.rows, asked.dim),
    }
    np.lib.format.write_array_header_1_0(entry, header)
    is_as_stored = asked.dtype == asked.store.meta.dtype
    for _, values, _ in asked.tiles("Writing embeddings", is_as_stored):
        exact = values.reshape(-1, asked.dim)
        if asked.dtype == "int8":
            numbers, scale = asked.by_row(exact)
            scales.append(scale)
            meter.add(exact, numbers.astype(np.float32) * scale[:, None])
        else:
            numbers = to_float16(exact) if asked.dtype == "float16" and not is_as_stored else exact
            if not is_as_stored:
                meter.add(exact, numbers.astype(np.float32))
        entry.write(np.ascontiguousarray(numbers).tobytes())


def _centres(asked: Export) -> dict[str, np.ndarray]:
    """Longitude and latitude of the middles of the patches' boxes; across the antimeridian from its west side on."""
    found = []
    for batch in in_batches(asked.store.tiles, ROWS_A_GROUP):
        west, south, east, north = footprints(batch).bounds.T
        middle = (west + np.where(west > east, east + 360, east)) / 2
        found.append(np.stack([np.where(middle > 180, middle - 360, middle), (south + north) / 2]))
    lon, lat = np.concatenate(found, axis=1)
    return {"lon": lon, "lat": lat}
