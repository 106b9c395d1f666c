"""Change between two dates: which other date or store, and its distances as a file for the map."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.views.comparing.change import DISTANCES, Change, change, change_tiles
from engine.views.comparing.dated_view import DatedView, dated
from engine.views.layer_view import LayerView, view_of
from engine.views.lens.reduction_file import Header
from engine.views.lens.scalar_file import scalar_file
from pages.ui.state import bound, cached, results

_COSINE = "cosine"


@dataclass(frozen=True)
class SeenChange:
    """A change as it is drawn.

    Attributes:
        distance: one of `DISTANCES`.
        path, header: of the file with a number a patch.
    """

    found: Change
    distance: str
    path: Path
    header: Header

    @property
    def low_high(self) -> tuple[float, float]:
        """Numbers of the first and the last colour: 0 and the 95th percentile, which is where change stands out."""
        return 0.0, max(self.found.percentiles[self.distance][2], 1e-6)


def choose(
    shown: LayerView, date: str | None, dates: Sequence[str], stores: Sequence[cached.JobFacts]
) -> SeenChange | None:
    """Ask what to compare with; None, with words, where there is nothing.

    Args:
        date: of this store that is looked at; None: it has one.
        dates: that this store has.
        stores: all of the workspace.
    """
    own = shown.store.folder.parent.name
    options = {f"date {day}": ("", day) for day in dates if day and day != date} if date else {}
    options |= {
        f"{results.store_words(one)} · {one.job.id[-4:]}": (one.job.id, "")
        for one in stores
        if one.job.id != own and one.config.backbone.name == shown.store.meta.backbone
    }
    if not options:
        bound.refuse_without_choice("since")
        st.info(
            f"Nothing to compare with: extract the same ground on another date with {shown.store.meta.backbone}.",
            icon=":material/info:",
        )
        return None
    picked = st.selectbox("Changed since", list(options), key="since", bind="query-params")
    distance = str(
        st.segmented_control(
            "Distance", DISTANCES, default=_COSINE, required=True, key="distance", bind="query-params"
        )
    )
    job, day = options[str(picked)]
    before = (
        _dated(shown, day) if not job else _other(shown, next(one for one in stores if one.job.id == job))
    )
    with st.spinner("Comparing both on the ground they share."):
        seen = _seen(before, _dated(shown, date), distance)
    for words in seen.found.notes:
        st.caption(words)
    return seen


def _dated(view: LayerView, date: str | None) -> DatedView:
    return dated(view, date[:10] if date else None)


def _other(shown: LayerView, run: cached.JobFacts) -> DatedView:
    return dated(view_of(results.store_of(run.job), shown.layer, shown.window, shown.position))


def _seen(before: DatedView, after: DatedView, distance: str) -> SeenChange:
    identity = hashlib.sha256(
        repr([distance, *(_state(one) for one in (before, after))]).encode()
    ).hexdigest()
    found = _change(identity, before, after)
    which = DISTANCES.index(distance)
    path = after.store.folder.parent / "overlays" / f"change-{identity[:16]}.bin"
    highest = 2.0 if distance == _COSINE else 4 * found.percentiles[distance][2]
    header = scalar_file(
        path, identity, highest, lambda: ((tile, numbers[which]) for tile, numbers in change_tiles(found))
    )
    return SeenChange(found, distance, path, header)


@st.cache_resource(show_spinner=False, max_entries=16)
def _change(identity: str, _before: DatedView, _after: DatedView) -> Change:
    del identity
    return change(_before, _after)


def _state(one: DatedView) -> tuple[object, ...]:
    view = one.view
    return (
        str(view.store.folder),
        results.stamp_of(view.store),
        one.date,
        view.layer,
        view.window,
        view.position,
    )
