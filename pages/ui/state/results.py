"""What finished jobs left, opened once and kept: stores, their PCA maps, trainings and their scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from filelock import FileLock

from engine.errors import EngineError
from engine.jobs.config import ExtractConfig
from engine.jobs.job import Job
from engine.jobs.note import read_note
from engine.learning.result import TrainRun
from engine.store.store import FINISHED, EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.maps import overlay
from pages.ui.look.wording import when
from pages.ui.state import cached

COLOURS = 3  # components that become red, green and blue


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


def store_words(found: cached.JobFacts) -> str:
    """What a list calls a store: backbone, place, when."""
    config = found.config
    return _named(found, f"{config.backbone.name} · {config.scene.title} · {when(found.submitted_at)}")


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
        return store_name(found.config.store)


def store_name(path: str) -> str:
    """A store by its path in a few words: the run folder that holds it, or its own name."""
    given = Path(path)
    return given.parent.name or given.name or path


def pca_map(store: EmbeddingStore, layer: int, window: int) -> tuple[Path, np.ndarray]:
    """The PCA colours of a layer as a raster beside the store, and the explained shares.

    Args:
        window: patches along a side whose mean gets one colour, odd.

    Raises:
        StoreError: embeddings that have no principal components.
    """
    path = store.folder.parent / "overlays" / f"pca-layer-{layer}-window-{window}.tif"
    stamp = store.folder.stat().st_mtime_ns
    shares = _pca_shares(str(store.folder), layer, window, stamp, store)
    if not _is_newer(path, stamp):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(
            path.with_suffix(".lock")
        ):  # a second visitor waits here, and then reads the finished file
            if not _is_newer(path, stamp):
                overlay.pca_overlay(view_of(store, layer, window), path)
    return path, shares


def _is_newer(path: Path, stamp: int) -> bool:
    """Whether a file is there that was written after a moment (nanoseconds)."""
    try:
        return path.stat().st_mtime_ns >= stamp
    except FileNotFoundError:
        return False


@st.cache_resource(show_spinner=False, max_entries=64)
def _store(folder: str, stamp: int) -> EmbeddingStore:
    del stamp
    return EmbeddingStore.open(Path(folder))


@st.cache_data(show_spinner=False, max_entries=64)
def _pca_shares(folder: str, layer: int, window: int, stamp: int, _store: EmbeddingStore) -> np.ndarray:
    del folder, stamp
    from engine.views.pca import pca_of

    return pca_of(view_of(_store, layer, window), components=COLOURS).explained_variance_ratio
