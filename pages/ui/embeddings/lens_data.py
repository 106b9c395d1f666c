"""What the lenses of the Embeddings page are made of, computed once for each state of a store."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.store.store import EmbeddingStore
from engine.views.clusters import Clusters, fit_clusters
from engine.views.comparing.dated_view import DatedView, dated
from engine.views.comparing.dated_view import has_several_dates as several_dates
from engine.views.health.seams import shown_seam_score
from engine.views.health.words import usual_position
from engine.views.layer_view import LayerView, view_of
from engine.views.lens.norms import Norms, norms_of
from engine.views.lens.reduction import Reduction, reduction_of
from engine.views.position import Position, place_means, position_share
from pages.ui.state import results

# Of what is shown, so many tiles and pairs of neighbours stand for a store: the picture waits for them.
_MOST_TILES, _MOST_PAIRS = 400, 64


def view(store: EmbeddingStore, layer: int, window: int, position: Position) -> LayerView:
    """The view of a layer, with the means of places where position is taken off."""
    return _view(str(store.folder), results.stamp_of(store), layer, window, position, store)


def reduction(shown: LayerView, basis: LayerView | None = None) -> Reduction:
    """The view in its first components, or in those of another store's view, with that one's deviations."""
    folder, stamp = str(shown.store.folder), results.stamp_of(shown.store)
    key = (shown.layer, shown.window, shown.position)
    of = (
        None
        if basis is None
        else (str(basis.store.folder), results.stamp_of(basis.store), basis.window, basis.position)
    )
    return _reduction(folder, stamp, key, of, shown, basis)


def has_several_dates(store: EmbeddingStore) -> bool:
    """Whether some ground has several dates."""
    return several_dates(store)


def dated_view(shown: LayerView, date: str | None) -> DatedView:
    """A view on one of its dates."""
    return dated(shown, date[:10] if date else None)


def usual_view(store: EmbeddingStore) -> tuple[DatedView, Reduction, int | None]:
    """A store as it is looked at where nothing is asked: its first layer and last date, position taken off where it shows.

    Returns:
        The view, its reduction, and the number of the date among those of the reduction's file; None: all.
    """
    layer = store.meta.layers[0]
    shown = view(store, layer, 1, usual_position(position(store, layer)))
    found = reduction(shown)
    dates = found.header.dates
    date = dates[-1] if has_several_dates(store) else None
    return dated_view(shown, date), found, dates.index(date) if date else None


def clusters(shown: LayerView, count: int) -> Clusters:
    """So many clusters of a view."""
    folder, stamp = str(shown.store.folder), results.stamp_of(shown.store)
    return _clusters(folder, stamp, (shown.layer, shown.window, shown.position), count, shown)


def norms(shown: LayerView) -> Norms:
    """The lengths of what is shown."""
    folder, stamp = str(shown.store.folder), results.stamp_of(shown.store)
    return _norms(folder, stamp, (shown.layer, shown.window, shown.position), shown)


def position(store: EmbeddingStore, layer: int) -> float | None:
    """Share of the variance that the place in the window explains; None where a store cannot tell."""
    return _position(str(store.folder), results.stamp_of(store), layer, store)


def shown_position(shown: LayerView) -> float | None:
    """The same share in what is shown: with position taken off, or in means over neighbours."""
    key = (shown.layer, shown.window, shown.position)
    return _shown_position(str(shown.store.folder), results.stamp_of(shown.store), key, shown)


def shown_seams(shown: LayerView) -> float | None:
    """Step across the borders of tiles over that inside, in what is shown; None where tiles have no neighbours."""
    key = (shown.layer, shown.window, shown.position)
    return _shown_seams(str(shown.store.folder), results.stamp_of(shown.store), key, shown)


@st.cache_resource(show_spinner=False, max_entries=32)
def _view(
    folder: str, stamp: int, layer: int, window: int, position: Position, _store: EmbeddingStore
) -> LayerView:
    del folder, stamp
    return view_of(_store, layer, window, position)


def _is_there(found: Reduction | Norms) -> bool:
    """Whether the file of what was made is still there; else it is made anew."""
    return found.path.is_file()


@st.cache_resource(show_spinner=False, max_entries=32, validate=_is_there)
def _reduction(
    folder: str,
    stamp: int,
    key: tuple[int, int, str],
    of: tuple[str, int, int, str] | None,
    _shown: LayerView,
    _basis: LayerView | None,
) -> Reduction:
    del folder, stamp, key, of
    if _basis is None:
        return reduction_of(_shown)
    theirs = reduction_of(_basis)
    return replace(reduction_of(_shown, theirs.basis), deviations=theirs.deviations)


@st.cache_data(show_spinner=False, max_entries=64)
def _clusters(folder: str, stamp: int, key: tuple[int, int, str], count: int, _shown: LayerView) -> Clusters:
    del folder, stamp, key
    return fit_clusters(_shown, count)


@st.cache_resource(show_spinner=False, max_entries=64, validate=_is_there)
def _norms(folder: str, stamp: int, key: tuple[int, int, str], _shown: LayerView) -> Norms:
    del folder, stamp, key
    return norms_of(_shown)


@st.cache_data(show_spinner=False, max_entries=64)
def _position(folder: str, stamp: int, layer: int, _store: EmbeddingStore) -> float | None:
    del folder, stamp
    return position_share(_store, layer)


@st.cache_data(show_spinner=False, max_entries=64)
def _shown_position(folder: str, stamp: int, key: tuple[int, int, str], _shown: LayerView) -> float | None:
    del folder, stamp, key
    if _shown.store.meta.granularity == "tile":
        return None
    every = -(-len(_shown.store.tiles) // _MOST_TILES)
    return place_means(_shown.store, _shown.layer, shown=_shown.tiles(every)).share


@st.cache_data(show_spinner=False, max_entries=64)
def _shown_seams(folder: str, stamp: int, key: tuple[int, int, str], _shown: LayerView) -> float | None:
    del folder, stamp, key
    return shown_seam_score(_shown, _MOST_PAIRS) if _shown.store.meta.granularity == "patch" else None
