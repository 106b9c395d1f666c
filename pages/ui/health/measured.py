"""What the health card shows, measured once for each state of a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import streamlit as st
from rasterio.enums import Resampling

from engine.store.store import EmbeddingStore
from engine.views.health.card import LayerHealth
from engine.views.health.kept import measured
from engine.views.health.pictures import LayerPictures, length_overlay, pictures
from engine.views.layer_view import view_of
from engine.views.lens.lens import ramp
from pages.ui import workspace
from pages.ui.state import results

_PICTURE_PX = 480


def layers(store: EmbeddingStore) -> list[LayerHealth]:
    """The numbers of every layer; also those that a command has left beside the store."""
    card = store.folder.parent / "health" / "position_keep.json"
    stamp = card.stat().st_mtime_ns if card.is_file() else 0
    return _layers(str(store.folder), results.stamp_of(store), stamp, store, workspace.folder())


def pictures_of(store: EmbeddingStore, layer: int) -> LayerPictures:
    """The pictures of a layer."""
    return _pictures(str(store.folder), results.stamp_of(store), layer, store)


def map_of_lengths(store: EmbeddingStore, layer: int) -> tuple[np.ndarray, tuple[float, float]]:
    """Lengths as colours (height, width, 4), and the lengths of the first and the last colour."""
    return _map_of_lengths(str(store.folder), results.stamp_of(store), layer, store)


@st.cache_data(show_spinner=False, max_entries=32)
def _layers(folder: str, stamp: int, kept: int, _store: EmbeddingStore, _root: Path) -> list[LayerHealth]:
    del folder, stamp, kept
    return measured(_store, _root)


@st.cache_data(show_spinner=False, max_entries=32)
def _pictures(folder: str, stamp: int, layer: int, _store: EmbeddingStore) -> LayerPictures:
    del folder, stamp
    return pictures(view_of(_store, layer, window=1))


@st.cache_data(show_spinner=False, max_entries=16)
def _map_of_lengths(
    folder: str, stamp: int, layer: int, _store: EmbeddingStore
) -> tuple[np.ndarray, tuple[float, float]]:
    del folder, stamp
    path = _store.folder.parent / "overlays" / f"lengths-layer-{layer}.tif"
    path.parent.mkdir(parents=True, exist_ok=True)
    length_overlay(view_of(_store, layer, window=1), path)
    with rasterio.open(path) as dataset:
        shrink = max(1.0, max(dataset.shape) / _PICTURE_PX)
        shape = tuple(max(1, round(side / shrink)) for side in dataset.shape)
        lengths = dataset.read(1, out_shape=shape, resampling=Resampling.average)
    known = np.isfinite(lengths)
    low, high = (float(value) for value in np.percentile(lengths[known], [2, 98]))
    share = np.clip((np.where(known, lengths, low) - low) / ((high - low) or 1.0), 0, 1)
    colours = ramp()[np.round(share * 255).astype(int)]
    colours[~known] = 0
    return colours, (low, high)
