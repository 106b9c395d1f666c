"""Embeddings of others taken into a store, so that everything that works on a store works on them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from engine.errors import BadInput
from engine.files import make_folder
from engine.imagery.region import Region
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    OutputConfig,
    RegionConfig,
    config_hash,
)
from engine.jobs.event_log import append_event
from engine.jobs.events import ExtractDone, Finished
from engine.jobs.folder import create
from engine.store.products.own_exports.npz import taken_npz
from engine.store.products.own_exports.stac import is_own_stac, taken_stac
from engine.store.products.own_exports.table import is_own, taken_own_table
from engine.store.products.own_exports.zarr_store import is_own_zarr, taken_zarr
from engine.store.products.raster_tiles import RASTER_ENDINGS, taken_raster
from engine.store.products.table import taken_table
from engine.store.products.taken import Taken, Tell
from engine.store.products.terratorch.folder import is_terratorch, taken_folder
from engine.store.products.understood import Understood
from engine.store.schema import SCHEMA_VERSION, StoreMeta, TileRows, column_names
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter

# More rows than these make a store that takes hours and tens of gigabytes: a whole AlphaEarth file has 67 million.
_MOST_ROWS = 16_000_000


def _taken_parquet(path: Path, region: Region | None) -> AbstractContextManager[Taken]:
    """A table with the facts of a store, or any other."""
    return taken_own_table(path, region) if is_own(path) else taken_table(path, region)


_FORMS: dict[str, Callable[[Path, Region | None], AbstractContextManager[Taken]]] = {
    **dict.fromkeys(RASTER_ENDINGS, taken_raster),
    **dict.fromkeys((".parquet", ".geoparquet", ".pq"), _taken_parquet),
    ".npz": taken_npz,
}


# Folders that Emberscope exported.
_OWN_FOLDERS = ((is_own_zarr, taken_zarr), (is_own_stac, taken_stac))


def understand(
    path: Path, region: Region | None = None, model: str | None = None, images: Path | None = None
) -> Understood:
    """What a file of embeddings is taken for; nothing is written.

    Args:
        model: the encoder's name, where the file does not tell it.
        images: folder with the images of chips, where a folder of embeddings does not say where they lie.

    Raises:
        BadInput: the file or its numbers cannot be used.
    """
    with _opened(path, region, images) as found:
        return _with_model(found.understood, model)


def import_embeddings(
    path: Path,
    out: Path,
    region: Region | None = None,
    model: str | None = None,
    tell: Tell = lambda _: None,
    images: Path | None = None,
) -> tuple[Understood, EmbeddingStore]:
    """Make the run folder `out` with a store of the embeddings in a file.

    Args:
        model: the encoder's name, where the file does not tell it.
        tell: hears what was understood, before anything is written, and how far the work is.
        images: as `understand`.

    Raises:
        BadInput: the file or its numbers cannot be used, or `out` holds something; nothing is written then.
        DiskFull: no room; what was written is removed.
    """
    _require_free(out)
    with _opened(path, region, images) as found:
        told = _with_model(found.understood, model)
        for line in told.in_lines():
            tell(line)
        _require_size(told)
        config = _config(path, found, told, region)
        return told, _written(out, config, _meta(found, told, config, path), found.tiles(tell))


def _opened(path: Path, region: Region | None, images: Path | None) -> AbstractContextManager[Taken]:
    """A file by the ending of its name, a folder by what it holds.

    Raises:
        BadInput: it is not there, or of no form that is read.
    """
    if path.is_dir() and is_terratorch(path):
        return taken_folder(path, region, images)
    for is_of_form, take in _OWN_FOLDERS:
        if path.is_dir() and is_of_form(path):
            return take(path, region)
    open_file = _FORMS.get(path.suffix.lower())
    if open_file is None:
        raise BadInput(
            f"{path} is no file of embeddings that is read here: {', '.join(_FORMS)}. Convert it to one of these."
        )
    if not path.is_file():
        raise BadInput(f"{path} is not there. Check the path.")
    return open_file(path, region)


def _require_size(told: Understood) -> None:
    """Check that a store of all rows is of a size that can be used.

    Raises:
        BadInput: it is too large.
    """
    if told.rows > _MOST_ROWS:
        raise BadInput(
            f"{told.path} has {told.rows:,} embeddings there, and a store is made of at most {_MOST_ROWS:,}. Choose a part "
            f"with --region."
        )


def _require_free(out: Path) -> None:
    """Check that nothing lies where the run folder is to be.

    Raises:
        BadInput: something does.
    """
    make_folder(out.parent)
    if out.is_file():
        raise BadInput(f"{out} is a file, and a folder is to be made there. Choose another --out.")
    if out.is_dir() and any(out.iterdir()):
        raise BadInput(f"{out} already holds files. Choose another --out.")


def _with_model(found: Understood, model: str | None) -> Understood:
    if model is None:
        return found
    if found.licence or found.model != "unknown":
        raise BadInput(
            f"{found.path} is of the model {found.model}, and --model says {model}. Leave --model out."
        )
    return replace(found, model=model, notes=tuple(note for note in found.notes if "--model" not in note))


def _config(path: Path, found: Taken, told: Understood, region: Region | None) -> ExtractConfig:
    """The configuration that stands for the import: its file as the scene, its model as the backbone."""
    return ExtractConfig(
        scene=PublishedEmbeddings(source="embeddings", path=str(path.resolve())),
        backbone=BackboneConfig(name=told.model, layers=found.own.get("layers", (0,))),
        region=None if region is None else RegionConfig(bounds_lonlat=region.bounds_lonlat),
        granularity=found.granularity,
        pooling=(found.own.get("pooling") or "mean") if found.granularity == "tile" else None,
        output=OutputConfig(dtype=told.dtype),
        device="cpu",
    )


def _meta(found: Taken, told: Understood, config: ExtractConfig, path: Path) -> StoreMeta:
    state = path.stat()
    credit = told.attribution or path.name
    meta = StoreMeta(
        schema_version=SCHEMA_VERSION, backbone=told.model, weights_sha256="", layers=(0,), dims=(told.dim,),
        columns=column_names((0,)), granularity=found.granularity, pooling=config.pooling, patch_px=found.patch_px, gsd_m=told.gsd_m,
        dtype=config.output.dtype, bands=(), is_simulated=False,
        source=f"{credit} ({told.licence})" if told.licence else credit,
        config_hash=config_hash(config), config=config.model_dump(mode="json"),
        scene_fingerprints=(f"{path.name}:{state.st_size}:{state.st_mtime_ns}",), has_window_fraction=True,
        licence=told.licence, attribution=told.attribution,
    )  # fmt: skip
    return replace(meta, **{name: value for name, value in found.own.items() if name != "pooling"})


def _written(out: Path, config: ExtractConfig, meta: StoreMeta, rows: Iterator[TileRows]) -> EmbeddingStore:
    """Write the store and record it as a finished extraction; removed again when it could not be finished."""
    started, was_there = time.monotonic(), out.is_dir()
    writer: StoreWriter | None = None
    try:
        create(out, config)
        writer = StoreWriter(out, meta)
        for tile in rows:
            writer.append(tile)
        store = EmbeddingStore.open(writer.finish())
        done = ExtractDone(
            len(store.tiles),
            store.rows,
            meta.dims[0],
            round(time.monotonic() - started, 3),
            str(store.folder),
        )
        append_event(out, done)
        append_event(
            out,
            Finished({key: getattr(done, key) for key in ("tiles", "patches", "dim", "seconds", "store")}),
        )
        return store
    except BaseException:
        if writer is not None:
            writer.close()
            writer = None
        shutil.rmtree(out, ignore_errors=True)
        if was_there:
            out.mkdir(exist_ok=True)
        raise
    finally:
        if writer is not None:
            writer.close()
