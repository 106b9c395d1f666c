"""Check of a store: every part is read, and every row compared with what it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from engine.errors import ConfigError, EngineError, StoreError
from engine.files import file_sha256
from engine.jobs.configuration.config import config_hash, load_config, parse_config
from engine.jobs.folder import CONFIG
from engine.store.footprints import footprints
from engine.store.manifest import read_manifest
from engine.store.schema import CELL_FRACTION, OF_FILES, StoredTile, StoreMeta, arrow_schema, parse_metadata
from engine.store.store import ENCODER, FINISHED, REFERENCE, UNFINISHED, EmbeddingStore

# Footprints are computed again, perhaps by another PROJ: 1e-8 degrees is about a millimetre.
_FOOTPRINT_DEG = 1e-8


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a store; `part` is a file's name, empty for the store as a whole."""

    part: str
    message: str

    def __str__(self) -> str:
        return f"{self.part}: {self.message}" if self.part else self.message


def check_store(folder: Path) -> list[Problem]:
    """All that is wrong with the store in a folder (or run folder); empty when nothing is.

    Reads everything once, one part in memory.

    Raises:
        StoreError: there is no finished store.
    """
    folder = folder / FINISHED if (folder / FINISHED).is_dir() else folder
    if (folder / REFERENCE).is_file():
        return list(_check_in_place(folder))
    paths = sorted(folder.glob("part-*.parquet"))
    if folder.name == UNFINISHED or (folder / UNFINISHED).is_dir():
        raise StoreError(f"The store at {folder} is unfinished. Resume its extraction.")
    if not paths and not list(folder.glob("_manifest.json")):
        raise StoreError(f"{folder} is no embedding store. Give the folder of one.")
    problems = [*_check_names(folder, paths)]
    metas: list[StoreMeta] = []
    seen: Counter[str] = Counter()
    for path in paths:
        try:
            meta, tiles, table = _read_part(path)
        except (OSError, ValueError, pa.ArrowException, StoreError, KeyError, TypeError) as err:
            problems.append(Problem(path.name, f"cannot be read ({' '.join(str(err).split())[:160]})"))
            continue
        metas.append(meta)
        seen.update(tile.id for tile in tiles)
        problems += [Problem(path.name, message) for message in _check_rows(meta, tiles, table)]
    twice = [tile for tile, count in seen.items() if count > 1]
    if twice:
        problems.append(Problem("", f"{len(twice)} tile(s) stand in it more than once, such as {twice[0]}"))
    return [*problems, *_check_meta(folder, metas)]


def _check_in_place(folder: Path) -> Iterator[Problem]:
    """Whether all embeddings of a file that is read in place can be read, and are finite."""
    try:
        store = EmbeddingStore.open(folder)
        for tile, values, valid in store.iterate():
            if not np.isfinite(values[valid > 0]).all():
                yield Problem(tile.id, "holds numbers that are not finite")
    except EngineError as err:
        yield Problem("", str(err))


def _check_names(folder: Path, paths: list[Path]) -> Iterator[Problem]:
    """Gaps in the numbers, and the manifest's names and checksums against the bytes."""
    expected = [f"part-{number:05d}.parquet" for number in range(len(paths))]
    if [path.name for path in paths] != expected:
        missing = sorted(set(expected) - {path.name for path in paths})
        yield Problem("", f"parts are not numbered without gaps: {', '.join(missing[:5])} missing")
    try:
        listed = {part.name: part for part in read_manifest(folder)}
    except StoreError as err:
        yield Problem("", str(err))
        return
    there = {path.name: path for path in paths}
    for name in listed.keys() - there.keys():
        yield Problem(name, f"is missing; the manifest counts {listed[name].rows} rows in it")
    for name in there.keys() - listed.keys():
        yield Problem(name, "is not in the manifest")
    for name in sorted(there.keys() & listed.keys()):
        if file_sha256(there[name]) != listed[name].sha256:
            yield Problem(name, "has changed since it was written (its sha256 is not the manifest's)")


def _read_part(path: Path) -> tuple[StoreMeta, list[StoredTile], pa.Table]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        table, told = file.read(), file.metadata.metadata
    meta, tiles = parse_metadata(told, path.name)
    return meta, tiles, table


def _check_rows(meta: StoreMeta, tiles: list[StoredTile], table: pa.Table) -> Iterator[str]:
    """What is wrong with the rows of one part."""
    if not table.schema.equals(arrow_schema(meta), check_metadata=False):
        yield f"has another schema than the store's: {', '.join(table.schema.names)}"
        return
    rows = sum(tile.rows for tile in tiles)
    if len(table) != rows:
        yield f"holds {len(table)} rows, its tiles need {rows}"
        return
    yield from _check_keys(tiles, table)
    yield from _check_values(meta, table)
    yield from _check_footprints(tiles, table)


