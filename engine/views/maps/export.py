"""A store's embeddings for other programs: Cloud-Optimised GeoTIFFs, a numpy archive, or a folder as TerraTorch leaves it."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from pyproj import CRS

from engine.errors import StoreError
from engine.files import write_atomic
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.maps.overlay import store_tags, write_mosaic
from engine.views.maps.terratorch_folder import write_folder

FORMATS = ("geotiff", "npz", "terratorch")
# GeoTIFF counts bands in 16 bits (TIFF 6.0, SamplesPerPixel).
_MAX_BANDS = 65_535


def export(store: EmbeddingStore, layer: int | None, out: Path, format: str = "geotiff") -> tuple[Path, ...]:
    """Write the embeddings of a layer at its own resolution, each file atomically.

    geotiff: one float32 band a dimension (GDAL before 3.11 has no float16), NaN where there is no valid
    pixel. A store of several CRSs becomes a map in each, named with its code (`out_epsg32618.tif`); where tiles
    share their ground, as those of several dates do, each time becomes a map (`out_date1.tif`): nothing is
    resampled between zones, and no embedding hides another. npz: `embeddings` (patches, D) in the store's dtype,
    `valid_fraction`, `tile_id`, `row`, `col` (patches,), and `store`, a JSON text with the store's facts and tiles.
    terratorch: a folder with a GeoTIFF a tile, for the layer or for all of them where none is named.

    Returns:
        The files written.

    Raises:
        StoreError: an unknown format, no such layer, or a map over the size limit.
        DiskFull: no room.
    """
    number = store.meta.layers[store.meta.columns.index(store.column(layer))]
    own = store.at_own_patches(number)
    match format:
        case "geotiff":
            return _export_geotiff(own, number, out)
        case "npz":
            return (_export_npz(own, number, out),)
        case "terratorch":
            return write_folder(store, store.meta.layers if layer is None else (number,), out)
        case _:
            raise StoreError(
                f"The format {format!r} is not known. Choose {', '.join(FORMATS[:-1])} or {FORMATS[-1]}."
            )


def _export_geotiff(store: EmbeddingStore, layer: int, out: Path) -> tuple[Path, ...]:
    dim = _dim(store, layer)
    if dim > _MAX_BANDS:
        raise StoreError(
            f"The embeddings have {dim:,} dimensions, and a GeoTIFF holds {_MAX_BANDS:,} bands. Export as npz."
        )
    names = [f"{store.meta.backbone} layer {layer} dim {index}" for index in range(dim)]
    return tuple(
        write_mosaic(
            out.with_stem(out.stem + suffix),
            _masked(store, layer, tile_ids),
            level="patch",
            nodata=float("nan"),
            dtype="float32",
            tags=store_tags(store, layer),
            band_names=names,
        )
        for suffix, tile_ids in _maps(store.tiles).items()
    )


def _maps(tiles: Sequence[StoredTile]) -> dict[str, set[str]]:
    """The tiles of each map by what its name ends in: of one CRS, and each ground once."""
    zones = list(dict.fromkeys(tile.crs for tile in tiles))
    codes = [CRS.from_user_input(crs).to_epsg() for crs in zones]
    names = [f"_epsg{code}" if code else f"_crs{index + 1}" for index, code in enumerate(codes)]
    times: Counter[tuple[object, ...]] = Counter()
    maps: dict[tuple[str, int], set[str]] = {}
    for tile in tiles:
        ground = (tile.crs, tile.transform, tile.height_px, tile.width_px)
        times[ground] += 1
        maps.setdefault((names[zones.index(tile.crs)], times[ground]), set()).add(tile.id)
    is_repeated = max(times.values()) > 1
    return {
        (zone if len(zones) > 1 else "") + (f"_date{time}" if is_repeated else ""): ids
        for (zone, time), ids in maps.items()
    }


def _masked(store: EmbeddingStore, layer: int, tile_ids: set[str]) -> Iterator[tuple[StoredTile, np.ndarray]]:
    for tile, values, valid in store.iterate(layer):
        if tile.id not in tile_ids:
            continue
        bands = np.moveaxis(values, -1, 0).astype(np.float32)  # (D, h, w)
        yield tile, np.where(valid > 0, bands, np.float32("nan"))


def _export_npz(store: EmbeddingStore, layer: int, out: Path) -> Path:
    """Written part by part: an npz is a zip of npy files."""
    facts = {"meta": asdict(store.meta), "layer": layer, "tiles": [asdict(tile) for tile in store.tiles]}
    small = {
        "valid_fraction": store.read_valid_fraction(),
        "tile_id": np.repeat([tile.id for tile in store.tiles], [tile.rows for tile in store.tiles]),
        "row": np.concatenate([np.arange(tile.rows, dtype=np.int32) // tile.w for tile in store.tiles]),
        "col": np.concatenate([np.arange(tile.rows, dtype=np.int32) % tile.w for tile in store.tiles]),
        "store": np.array(json.dumps(facts)),
    }

    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            with archive.open("embeddings.npy", "w", force_zip64=True) as entry:
                _write_embeddings(entry, store, layer)
            for name, values in small.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, values, allow_pickle=False)

    write_atomic(out, write)
    return out


def _write_embeddings(entry: IO[bytes], store: EmbeddingStore, layer: int) -> None:
    header: dict[str, Any] = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(store.meta.dtype)),
        "fortran_order": False,
        "shape": (store.rows, _dim(store, layer)),
    }
    np.lib.format.write_array_header_1_0(entry, header)
    for _, values, _ in store.iterate(layer):
        entry.write(np.ascontiguousarray(values).tobytes())


def _dim(store: EmbeddingStore, layer: int) -> int:
    return store.meta.dims[store.meta.layers.index(layer)]
