"""What a row and a part of the store are: the Arrow schema and the metadata."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from affine import Affine

from engine.errors import StoreError

SCHEMA_VERSION = 1
# Begins the `config_hash` of a store whose embeddings were taken from files: what follows is a checksum of these files.
OF_FILES = "files-"
# Column of a store with layers finer than its rows: the valid share of the ground of each of a row's finest cells.
CELL_FRACTION = "cell_fraction"


@dataclass(frozen=True)
class StoredTile:
    """One tile of a store: its rows lie together, row-major from the north-west.

    Attributes:
        h, w: patches down and across (1 and 1 with granularity tile).
        transform: six numbers (a, b, c, d, e, f), pixel to CRS metres, of the tile's north-west corner.
        height_px, width_px: pixels of the tile.
        datetimes: ISO 8601 times of the dates that went in, None where the source states none.
        split: "train", "val" or "test" where the source says so.
        in_window: row and column of the tile's first patch in the window that an encoder saw, and the rows and columns
            of that window; None with granularity tile and in stores of earlier versions.
    """

    id: str
    crs: str
    transform: tuple[float, ...]
    h: int
    w: int
    height_px: int
    width_px: int
    datetimes: tuple[str | None, ...]
    scene_ids: tuple[str, ...]
    split: str | None
    in_window: tuple[int, int, int, int] | None = None

    @property
    def rows(self) -> int:
        """Rows of the store that this tile takes."""
        return self.h * self.w

    @property
    def pixel_transform(self) -> Affine:
        """Pixel (column, row) to CRS metres."""
        return Affine(*self.transform)

    @property
    def patch_transform(self) -> Affine:
        """Patch (column, row) to CRS metres."""
        return self.pixel_transform @ Affine.scale(self.width_px / self.w, self.height_px / self.h)


@dataclass(frozen=True)
class StoreMeta:
    """What holds for every row of a store.

    Attributes:
        weights_sha256: of the checkpoint file, or the word "random".
        columns: one a layer, in the order of `layers` and `dims`.
        patch_px: pixels along a side of one patch (a tile's side with granularity tile).
        bands: common names of the bands that the encoder saw.
        scene_fingerprints: of the scenes' files, to notice a change before a resume.
        sensor, level: of the scenes, several joined; empty where they do not say, and in stores of the first version.
        has_window_fraction: whether rows say which part of their window was valid; earlier stores' rows do not.
        licence, attribution: of embeddings that others published, as they ask for it; empty for own extractions.
        cells: of each layer along a side of a row, whose embeddings follow one another in it (`cells.py`); empty where
            every layer has one, and in stores of earlier versions. They tell nothing that the rest does not.
    """

    schema_version: int
    backbone: str
    weights_sha256: str
    layers: tuple[int, ...]
    dims: tuple[int, ...]
    columns: tuple[str, ...]
    granularity: str
    pooling: str | None
    patch_px: int
    gsd_m: float
    dtype: str
    bands: tuple[str, ...]
    is_simulated: bool
    source: str
    config_hash: str
    config: dict[str, Any]
    scene_fingerprints: tuple[str, ...] = ()
    sensor: str = ""
    level: str = ""
    has_window_fraction: bool = False
    licence: str = ""
    attribution: str = ""
    cells: tuple[int, ...] = field(default=(), compare=False)

    @property
    def is_random(self) -> bool:
        """Whether the weights were random."""
        return self.weights_sha256 == "random"

    @property
    def is_of_others(self) -> bool:
        """Whether others made the embeddings: neither their encoder nor their images are known here."""
        return bool(self.config.get("scene", {}).get("source") == "embeddings")

    @property
    def credit(self) -> str:
        """What must stand on a map of embeddings that others published; empty for own extractions."""
        return f"{self.attribution} ({self.licence})" if self.licence else self.attribution


@dataclass(frozen=True)
class TileRows:
    """The rows of one tile before they are written.

    Attributes:
        embeddings: (h * w, D) a layer; before blending, of all that the tile's window has.
        valid_fraction: (h * w,) float32, 0 to 1.
        window_fraction: which part of the window that an encoder saw was valid, 0 to 1; the rest was a gap or mirrored.
        cell_fraction: (h * w, cells) float32, the valid share of each of the finest cells of a row; None where layers are
            not finer than rows, or where it is not known.
    """

    tile: StoredTile
    embeddings: tuple[np.ndarray, ...]
    valid_fraction: np.ndarray
    window_fraction: float = 1.0
    cell_fraction: np.ndarray | None = None


def column_names(layers: tuple[int, ...]) -> tuple[str, ...]:
    """The name `embedding` for one layer; `embedding_3`, `embedding_11` for several."""
    return ("embedding",) if len(layers) == 1 else tuple(f"embedding_{layer}" for layer in layers)


def finest_cells(cells: Sequence[int]) -> int:
    """Cells along a side of a row of which the cells of every layer are made; 1 where no layer is finer than rows."""
    return math.lcm(*cells) if cells else 1


def arrow_schema(meta: StoreMeta) -> pa.Schema:
    """The schema of a part, with GeoParquet 1.1 metadata; embeddings and keys cannot be null."""
    value = pa.float16() if meta.dtype == "float16" else pa.float32()
    box = pa.struct(
        [pa.field(side, pa.float64(), nullable=False) for side in ("xmin", "ymin", "xmax", "ymax")]
    )
    fields = [
        pa.field("tile_id", pa.string(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
        pa.field("col", pa.int32(), nullable=False),
        pa.field("datetime", pa.timestamp("ms", tz="UTC")),
        pa.field("valid_fraction", pa.float32(), nullable=False),
        *([pa.field("window_fraction", pa.float32(), nullable=False)] if meta.has_window_fraction else []),
        *(
            [
                pa.field(
                    CELL_FRACTION,
                    pa.list_(
                        pa.field("element", pa.float32(), nullable=False), finest_cells(meta.cells) ** 2
                    ),
                    nullable=False,
                )
            ]
            if meta.cells
            else []
        ),
        *(
            pa.field(name, pa.list_(pa.field("element", value, nullable=False), dim), nullable=False)
            for name, dim in zip(meta.columns, meta.dims, strict=True)
        ),
        pa.field("geometry", pa.binary(), nullable=False),
        pa.field("bbox", box, nullable=False),
    ]
    return pa.schema(fields)


def parse_metadata(raw: dict[bytes, bytes] | None, where: str) -> tuple[StoreMeta, list[StoredTile]]:
    """The meta and the tiles of a part.

    Raises:
        StoreError: not ours, or of another schema version.
    """
    if not raw or b"emberscope" not in raw:
        raise StoreError(
            f"{where} is no part of an embedding store: it lacks the key 'emberscope'. Extract it again."
        )
    tree = json.loads(raw[b"emberscope"])
    version = tree.get("meta", {}).get("schema_version")
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{where} is of schema {version}, and this version reads schema {SCHEMA_VERSION}. "
            f"Extract it again (its configuration is in the same metadata)."
        )
    tuples = {
        key: tuple(tree["meta"][key]) for key in ("layers", "dims", "columns", "bands", "scene_fingerprints")
    }
    tuples["cells"] = tuple(tree["meta"].get("cells", ()))
    return StoreMeta(**{**tree["meta"], **tuples}), [stored_tile(tile) for tile in tree["tiles"]]


def stored_tile(tree: dict[str, Any]) -> StoredTile:
    """A tile from its JSON form."""
    listed = ("transform", "datetimes", "scene_ids", *(["in_window"] if tree.get("in_window") else []))
    return StoredTile(**{**tree, **{key: tuple(tree[key]) for key in listed}})