def _check_keys(tiles: list[StoredTile], table: pa.Table) -> Iterator[str]:
    ids = np.repeat(np.array([tile.id for tile in tiles], dtype=object), [tile.rows for tile in tiles])
    row = np.concatenate([np.arange(tile.rows) // tile.w for tile in tiles])
    column = np.concatenate([np.arange(tile.rows) % tile.w for tile in tiles])
    found = [table[name].to_numpy() for name in ("tile_id", "row", "col")]
    keys = set(zip(*(values.tolist() for values in found), strict=True))
    if len(keys) < len(table):
        yield f"{len(table) - len(keys)} row(s) repeat the tile, row and column of another"
    wrong = (found[0] != ids) | (found[1] != row) | (found[2] != column)
    if wrong.any():
        yield f"{int(wrong.sum())} row(s) are not where the tile list has them, first row {int(wrong.argmax())}"


def _check_values(meta: StoreMeta, table: pa.Table) -> Iterator[str]:
    valid = table["valid_fraction"].to_numpy()
    for name in ("valid_fraction", *(["window_fraction"] if meta.has_window_fraction else [])):
        shares = table[name].to_numpy()
        if not ((shares >= 0) & (shares <= 1)).all():  # NaN fails both
            yield f"{name} is not from 0 to 1 everywhere"
    if meta.cells:
        shares = table[CELL_FRACTION].combine_chunks().flatten().to_numpy()
        if not ((shares >= 0) & (shares <= 1)).all():
            yield f"{CELL_FRACTION} is not from 0 to 1 everywhere"
    for column in meta.columns:
        flat = table[column].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        values = flat.reshape(len(table), -1)
        bad = ~np.isfinite(values).all(axis=1) & (valid > 0)
        if bad.any():
            yield f"{int(bad.sum())} valid row(s) of {column} hold numbers that are not finite"


def _check_footprints(tiles: list[StoredTile], table: pa.Table) -> Iterator[str]:
    """Outlines and boxes against the grid, computed again."""
    expected = footprints(tiles)
    outlines = shapely.get_coordinates(shapely.from_wkb(expected.wkb()))
    found = shapely.get_coordinates(shapely.from_wkb(table["geometry"].to_numpy(), on_invalid="ignore"))
    if found.shape != outlines.shape or not (np.abs(found - outlines) <= _FOOTPRINT_DEG).all():
        yield "footprints do not lie where the grid has them"
    bounds = expected.bounds
    boxes = table["bbox"].combine_chunks()
    kept = np.stack([boxes.field(side).to_numpy() for side in ("xmin", "ymin", "xmax", "ymax")], axis=1)
    if not (np.abs(kept - bounds) <= _FOOTPRINT_DEG).all():
        yield "bounding boxes do not lie where the grid has them"


def _check_meta(folder: Path, metas: list[StoreMeta]) -> Iterator[Problem]:
    """One extraction, and the configuration that it says it had."""
    if any(meta != metas[0] for meta in metas):
        yield Problem("", "parts are of several extractions")
    if not metas:
        return
    encoder = folder / ENCODER
    if encoder.is_file() and file_sha256(encoder) != metas[0].weights_sha256:
        yield Problem(ENCODER, "is not what the embeddings were made with (its sha256 is another)")
    try:
        if (
            not _is_of_files(folder, metas[0])
            and config_hash(parse_config(metas[0].config)) != metas[0].config_hash
        ):
            yield Problem("", "the configuration in it is not the one whose checksum it carries")
    except ConfigError as err:
        yield Problem("", f"the configuration in it cannot be read ({err})")
    beside = folder.parent / CONFIG
    if folder.name == FINISHED and beside.is_file():
        try:
            config = load_config(beside)
        except ConfigError as err:
            yield Problem("", f"the run's {CONFIG} cannot be read ({err})")
            return
        is_of_files = _is_of_files(folder, metas[0])
        if config.kind == "extract" and not is_of_files and config_hash(config) != metas[0].config_hash:
            yield Problem("", f"the run's {CONFIG} was changed since: its checksum is not the store's")


def _is_of_files(folder: Path, meta: StoreMeta) -> bool:
    """Whether the checksum is of the files that the embeddings were taken from, and not of a configuration."""
    return (
        meta.config_hash.startswith(OF_FILES)
        or folder.parent.name
        == f"embedding_files-{meta.config_hash[:12]}"  # taken before the word stood in it
    )
