"""What the Compare page shows, computed once for each state of its stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

import streamlit as st

from engine.jobs.configuration.config import LabelsConfig
from engine.learning.tasks.table import BURN_SCARS
from engine.store.store import EmbeddingStore
from engine.views.comparing.comparison import Comparison, compare
from engine.views.comparing.dated_view import DatedView, dated
from engine.views.layer_view import view_of
from engine.views.lens.reduction import Reduction, reduction_of
from engine.views.position import Position, position_share
from pages.ui import workspace
from pages.ui.state import results

Key = tuple[str, int, int, str | None, str]
"""Folder, when it was written, layer, date, position."""


def key_of(store: EmbeddingStore, layer: int, date: str | None, position: str) -> Key:
    """What names a view of a store in its present state."""
    return str(store.folder), results.stamp_of(store), layer, date, position


@st.cache_resource(show_spinner=False, max_entries=32)
def view(key: Key, _store: EmbeddingStore) -> DatedView:
    """A view of a store, means over about 16 pixels, on one date."""
    _, _, layer, date, position = key
    return dated(view_of(_store, layer, None, cast(Position, position)), date)


@st.cache_resource(show_spinner=False, max_entries=16)
def comparison(keys: tuple[Key, ...], _views: Sequence[DatedView]) -> Comparison:
    """Likeness of every pair, and colours that mean the same."""
    del keys
    return compare(_views)


def _is_there(found: Reduction) -> bool:
    """Whether the file of what was made is still there; else it is made anew."""
    return found.path.is_file()


@st.cache_resource(show_spinner=False, max_entries=32, validate=_is_there)
def reduction(key: Key, _view: DatedView) -> Reduction:
    """A view in its first components, as a browser draws it."""
    del key
    return reduction_of(_view.view)


@st.cache_data(show_spinner=False, max_entries=16)
def scores(keys: tuple[Key, ...], _found: Comparison) -> dict[str, object]:
    """Linear probe and nearest neighbours on the labels of the scenes."""
    del keys
    from engine.learning.probe import probe  # what learns is imported where it is asked for

    ground = _found.ground
    base = ground.views[ground.coarsest]
    return asdict(
        probe(base.store, base.chosen, ground.embeddings, (ground.tiles, ground.rows), LabelsConfig(), BURN_SCARS,
              Path(workspace.folder()))
    )  # fmt: skip


def position(store: EmbeddingStore, layer: int) -> float | None:
    """Share of the variance that the place in the window explains; None where a store cannot tell."""
    return _position(str(store.folder), results.stamp_of(store), layer, store)


@st.cache_data(show_spinner=False, max_entries=64)
def _position(folder: str, stamp: int, layer: int, _store: EmbeddingStore) -> float | None:
    del folder, stamp
    return position_share(_store, layer)
