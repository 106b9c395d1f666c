"""The job that fetches a region and a year of published embeddings into the store of a run folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import ConfigError, StoreError
from engine.files import read_json, write_atomic
from engine.imagery.remote.fetching import cached
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, RegionConfig
from engine.jobs.configuration.region import region_of
from engine.jobs.events import Event, ExtractPlanned, MeasureStep, Noticed, StepStarted
from engine.store.catalogues.bringing import brought
from engine.store.catalogues.offer import Offer, host_of, offer_of
from engine.store.catalogues.opening import opened_offer
from engine.store.catalogues.table import catalogue
from engine.store.importing.job import copied, done, import_job
from engine.store.importing.settled import stated_meta
from engine.store.products.taken import Taken
from engine.store.products.understood import UNKNOWN

# Where a run folder keeps the addresses of what was fetched, and when.
SOURCES = "sources.json"


def catalogue_config(offer: Offer, region: RegionConfig) -> ExtractConfig:
    """The configuration that stands for fetching an offer."""
    is_pixels = offer.is_pixels
    return ExtractConfig(
        scene=PublishedEmbeddings(source="embeddings", catalogue=offer.catalogue.name, year=offer.year),
        backbone=BackboneConfig(name=offer.product.model, layers=(0,)), region=region,
        granularity="patch" if is_pixels else "tile", pooling=None if is_pixels else "mean", device="cpu",
    )  # fmt: skip


def embeddings_job(config: ExtractConfig, folder: Path) -> Iterator[Event]:
    """Take embeddings of others into the store of a run folder: from a file of this machine, or from a catalogue.

    Raises:
        As `import_job` and `catalogue_job`.
    """
    is_file = isinstance(config.scene, PublishedEmbeddings) and config.scene.path is not None
    return import_job(config, folder) if is_file else catalogue_job(config, folder)


def catalogue_job(config: ExtractConfig, folder: Path) -> Iterator[Event]:
    """Fetch what a catalogue has of the configuration's region and year; an unfinished store is continued.

    Yields:
        Steps, what is to be known, MeasureStep a batch of bytes, then the events of an import.

    Raises:
        ConfigError: the configuration names no region, or another model than the catalogue has.
        RemoteError: something cannot be had; what came is kept, and a resume goes on from there.
        EngineError: as `offer_of` and `opened_offer`.
    """
    scene = config.scene
    assert isinstance(scene, PublishedEmbeddings)
    assert scene.catalogue is not None
    region = region_of(config.region)
    if region is None:
        raise ConfigError(
            "A catalogue is asked for a region, and the configuration has none. Set region.bounds_lonlat."
        )
    known = catalogue(scene.catalogue)
    yield StepStarted(f"Asking {known.title}")
    offer = offer_of(known, region, scene.year)
    yield from (Noticed(note) for note in offer.notes)
    yield from _bring(offer)
    yield StepStarted("Looking at what came")
    accessed = _sources(folder, offer)
    with opened_offer(offer) as found:
        yield from _taken(found, offer, config, folder, accessed)


def _bring(offer: Offer) -> Iterator[Event]:
    total = max(1, round(offer.to_fetch / 1e6))
    yield StepStarted(f"Fetching {offer.to_fetch / 1e6:,.1f} MB of {len(offer.placed)} file(s)")
    for size in brought(offer):
        yield MeasureStep("Megabytes", min(round(size / 1e6), total), total)


def _taken(found: Taken, offer: Offer, config: ExtractConfig, folder: Path, accessed: str) -> Iterator[Event]:
    told, began = found.understood, time.monotonic()
    if config.backbone.name not in (told.model, UNKNOWN) and told.model != UNKNOWN:
        raise ConfigError(
            f"{offer.catalogue.title} has embeddings of the model {told.model}, and the configuration says {config.backbone.name}. "
            f"Set backbone.name to {told.model}."
        )
    if config.granularity != found.granularity:
        raise ConfigError(
            f"{offer.catalogue.title} has {'an embedding a footprint' if found.granularity == 'tile' else 'an embedding a pixel'}. "
            f"Set granularity: {found.granularity}{' and pooling: mean' if found.granularity == 'tile' else ''}."
        )
    yield from (Noticed(note) for note in told.notes if note not in offer.notes)
    stamps = tuple(f"{one['address']} {one['bytes']} {one['etag']}" for one in _files(offer))
    origin = f"fetched from {host_of(offer.catalogue)} on {accessed}"
    meta = stated_meta(found, told, config, offer.catalogue.title, stamps, origin)
    yield ExtractPlanned(found.most_tiles, told.rows, 0, told.model, "", "cpu")
    final = yield from copied(found, meta, folder, began)
    yield done(final, began)


def _sources(folder: Path, offer: Offer) -> str:
    """Keep the addresses of what is fetched and the day; the day of the first try where there was one.

    Raises:
        StoreError: an earlier try has fetched other files.
    """
    path, files = folder / SOURCES, _files(offer)
    try:
        held = read_json(path)
        if held["files"] != files:
            raise StoreError(
                f"{folder} was begun with other files than the catalogue has now. Start a new run."
            )
        return str(held["accessed"])
    except (OSError, ValueError, KeyError, TypeError):
        accessed = datetime.now(UTC).date().isoformat()
    tree = {
        "catalogue": offer.catalogue.name, "title": offer.catalogue.title, "address": offer.catalogue.address, "accessed": accessed,
        "year": offer.year, "licence": offer.product.licence, "attribution": offer.product.attribution, "files": files,
    }  # fmt: skip
    write_atomic(path, lambda temporary: temporary.write_text(json.dumps(tree, indent=1), encoding="utf-8"))
    return accessed


def _files(offer: Offer) -> list[dict[str, object]]:
    """Addresses of the files, with what tells their version; of a Zarr store, which is many files, its own alone."""
    found: dict[str, dict[str, object]] = {}
    for one in offer.placed:
        for file in one.item.files:
            held = None if one.item.form == "zarr" else cached(file.raster)
            found[file.raster.address] = {
                "address": file.raster.address, "bytes": held.size if held else None, "etag": held.etag if held else "",
                "sha256": file.sha256,
            }  # fmt: skip
    return list(found.values())
