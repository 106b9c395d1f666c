"""The patches that are most like what was picked, as small pictures: exact, across this store and others of its kind."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.labels.clicked.on_store import tile_of
from engine.views.comparing.change import require_same_space
from engine.views.comparing.dated_view import DatedView, dated, has_several_dates
from engine.views.layer_view import view_of
from engine.views.lens.similar import MANY, Match, Patch, ranked
from engine.views.maps.chips import Place, chips
from pages.ui.embeddings.lens_views import Looked
from pages.ui.look import wording
from pages.ui.map import layers
from pages.ui.state import bound, cached, results

_MOST, _IN_A_ROW = 12, 4


def panel(
    looked: Looked, scenes: Sequence[Scene], base: str | None, stores: Sequence[cached.JobFacts]
) -> None:
    """The nearest patches, each with its cosine."""
    if looked.lens is None or looked.choice.view != "Similarity":
        return
    st.subheader("Nearest patches", anchor=False)
    others = [one for one in stores if one.job.id != looked.view.store.folder.parent.name]
    same = [one for one in others if one.config.backbone.name == looked.view.store.meta.backbone]
    wants_others = bool(same) and st.toggle(
        f"Search {wording.count(len(same), 'other store')} of {looked.view.store.meta.backbone} too", key="nearest_everywhere",
        bind="query-params",
    )  # fmt: skip
    views, imagery = [looked.dated], [scenes]
    for one in same if wants_others else []:
        _add(views, imagery, looked, one)
    if not same:
        bound.refuse_without_choice("nearest_everywhere", "false")
    searched = sum(tile.rows for view in views for tile in view.chosen)
    with st.spinner(f"Ranking {searched:,} patches in full precision."):
        found = _nearest(_key(looked, views), looked, views)
        pictures = chips(
            [Place(one.patch.tile, one.patch.row, one.patch.column, imagery[one.view]) for one in found],
            _bands(scenes, base),
        )
    for first in range(0, len(found), _IN_A_ROW):
        columns = st.columns(_IN_A_ROW, gap="small")
        for column, match, picture in zip(columns, found[first:], pictures[first:], strict=False):
            elsewhere = f" · {views[match.view].store.folder.parent.name[-4:]}" if match.view else ""
            words = f"{match.cosine:.3f}{elsewhere}"
            if picture is not None:
                column.image(picture, width="stretch", alt=f"A patch of cosine {words}")
            column.caption(words)
    long = (
        f" From {MANY / 1e6:.0f} million patches on, this takes ten seconds or more."
        if searched > MANY
        else ""
    )
    st.caption(
        f"Exact: each of {searched:,} patches was compared. The picked patches themselves are left out.{long}"
    )


def _bands(scenes: Sequence[Scene], base: str | None) -> tuple[str, ...]:
    """Those that the map shows below; none where it shows none."""
    return layers.composites_of(scenes)[base].bands if scenes and base else ()


def _add(
    views: list[DatedView], imagery: list[Sequence[Scene]], looked: Looked, run: cached.JobFacts
) -> None:
    """Another store, or a word why it cannot be searched."""
    view = looked.view
    try:
        store = results.store_of(run.job)
        other = dated(
            view_of(store, view.layer, view.window, view.position),
            "last" if has_several_dates(store) else None,
        )
        require_same_space(looked.dated, other)
        views.append(other)
        imagery.append(cached.scenes(run.config.scene))
    except EngineError as err:
        st.caption(f"{wording.plain(results.store_words(run))} is left out: {wording.told(str(err))}")
        del imagery[len(views) :]


def _nearest(key: tuple[object, ...], looked: Looked, views: Sequence[DatedView]) -> list[Match]:
    """Ranked once for each question."""
    held = st.session_state.get("embeddings_nearest")
    if held is None or held[0] != key:
        assert looked.lens is not None
        held = key, ranked(looked.lens, views, _MOST, _picked(looked))
        st.session_state["embeddings_nearest"] = held
    found: list[Match] = held[1]
    return found


def _picked(looked: Looked) -> list[Patch]:
    """The patches that the question is made of."""
    rows = (*looked.picked.positive, *looked.picked.negative)
    return [Patch(*tile_of(looked.view.store.tiles, row)) for row in rows]


def _key(looked: Looked, views: Sequence[DatedView]) -> tuple[object, ...]:
    view, picked = looked.view, looked.picked
    return (
        tuple((str(one.store.folder), results.stamp_of(one.store), one.date) for one in views),
        (view.layer, view.window, view.position),
        (picked.positive, picked.negative),
    )
