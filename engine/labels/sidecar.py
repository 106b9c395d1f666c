"""The truth beside a store: burnt, not burnt or missing for every pixel, under the keys of the store's patches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import LabelError, StoreError
from engine.files import write_atomic
from engine.imagery.chip import read_mask
from engine.imagery.grid import Tile
from engine.imagery.rasters import open_raster
from engine.imagery.scene import Scene
from engine.jobs.config import ExtractConfig, LabelsConfig, parse_config
from engine.paths import resolve_path
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

BURNED, UNBURNED, MISSING = 1, 0, -1
_SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Labels:
    """A sidecar of one store; relabelling writes another one and never runs the encoder.

    Attributes:
        path: the Parquet file.
        source: where the truth comes from, in words.
        burned, unburned, missing: pixels of each kind; patches without a valid pixel are missing.
    """

    path: Path
    source: str
    burned: int
    unburned: int
    missing: int


def labels_for(
    store: EmbeddingStore, config: LabelsConfig, runs_root: Path, folder: Path | None = None
) -> Labels:
    """The labels that a training configuration asks for, made beside the store when they are not there yet.

    Args:
        runs_root: where the extraction keeps what it made itself, such as a simulated season.
        folder: where sidecars are kept; None: `labels` beside the store's folder.

    Raises:
        LabelError: no mask, a raster that misses the store, or values other than -1, 0 and 1.
    """
    folder = folder or store.folder.parent / "labels"
    if config.path is not None:
        return build_labels(store, None, resolve_path(config.path), folder)
    extraction = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(extraction, ExtractConfig):
        raise StoreError(
            f"an extraction's configuration was wanted, found another kind in {store.folder}. Extract it again."
        )
    return build_labels(store, extraction.scene.find(runs_root), None, folder)


def build_labels(
    store: EmbeddingStore, scenes: Sequence[Scene] | None, raster: Path | None, folder: Path
) -> Labels:
    """Read the truth of every patch and write it once; the same sources give the file that is there already.

    Args:
        scenes: the store's scenes, whose own masks are the truth; None where `raster` is.
        raster: one label raster over all tiles (1 burnt, 0 not, -1 or its nodata missing); None where `scenes` are.
        folder: gets `labels-<hash>.parquet`; the hash covers the store and the label files' sizes and times.

    Raises:
        LabelError: a scene without a mask, a raster off the store, or other values.
        StoreError: the store keeps tiles, not patches.
        DiskFull: no room for the file.
    """
    _require_patches(store)
    paths = _mask_of_tiles(store, scenes) if scenes is not None else [_existing(raster)] * len(store.tiles)
    source = "masks of the scenes" if scenes is not None else f"raster {paths[0].name}"
    key = _key(store, paths)
    path = folder / f"labels-{key[:12]}.parquet"
    if path.is_file():
        return open_labels(path)
    for distinct in sorted(set(paths)):
        _check_raster(distinct)
    values = _read_all(store, lambda tile, index: read_mask(paths[index], tile))
    if not (values != MISSING).any():
        raise LabelError(
            f"labels on the store's ground were wanted, found no labelled pixel of {source} on its {len(store.tiles)} "
            f"tile(s). Check that the raster lies where the store does."
        )
    values[store.read_valid_fraction() == 0] = MISSING
    _write(path, store, values, source, key)
    return open_labels(path)


def open_labels(path: Path) -> Labels:
    """The sidecar in a file.

    Raises:
        LabelError: absent, damaged or of another schema.
    """
    try:
        raw = (pq.read_schema(path).metadata or {}).get(b"emberscope_labels")
    except (OSError, pa.ArrowInvalid) as err:
        raise LabelError(
            f"labels were wanted, found none that can be read at {path}. Train again to build them."
        ) from err
    facts = json.loads(raw) if raw else {}
    if facts.get("schema_version") != _SCHEMA_VERSION:
        raise LabelError(
            f"labels of schema {_SCHEMA_VERSION} were wanted, found another file at {path}. Delete it and train again."
        )
    return Labels(path, facts["source"], facts["burned"], facts["unburned"], facts["missing"])


def read_labels(labels: Labels, store: EmbeddingStore) -> np.ndarray:
    """Labels of all patches.

    Returns:
        (rows, p * p) int8 in the order of the store; within a patch row-major from the north-west.

    Raises:
        LabelError: the sidecar belongs to another store.
    """
    table = pq.read_table(labels.path, columns=["tile_id", "labels"])
    ids = table["tile_id"].combine_chunks().dictionary_encode().dictionary.to_pylist()
    if table.num_rows != store.rows or ids != [tile.id for tile in store.tiles]:
        raise LabelError(
            f"labels of {store.folder} were wanted, found those of another store in {labels.path} "
            f"({table.num_rows} rows, not {store.rows}). Build them again."
        )
    flat = [chunk.flatten().to_numpy() for chunk in table["labels"].chunks]
    return np.concatenate(flat).reshape(store.rows, -1)


def to_patches(pixels: np.ndarray, patch_px: int) -> np.ndarray:
    """Pixels (h * p, w * p) as patches (h * w, p * p), both row-major from the north-west."""
    h, w = pixels.shape[0] // patch_px, pixels.shape[1] // patch_px
    return pixels.reshape(h, patch_px, w, patch_px).swapaxes(1, 2).reshape(h * w, patch_px * patch_px)


def to_pixels(patches: np.ndarray, tile: StoredTile) -> np.ndarray:
    """Patches (h * w, p * p) of a tile as its pixels (height_px, width_px): the way back of `to_patches`."""
    side = tile.width_px // tile.w
    return patches.reshape(tile.h, tile.w, side, side).swapaxes(1, 2).reshape(tile.height_px, tile.width_px)


def _require_patches(store: EmbeddingStore) -> None:
    side = store.meta.patch_px
    whole = all(tile.height_px == tile.h * side and tile.width_px == tile.w * side for tile in store.tiles)
    if store.meta.granularity != "patch" or not whole:
        raise StoreError(
            f"a store of patches was wanted, for scores per pixel; found granularity {store.meta.granularity!r} with "
            f"patches of {side} px in {store.folder}. Extract with granularity: patch."
        )


def _mask_of_tiles(store: EmbeddingStore, scenes: Sequence[Scene]) -> list[Path]:
    """One mask path a tile: that of its last scene (by date) that has one."""
    masks = {scene.id: scene.mask_path for scene in scenes}
    found = []
    for tile in store.tiles:
        here = [path for path in (masks.get(scene_id) for scene_id in tile.scene_ids) if path is not None]
        if not here:
            raise LabelError(
                f"a mask for every tile was wanted, found none with scene {', '.join(tile.scene_ids)} of tile {tile.id}. "
                f"Give a label raster (labels: source: raster, path: ...), or scenes that bring masks."
            )
        found.append(here[-1])
    return found


def _existing(raster: Path | None) -> Path:
    if raster is None or not raster.is_file():
        raise LabelError(f"a label raster was wanted, found no file at {raster}. Check labels.path.")
    return raster


def _check_raster(path: Path) -> None:
    """One band with a CRS and nothing but -1, 0, 1 and its own nodata."""
    with open_raster(path) as dataset:
        if dataset.crs is None:
            raise LabelError(
                f"a label raster with a CRS was wanted, found {path.name} without one. Assign it and try again."
            )
        allowed = {MISSING, UNBURNED, BURNED} | ({dataset.nodata} if dataset.nodata is not None else set())
        for _, window in dataset.block_windows(1):
            strange = set(np.unique(dataset.read(1, window=window)).tolist()) - allowed
            if strange:
                raise LabelError(
                    f"labels 1 (burnt), 0 (not) and -1 (missing) were wanted, found {sorted(strange)[0]:g} in {path.name}. "
                    f"Recode it, or declare the value as the raster's nodata."
                )


def _read_all(store: EmbeddingStore, read: Callable[[Tile, int], np.ndarray]) -> np.ndarray:
    side = store.meta.patch_px
    blocks = []
    for index, tile in enumerate(store.tiles):
        pixels = read(Tile(tile.id, tile.crs, tile.pixel_transform, tile.height_px, tile.width_px), index)
        blocks.append(to_patches(pixels, side))
    return np.concatenate(blocks)


def _key(store: EmbeddingStore, paths: Sequence[Path]) -> str:
    """sha256 of the store's identity and of the label files' places, sizes and times."""
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    tiles = [asdict(tile) for tile in store.tiles]
    tree = [_SCHEMA_VERSION, store.meta.config_hash, store.meta.scene_fingerprints, tiles, files]
    return hashlib.sha256(json.dumps(tree).encode()).hexdigest()


def _write(path: Path, store: EmbeddingStore, values: np.ndarray, source: str, key: str) -> None:
    counts = [tile.rows for tile in store.tiles]
    within = [np.divmod(np.arange(tile.rows, dtype=np.int32), np.int32(tile.w)) for tile in store.tiles]
    facts = {
        "schema_version": _SCHEMA_VERSION, "source": source, "key": key, "burned": int((values == BURNED).sum()),
        "unburned": int((values == UNBURNED).sum()), "missing": int((values == MISSING).sum()),
    }  # fmt: skip
    flat = pa.array(np.ascontiguousarray(values, dtype=np.int8).reshape(-1))
    table = pa.table({
        "tile_id": pa.array(np.repeat([tile.id for tile in store.tiles], counts)),
        "row": np.concatenate([row for row, _ in within]),
        "col": np.concatenate([col for _, col in within]),
        "labels": pa.FixedSizeListArray.from_arrays(flat, values.shape[1]),
    }).replace_schema_metadata({b"emberscope_labels": json.dumps(facts).encode()})  # fmt: skip
    write_atomic(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
