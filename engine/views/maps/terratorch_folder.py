"""A store's embeddings as TerraTorch leaves them: a folder a layer, a GeoTIFF a tile, and a summary of how they were made.

Names and keys: terratorch/tasks/embedding_generation.py (release 1.2). Beyond what TerraTorch writes, each file has its CRS
and its gaps, and the summary says under `emberscope` which weights, bands and scenes went in.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from engine.errors import BadInput, StoreError
from engine.files import make_folder, write_errors
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

SUMMARY = "configuration_summary.json"
OWN_KEY = "emberscope"
# What a store says of itself that a decoder is compared by.
OWN_FIELDS = (
    "weights_sha256", "bands", "sensor", "level", "is_simulated", "source", "config", "pooling",
)  # fmt: skip
# GeoTIFF counts bands in 16 bits (TIFF 6.0, SamplesPerPixel).
_MAX_BANDS = 65_535


def write_folder(store: EmbeddingStore, layers: Sequence[int], out: Path) -> tuple[Path, ...]:
    """Write `layer_NN/<tile>_embedding.tif` for each layer, and configuration_summary.json; all at once or not at all.

    Patches without a valid pixel are NaN.

    Returns:
        The folders of the layers, and the summary.

    Raises:
        BadInput: `out` holds something already.
        StoreError: more dimensions than a GeoTIFF has bands.
        DiskFull: no room.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} already holds something. Choose another --out.")
    widest = max(_dim(store.at_own_patches(layer), layer) for layer in layers)
    if widest > _MAX_BANDS:
        raise StoreError(
            f"The embeddings have {widest:,} dimensions, and a GeoTIFF holds {_MAX_BANDS:,} bands. Export as npz."
        )
    make_folder(out.parent)
    with write_errors(out):
        held = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            for number, layer in enumerate(layers):
                _write_layer(store.at_own_patches(layer), layer, held / _folder(number))
            (held / SUMMARY).write_text(json.dumps(summary(store, layers, out), indent=2), encoding="utf-8")
            held.chmod(0o755)
            if out.is_dir():
                out.rmdir()
            held.rename(out)
        finally:
            shutil.rmtree(held, ignore_errors=True)
    return (*(out / _folder(number) for number in range(len(layers))), out / SUMMARY)


def summary(store: EmbeddingStore, layers: Sequence[int], out: Path) -> dict[str, Any]:
    """What TerraTorch's summary says, as far as a store knows it, and what decoders are compared by."""
    meta, own = store.meta, [store.at_own_patches(layer) for layer in layers]
    told = asdict(meta)
    return {
        "created_utc": datetime.now(UTC).isoformat(),
        "output_dir": str(out.absolute()),
        "output_format": "tiff",
        "backbone": meta.backbone,
        "backbone_total_params_million": None,
        "has_cls": False,
        "embedding_pooling": meta.pooling,
        "model_layer_count": None,
        "n_layers_saved": len(layers),
        "layers": [
            {
                "output_folder_name": _folder(number),
                "requested_index": layer,
                "layer_number": layer + 1,
                "layer_output_shape": [_dim(seen, layer), seen.tiles[0].h, seen.tiles[0].w],
            }
            for number, (layer, seen) in enumerate(zip(layers, own, strict=True))
        ],
        OWN_KEY: {key: told[key] for key in OWN_FIELDS},
    }


def _write_layer(store: EmbeddingStore, layer: int, folder: Path) -> None:
    folder.mkdir()
    for tile, values, valid in store.iterate(layer):
        bands = np.moveaxis(np.where(valid[..., None] > 0, values, np.nan), -1, 0)  # (D, h, w)
        _write_tile(folder / f"{tile.id}_embedding.tif", tile, bands.astype(np.float32))


def _write_tile(path: Path, tile: StoredTile, bands: np.ndarray) -> None:
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": len(bands), "height": tile.h, "width": tile.w, "crs": tile.crs,
        "transform": tile.patch_transform, "nodata": float("nan"),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(bands)
        out.update_tags(file_id=tile.id, **({"time": tile.datetimes[-1]} if tile.datetimes[-1] else {}))


def _folder(number: int) -> str:
    return f"layer_{number:02d}"


def _dim(store: EmbeddingStore, layer: int) -> int:
    return store.meta.dims[store.meta.layers.index(layer)]
