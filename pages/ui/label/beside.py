"""A second store of the same ground, beside the one that is labelled: one set of labels teaches a classifier on each."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
import streamlit as st

from engine.imagery.scene import Scene
from engine.labels.clicked.label_set import LabelSet
from engine.labels.clicked.on_store import rows_of
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import DatedView
from engine.views.lens.reduction import Reduction
from pages.ui.jobs import chosen_run
from pages.ui.label import lesson, told
from pages.ui.label import view as label_view
from pages.ui.label.seen import Seen
from pages.ui.look import style, wording
from pages.ui.map import layers, maps
from pages.ui.map.scene_gallery import NO_SCORES, Scores
from pages.ui.state import address, bound, cached, results

_NONE = "none"
Below = tuple[tuple[Scene, ...], str | None, maps.Bounds, Scores]


@dataclass(frozen=True)
class Beside:
    """The second store as it is looked at.

    Attributes:
        of: what clicks on its map belong to.
        date: number of the date among those of the reduction's file; None: all.
    """

    chosen: cached.JobFacts
    view: DatedView
    reduction: Reduction
    date: int | None

    @property
    def store(self) -> EmbeddingStore:
        """The store."""
        return self.view.store

    @property
    def map_key(self) -> str:
        """Under which its map is known to the session."""
        return f"label_beside_{self.chosen.job.id}"

    @property
    def of(self) -> str:
        """What clicks on its map belong to."""
        return f"labels beside {self.chosen.job.id}"

    @property
    def title(self) -> str:
        """What it is called."""
        return _title(self.view)

    def take(self, path: Path, class_name: str) -> None:
        """Keep what was clicked on its map as a label of the first store's set."""
        told.take(self.map_key, self.of, path, class_name, self.store, self.view.chosen)

    def learn(self, labels: LabelSet, first: Seen) -> Seen:
        """A classifier on this store, from the same labels and with the same settings as the first."""
        return lesson.learn_like(first, self.view, self.reduction, labels, self.date)


def choose(stores: Sequence[cached.JobFacts], first: cached.JobFacts) -> cached.JobFacts | None:
    """Ask for a store of the same ground; nothing is asked where there is none."""
    others = _of_same_ground(stores, first)
    if not others:
        bound.refuse_unless_shown("beside", address.read("beside"), _NONE)
        return None
    by_id = {one.job.id: one for one in others}
    options = [_NONE, *by_id]
    words = {_NONE: "Nothing", **chosen_run.labels(by_id, results.store_words)}
    address.restore("beside", "label_beside", options, _NONE)
    name = st.selectbox(
        "Beside it", options, key="label_beside", format_func=words.__getitem__,
        help="Another store of the same ground on a second map. Labels are places on the ground: those of either map teach a "
        "classifier on both.",
    )  # fmt: skip
    address.keep("beside", "label_beside")
    return None if name == _NONE else by_id[str(name)]


def opening(scenes: Sequence[Scene], own: maps.Bounds, second: Beside) -> maps.Bounds:
    """What is in sight at first: a scene, or ground, that the second store has too.

    Args:
        own: bounds of what the first store has.
    """
    ground = results.ground_of(second.chosen)
    shared = [one for one in scenes if results.meets(shapely.box(*layers.bounds_of([one])), ground)]
    if shared and len(scenes) > 1:
        return layers.opening(shared)
    both = shapely.box(*own).intersection(shapely.union_all(ground).envelope)
    return own if both.is_empty else tuple(both.bounds)


def tell_ground(scenes: Sequence[Scene], second: Beside) -> None:
    """Say where the second store has nothing, so that its map is not taken for one that does not work."""
    ground = results.ground_of(second.chosen)
    count = sum(results.meets(shapely.box(*layers.bounds_of([one])), ground) for one in scenes)
    if scenes and count < len(scenes):
        st.caption(
            f"{wording.plain(second.store.meta.backbone)} has embeddings on {count} of the {len(scenes)} scenes; its map is empty elsewhere."
        )


def draw(first: Seen, map_key: str, of: str, below: Below, second: Beside, seen: Seen | None) -> None:
    """Both maps side by side, with one pointer and one view; a click on either is a label.

    Args:
        below: scenes, the composite that is shown, what is in sight at first, and scores of scenes, of the first store.
        seen: of the second store.
    """
    channel = str(st.session_state.setdefault("label_channel", uuid.uuid4().hex))
    with st.container(key="map_first"):
        style.map_name("first", title_of(first))
        label_view.draw(first, map_key, of, *below, channel)
    if seen is not None:
        scenes, base, bounds, _ = below
        with st.container(key="map_second"):
            style.map_name("second", second.title)
            label_view.draw(seen, second.map_key, second.of, scenes, base, bounds, NO_SCORES, channel)


def accuracy(second: Beside, first: Seen, seen: Seen) -> None:
    """How many labels are right on the second store, or why nothing is learnt there."""
    if seen.taught is not None:
        label_view.accuracy(seen.taught, second.title)
    elif first.taught is not None:
        there = len(set(rows_of(seen.labels, second.store, second.view.chosen).labels.tolist()))
        st.caption(
            f"{wording.plain(second.title)}: {there} of {wording.count(len(seen.labels.labels), 'label')} lie on its patches, of "
            f"fewer than two classes. Label ground that both stores have."
        )


def title_of(seen: Seen) -> str:
    """What a store is called."""
    return _title(seen.view)


def _title(view: DatedView) -> str:
    meta = view.store.meta
    years = (
        " to ".join(dict.fromkeys(day[:4] for day in view.days.split(" to "))) if meta.is_of_others else ""
    )
    date = view.date or years
    return f"{meta.backbone}, layer {view.view.layer}{f', {date}' if date else ''}"


def _of_same_ground(stores: Sequence[cached.JobFacts], first: cached.JobFacts) -> list[cached.JobFacts]:
    box = results.box_of(first)
    found = []
    for one in stores[: results.LOOKED_AT]:
        if box is None or one.job.id == first.job.id:
            continue
        there = results.box_of(one)
        if there is not None and box.intersection(there).area > 0:
            found.append(one)
    return found
