"""A store's embeddings as TerraTorch leaves them: a folder a layer, a GeoTIFF a tile, and a summary of how they were made.

Names and keys: terratorch/tasks/embedding_generation.py (release 1.2). Beyond what TerraTorch writes, each file has its CRS
and its gaps, and the summary says under `emberscope` which weights, bands and scenes went in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from engine.store.products.terratorch.summary import OWN_FIELDS, OWN_KEY, SUMMARY
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.export.asked import Export, Made, dim_of, notice_of
from engine.views.export.geotiff import require_bands

# What lets `import` make the same store again, besides.
_OWN_BESIDES = ("granularity", "patch_px", "gsd_m", "licence", "attribution")


def write_folder(asked: Export) -> Made:
    """Write `layer_NN/<tile>_embedding.tif` for each layer, and configuration_summary.json.

    Patches without a valid pixel are NaN.

    Raises:
        StoreError: more dimensions than a GeoTIFF has bands.
    """
    own = [asked.of_layer(layer) for layer in asked.layers]
    require_bands(max(one.dim for one in own))
    asked.out.mkdir()
    for number, one in enumerate(own):
        _write_layer(one, asked.out / _folder(number))
    told = summary(asked.store, asked.layers, asked.name)
    (asked.out / SUMMARY).write_text(json.dumps(told, indent=2), encoding="utf-8")
    return Made((*(asked.out / _folder(number) for number in range(len(asked.layers))), asked.out / SUMMARY))


def summary(store: EmbeddingStore, layers: Sequence[int], out: str) -> dict[str, Any]:
    """What TerraTorch's summary says, as far as a store knows it, and what decoders are compared by."""
    meta, own = store.meta, [store.at_own_patches(layer) for layer in layers]
    told = asdict(meta)
    return {
        "created_utc": datetime.now(UTC).isoformat(),
        "output_dir": out,
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
                "layer_output_shape": [dim_of(seen, layer), seen.tiles[0].h, seen.tiles[0].w],
            }
            for number, (layer, seen) in enumerate(zip(layers, own, strict=True))
        ],
        OWN_KEY: {key: told[key] for key in (*OWN_FIELDS, *_OWN_BESIDES)} | {"notice": notice_of(meta)},
    }


def _write_layer(asked: Export, folder: Path) -> None:
    folder.mkdir()
    for tile, values, _ in asked.tiles(f"Writing layer {asked.layer}"):
        _write_tile(folder / f"{tile.id}_embedding.tif", tile, np.moveaxis(values, -1, 0))


def _write_tile(path: Path, tile: StoredTile, bands: np.ndarray) -> None:
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": len(bands), "height": tile.h, "width": tile.w, "crs": tile.crs,
        "transform": tile.patch_transform, "nodata": float("nan"),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(bands)
        stated = {"time": tile.datetimes[-1]} if tile.datetimes[-1] else {}
        out.update_tags(file_id=tile.id, EMBERSCOPE_TILE=json.dumps(asdict(tile)), **stated)


def _folder(number: int) -> str:
    return f"layer_{number:02d}"
