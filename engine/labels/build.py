"""Labels of a store, read from the masks of its scenes or from one raster, and written beside the store once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engine.errors import LabelError, StoreError
from engine.imagery.scene import Scene
from engine.jobs.configuration.config import ExtractConfig, LabelsConfig, parse_config
from engine.labels.label_files import label_files_of
from engine.labels.label_names import named_labels
from engine.labels.label_raster import check_label_raster, grid_note, nodata_note, read_label_raster
from engine.labels.reading import BURNED_OR_NOT, LabelReading
from engine.labels.sidecar import SCHEMA_VERSION, Labels, open_labels, write_labels
from engine.paths import resolve_path
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

PixelsWithData = Callable[[StoredTile], np.ndarray | None]
"""(height_px, width_px) bool of the pixels of a tile that have data, or None where whole patches tell it."""
# Counts up when the same files are read otherwise: sidecars of earlier versions are not taken for those of today.
_READING = 2
# The labels that scenes bring unless others are named.


def labels_for(
    store: EmbeddingStore,
    config: LabelsConfig,
    root: Path,
    reading: LabelReading = BURNED_OR_NOT,
    pixels_with_data: PixelsWithData | None = None,
) -> Labels:
    """The labels that a training configuration asks for, made beside the store when they are not there yet.

    Args:
        root: where the extraction keeps what it made itself, such as a simulated season.
        pixels_with_data: those without data get no label; None: patches without any valid pixel get none.

    Raises:
        LabelError: no labels of that name, a raster that misses the store, or values that are no labels.
    """
    folder = store.folder.parent / "labels"
    if config.path is not None:
        return build_labels(store, None, resolve_path(config.path), folder, reading, pixels_with_data)
    if config.folders:
        paths = label_files_of(store.tiles, [resolve_path(one) for one in config.folders], config.pattern)
        return build_labels(store, None, None, folder, reading, pixels_with_data, paths)
    scenes = named_labels(_scenes_of(store, root), config.name)
    return build_labels(store, scenes, None, folder, reading, pixels_with_data)


def label_paths(store: EmbeddingStore, config: LabelsConfig, root: Path) -> tuple[list[Path | None], str]:
    """The label raster of each tile, None where another date has it, and where they come from, in words.

    Args:
        root: where the extraction keeps what it made itself.

    Raises:
        LabelError: there are none of that name.
    """
    if config.path is not None:
        return _paths(store.tiles, None, resolve_path(config.path), None)
    if config.folders:
        folders = [resolve_path(one) for one in config.folders]
        return _paths(store.tiles, None, None, label_files_of(store.tiles, folders, config.pattern))
    return _paths(store.tiles, named_labels(_scenes_of(store, root), config.name), None, None)


def label_steps(store: EmbeddingStore, config: LabelsConfig, root: Path) -> Iterator[str]:
    """Make labels that the source of a store makes itself, where they are asked for; yields each step in words.

    Raises:
        LabelError: they cannot be made.
    """
    if config.path is None and config.name is not None:
        yield from _extraction_of(store).scene.prepare_labels(root, config.name)


def _scenes_of(store: EmbeddingStore, root: Path) -> tuple[Scene, ...]:
    extraction = _extraction_of(store)
    skips = extraction.tiles.unreadable == "skip"
    return extraction.scene.find_readable(root)[0] if skips else extraction.scene.find(root)


def _extraction_of(store: EmbeddingStore) -> ExtractConfig:
    extraction = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(extraction, ExtractConfig):
        raise StoreError(
            f"{store.folder} holds the configuration of another kind of job than an extraction. Extract it again."
        )
    return extraction


def build_labels(
    store: EmbeddingStore,
    scenes: Sequence[Scene] | None,
    raster: Path | None,
    folder: Path,
    reading: LabelReading = BURNED_OR_NOT,
    pixels_with_data: PixelsWithData | None = None,
    beside: Sequence[Path] | None = None,
) -> Labels:
    """Read the label of every pixel and write them once; the same sources give the file that is there already.

    Args:
        scenes: the store's scenes, whose own masks are the labels; None where `raster` is.
        raster: one label raster over all tiles; None where `scenes` are.
        beside: the label raster of each tile, instead of both.
        folder: gets `labels-<hash>.parquet`; the hash covers the store and the label files' sizes and times.

    Raises:
        LabelError: a scene without a mask, a raster off the store, or values that are no labels.
        StoreError: the store keeps tiles, not patches.
        DiskFull: no room for the file.
    """
    _require_rows(store, reading)
    paths, source = _paths(store.tiles, scenes, raster, beside)
    files = sorted({path for path in paths if path is not None})
    key = _key(store, paths, reading, pixels_with_data is not None)
    path = folder / f"labels-{key[:12]}.parquet"
    names = tuple(str(one.resolve()) for one in files)
    if path.is_file():
        return dataclasses.replace(open_labels(path), files=names)
    for one in files:
        check_label_raster(one, reading)
    values = _read_all(store, paths, reading, pixels_with_data)
    if not reading.is_known(values).any():
        raise LabelError(
            f"The {len(store.tiles)} tile(s) of the store have no labelled pixel (labels: {source}). Check that the labels "
            f"lie where the store does."
        )
    values[store.read_valid_fraction() == 0] = reading.missing_label
    facts = Labels(
        path,
        source,
        reading.counts_of(values),
        int((~reading.is_known(values)).sum()),
        tuple(_notes(store.tiles, paths, reading)),
    )
    write_labels(facts, store, values, key)
    return dataclasses.replace(open_labels(path), files=names)


def _paths(
    tiles: Sequence[StoredTile],
    scenes: Sequence[Scene] | None,
    raster: Path | None,
    beside: Sequence[Path] | None,
) -> tuple[list[Path | None], str]:
    """The label raster of each tile, and where they come from, in words."""
    if beside is not None:
        return list(beside), "label rasters named like the chips"
    if scenes is not None:
        return masks_of_tiles(tiles, scenes), "masks of the scenes"
    return _raster_of_tiles(tiles, raster), f"raster {raster.name if raster is not None else ''}"


def masks_of_tiles(tiles: Sequence[StoredTile], scenes: Sequence[Scene]) -> list[Path | None]:
    """One mask path a tile: that of its last scene (by date) that has one.

    Where dates are kept apart, a date without a mask of its own has no labels (None), if another date of its ground
    has some.

    Raises:
        LabelError: a tile's ground has no mask at all.
    """
    masks: dict[str, dict[str | None, Path | None]] = {}
    for scene in scenes:
        masks.setdefault(scene.id, {})[_moment(scene)] = scene.mask_path
    found = []
    for tile in tiles:
        # scenes that filled gaps are named after those of the dates
        dates = (*tile.datetimes, *(None for _ in tile.scene_ids[len(tile.datetimes) :]))
        here = [_mask(masks.get(name, {}), date) for name, date in zip(tile.scene_ids, dates, strict=True)]
        found.append(next((path for path in reversed(here) if path is not None), None))
    labelled = {_ground(tile) for tile, path in zip(tiles, found, strict=True) if path is not None}
    for tile, path in zip(tiles, found, strict=True):
        if path is None and _ground(tile) not in labelled:
            raise LabelError(
                f"Tile {tile.id} has no mask: none of its scenes ({', '.join(tile.scene_ids)}) brings one. "
                f"Give scenes that bring masks, folders of masks (labels: source: files), or one label raster (labels: source: raster)."
            )
    return _of_last_date(tiles, found)


def _mask(masks: Mapping[str | None, Path | None], date: str | None) -> Path | None:
    """The mask of a scene, of that date where there are several of one name."""
    return next(iter(masks.values())) if len(masks) == 1 else masks.get(date)


def _raster_of_tiles(tiles: Sequence[StoredTile], raster: Path | None) -> list[Path | None]:
    if raster is None or not raster.is_file():
        raise LabelError(f"There is no label raster: no file at {raster}. Check labels.path.")
    return _of_last_date(tiles, [raster] * len(tiles))


def _of_last_date(tiles: Sequence[StoredTile], paths: Sequence[Path | None]) -> list[Path | None]:
    """Of tiles on the same ground the last by date keeps a raster that they share: it shows one state of the ground."""
    last: dict[tuple[object, ...], int] = {}
    for index, (tile, path) in enumerate(zip(tiles, paths, strict=True)):
        before = last.get((_ground(tile), path))
        if before is None or _last_date(tile) >= _last_date(tiles[before]):
            last[_ground(tile), path] = index
    chosen = set(last.values())
    return [path if index in chosen else None for index, path in enumerate(paths)]


def _notes(tiles: Sequence[StoredTile], paths: Sequence[Path | None], reading: LabelReading) -> list[str]:
    """What a person should know of how labels were read, each kind once."""
    notes: dict[str, list[str]] = {}
    for path in dict.fromkeys(path for path in paths if path is not None):
        own = [tile for tile, other in zip(tiles, paths, strict=True) if other == path]
        for kind, note in (("grid", grid_note(path, own)), ("nodata", nodata_note(path, reading))):
            if note:
                notes.setdefault(kind, []).append(note)
    told = [
        first + (f" So it is with {len(more)} more label raster(s)." if more else "")
        for first, *more in notes.values()
    ]
    if None in paths:
        told.append(
            f"{paths.count(None)} tile(s) of earlier dates have no labels: labels tell of the last date."
        )
    return told


def _read_all(
    store: EmbeddingStore,
    paths: Sequence[Path | None],
    reading: LabelReading,
    pixels_with_data: PixelsWithData | None,
) -> np.ndarray:
    blocks = []
    for tile, path in zip(store.tiles, paths, strict=True):
        pixels = np.full((tile.height_px, tile.width_px), reading.missing_label, reading.dtype)
        if path is not None:
            pixels = read_label_raster(path, tile, reading)
            has_data = pixels_with_data(tile) if pixels_with_data is not None else None
            if has_data is not None:
                pixels[~has_data] = reading.missing_label
        blocks.append(reading.rows_of(pixels, store.meta.patch_px))
    return np.concatenate(blocks)


def _require_rows(store: EmbeddingStore, reading: LabelReading) -> None:
    """Check that the store's rows are what labels belong to: whole patches, or tiles."""
    side = store.meta.patch_px
    complete = all(tile.height_px == tile.h * side and tile.width_px == tile.w * side for tile in store.tiles)
    if store.meta.granularity == reading.granularity and (complete or reading.granularity == "tile"):
        return
    raise StoreError(
        f"{store.folder} keeps one row a {store.meta.granularity}, and labels of {reading.granularity}s need "
        f"{reading.granularity}s. Extract with granularity: {reading.granularity}."
    )


def _key(store: EmbeddingStore, paths: Sequence[Path | None], reading: LabelReading, sees_gaps: bool) -> str:
    """sha256 of the store's identity, of the label files' paths, sizes and times, and of how they are read."""
    files = [
        None if path is None else (str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns)
        for path in paths
    ]
    tiles = [asdict(tile) for tile in store.tiles]
    how = [_READING, reading.values, reading.missing, sees_gaps, *reading.identity]
    tree = [SCHEMA_VERSION, store.meta.config_hash, store.meta.scene_fingerprints, tiles, files, how]
    return hashlib.sha256(json.dumps(tree).encode()).hexdigest()


def _ground(tile: StoredTile) -> tuple[object, ...]:
    return tile.crs, tile.transform, tile.height_px, tile.width_px


def _last_date(tile: StoredTile) -> str:
    return max((date or "" for date in tile.datetimes), default="")


def _moment(scene: Scene) -> str | None:
    return scene.datetime.isoformat() if scene.datetime else None
