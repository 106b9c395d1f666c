"""What finished jobs left, opened once and kept: stores, trainings and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st
from shapely import Polygon, STRtree, box, from_wkb
from shapely.geometry.base import BaseGeometry

from engine.errors import EngineError, StoreError
from engine.jobs.configuration.config import ExtractConfig
from engine.jobs.job import Job
from engine.jobs.note import read_note
from engine.learning.keeping.result import TrainRun
from engine.store.footprints import footprints
from engine.store.store import FINISHED, EmbeddingStore
from pages.ui.look.wording import when
from pages.ui.state import cached

# Stores whose ground is looked at, the newest ones, where others of the same ground are sought.
LOOKED_AT = 40
# Footprints that are kept of a store.
_MOST_TILES = 20_000
# What lists say beside the name of a store that no pretrained encoder made.
_WITHOUT_PRETRAINING = {"raw": " (pixels, for a baseline)", "rcf": " (baseline without pretraining)"}


def stores() -> list[cached.JobFacts]:
    """Finished extractions whose store is there: newest first, raw pixels (made for baselines) last."""
    found = [
        item for item in cached.jobs() if item.kind == "extract" and (item.job.folder / FINISHED).is_dir()
    ]
    return sorted(found, key=lambda item: item.config.backbone.name == "raw")


def trainings() -> list[cached.JobFacts]:
    """Trainings whose scores are there, newest first."""
    return [
        found for found in cached.jobs() if found.kind == "train" and TrainRun(found.job.folder).is_finished
    ]


def store_of(job: Job) -> EmbeddingStore:
    """The store of an extraction.

    Raises:
        StoreError: absent or unreadable.
    """
    return open_store(job.folder / FINISHED)


def open_store(folder: Path) -> EmbeddingStore:
    """A store, opened once for each state of its folder.

    Raises:
        StoreError: absent or unreadable.
    """
    return _store(str(folder), folder.stat().st_mtime_ns if folder.is_dir() else 0)


def stamp_of(store: EmbeddingStore) -> int:
    """When the folder of a store was written: what is made of it is kept as long as this stays.

    Raises:
        StoreError: the folder has gone.
    """
    try:
        return store.folder.stat().st_mtime_ns
    except OSError as err:
        raise StoreError(f"{store.folder} has gone: it was deleted or moved. Choose another store.") from err


def box_of(one: cached.JobFacts) -> Polygon | None:
    """Bounds of a store in degrees; None where it cannot be read."""
    try:
        store = store_of(one.job)
        return _box(str(store.folder), stamp_of(store), store)
    except EngineError:
        return None


@st.cache_data(show_spinner=False, max_entries=256)
def _box(folder: str, stamp: int, _store: EmbeddingStore) -> Polygon:
    del folder, stamp
    west, south, east, north = footprints([replace(tile, h=1, w=1) for tile in _store.tiles]).total_bounds
    return box(west, south, east if east >= west else east + 360, north)


def share_of_ground(one: cached.JobFacts, other: cached.JobFacts) -> tuple[int, int]:
    """On how many tiles of a store another one has embeddings, and how many tiles it has; (0, 0) where one cannot be read."""
    try:
        mine, theirs = (_ground(store_of(own.job)) for own in (one, other))
    except EngineError:
        return 0, 0
    return sum(meets(tile, theirs) for tile in mine), len(mine)


def meets(ground: BaseGeometry, tiles: Sequence[BaseGeometry]) -> bool:
    """Whether some tile shares ground with a polygon, in degrees; touching is not sharing."""
    found = STRtree(tiles).query(ground, predicate="intersects")
    return any(tiles[number].intersection(ground).area > 0 for number in found)


def ground_of(one: cached.JobFacts) -> list[BaseGeometry]:
    """The footprints of the tiles of a store in degrees.

    Raises:
        StoreError: it cannot be read.
    """
    return _ground(store_of(one.job))


def _ground(store: EmbeddingStore) -> list[BaseGeometry]:
    return _tiles_lonlat(str(store.folder), stamp_of(store), store)


@st.cache_resource(show_spinner=False, max_entries=64)
def _tiles_lonlat(folder: str, stamp: int, _store: EmbeddingStore) -> list[BaseGeometry]:
    """Of stores of very many tiles every so many, for neighbours lie on the same ground."""
    del folder, stamp
    tiles = _store.tiles[:: -(-len(_store.tiles) // _MOST_TILES)]
    return list(from_wkb(footprints([replace(tile, h=1, w=1) for tile in tiles]).wkb()))


def store_words(found: cached.JobFacts) -> str:
    """What a list calls a store: backbone, of others' embeddings the years, place, when."""
    config = found.config
    what = _WITHOUT_PRETRAINING.get(config.backbone.name, "")
    if config.scene.source == "embeddings" and (years := years_of(found)) and years not in config.scene.title:
        what = f" {years}"
    return _named(found, f"{config.backbone.name}{what} · {config.scene.title} · {when(found.submitted_at)}")


def years_of(found: cached.JobFacts) -> str:
    """The year of a store, or the first and the last; empty where it states none, or cannot be read."""
    try:
        store = store_of(found.job)
        return _years_of(str(store.folder), stamp_of(store), store)
    except EngineError:
        return ""


@st.cache_data(show_spinner=False, max_entries=256)
def _years_of(folder: str, stamp: int, _store: EmbeddingStore) -> str:
    del folder, stamp
    years = sorted({date[:4] for tile in _store.tiles for date in tile.datetimes if date})
    return " to ".join(dict.fromkeys((years[0], years[-1]))) if years else ""


def training_words(found: cached.JobFacts) -> str:
    """What a list calls a training: head, backbone, when, seed."""
    config = found.config
    return _named(
        found, f"{config.head.name} on {_backbone(found)} · {when(found.submitted_at)} · seed {config.seed}"
    )


def _named(found: cached.JobFacts, words: str) -> str:
    """The name that a person gave to a run before what it is."""
    name = read_note(found.job.folder).name
    return f"{name} · {words}" if name else words


def _backbone(found: cached.JobFacts) -> str:
    """Of the store that a training learned from; a damaged card leaves the list as it is."""
    if isinstance(found.config.store, ExtractConfig):
        return str(found.config.store.backbone.name)
    try:
        return TrainRun(found.job.folder).decoder.backbone
    except EngineError:
        given = found.config.store
        return store_name(given if isinstance(given, str) else given.train.embeddings)


def store_name(path: str) -> str:
    """A store by its path in a few words: the run folder that holds it, or its own name."""
    given = Path(path)
    return given.parent.name or given.name or path


@st.cache_resource(show_spinner=False, max_entries=64)
def _store(folder: str, stamp: int) -> EmbeddingStore:
    del stamp
    return EmbeddingStore.open(Path(folder))
