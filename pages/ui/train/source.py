"""What a training learns from: a store of this machine, or the simulated fire season, extracted first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from engine.errors import EngineError
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    SceneConfig,
    SimulatedScene,
    TrainConfig,
)
from engine.labels.label_names import label_names
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from pages.ui import workspace
from pages.ui.jobs import chosen_run
from pages.ui.look import wording
from pages.ui.look.fields import help_of
from pages.ui.state import cached, results
from pages.ui.train.began import begin

_SEASON = ExtractConfig(
    scene=SimulatedScene(source="simulated", seed=0, date="post"),
    backbone=BackboneConfig(name="csmask_b4_l2a"),
)
_SEASON_OF_TILES = _SEASON.model_copy(update={"granularity": "tile", "pooling": "mean"})


OUTSIDE = "="
_OF_STORE = ("t_labels", "t_label_path", "t_label_name", "t_task", "t_classes", "t_missing")


@dataclass(frozen=True)
class Source:
    """A store that is there, or an extraction that is made first.

    Attributes:
        layers, tiles: of the store; empty where it is made first.
        label_names: of the labels that lie beside its scenes.
        granularity: of its rows.
    """

    words: str
    store: str | ExtractConfig
    is_simulated: bool
    is_random: bool
    layers: tuple[int, ...]
    has_labels: bool
    granularity: str = "patch"
    tiles: tuple[StoredTile, ...] = ()
    label_names: tuple[str, ...] = ()

    def of_rows(self, granularity: str) -> Source:
        """The same, with the season's rows as a task needs them."""
        if isinstance(self.store, str) or self.granularity == granularity:
            return self
        return replace(
            self, store=_SEASON_OF_TILES if granularity == "tile" else _SEASON, granularity=granularity
        )


def _time_words() -> str:
    """How long the extraction takes, where the season is there to be counted."""
    if not _SEASON.scene.is_ready(workspace.folder()):
        return ""
    minutes = cached.estimate_of(_SEASON).minutes
    return "" if minutes is None else f", about {wording.duration(60 * minutes)}"


def choose() -> Source:
    """The stores of this machine, and the fire season for those who have none."""
    found = {item.job.id: item for item in results.stores()}
    options = [*found, ""]
    held = st.session_state.get("store_job")
    begin("train_store", held if held in found else options[_first_labelled(options, found)])
    if st.session_state.get("train_store_outside") is not None:
        options.append(OUTSIDE)
    if st.session_state["train_store"] not in options:
        st.session_state["train_store"] = options[_first_labelled(options[: len(found) + 1], found)]
    words = dict(
        chosen_run.labels(found, results.store_words)
    )  # two of one name would be taken for each other
    words[""] = f"Fire season with {_SEASON.backbone.name} · extracted first{_time_words()}"
    words[OUTSIDE] = "Those of the forked run"
    name = str(
        st.selectbox(
            "Embeddings", options, key="train_store", on_change=_labels_go_with_the_store,
            format_func=words.__getitem__, help=help_of(TrainConfig, "store"),
        )
    )  # fmt: skip
    st.session_state["train_store_shown"] = name
    if name == OUTSIDE:
        return _outside(st.session_state["train_store_outside"])
    if not name:
        return Source("the fire season, extracted first", _SEASON, True, False, (), True)
    try:
        store = results.store_of(found[name].job)
    except EngineError as err:
        st.warning(wording.told(str(err)), icon=":material/error_outline:")
        st.stop()
    names, masked = _labels_of(found[name].config.scene)
    return replace(_of_store(store, masked), label_names=names)


def _outside(store: Any) -> Source:
    """A store that this workspace does not list, as the configuration of a forked run names it."""
    if not isinstance(store, ExtractConfig):
        return Source("the embeddings of the forked run", store, False, False, (), True)
    is_simulated = isinstance(store.scene, SimulatedScene)
    return Source("the embeddings of the forked run", store, is_simulated, False, (), True, store.granularity)


def is_season(store: object) -> bool:
    """Whether it is the extraction that the form offers to those who have no store."""
    return store in (_SEASON, _SEASON_OF_TILES)


def _labels_go_with_the_store() -> None:
    """Labels and own classes are kept for each store and come back with it: another store has other ground."""
    now = st.session_state
    if now.get("train_store_shown") == now["train_store"]:
        return
    kept = now.setdefault("t_of_stores", {})
    keys = [key for key in _OF_STORE if key != "t_task" or str(now.get(key)).startswith("own")]
    kept[now.get("train_store_shown")] = {key: now[key] for key in keys if key in now}
    for key in keys:
        now.pop(key, None)
    now.update(kept.get(now["train_store"], {}))


def _labels_of(scene: SceneConfig) -> tuple[tuple[str, ...], bool]:
    """Names of the labels beside the scenes, and whether there are any; embeddings without their imagery have none."""
    try:
        scenes = cached.scenes(scene)
        names = () if isinstance(scene, SimulatedScene) else label_names(scenes)
    except EngineError:
        return (), False
    return names, any(one.mask_path for one in scenes) or bool(names)


def _of_store(store: EmbeddingStore, has_labels: bool) -> Source:
    meta = store.meta
    rows = ("tile", "tiles") if meta.granularity == "tile" else ("patch", "patches")
    words = f"{wording.count(store.rows, *rows)} of {meta.backbone}"
    return Source(
        words,
        str(store.folder),
        meta.is_simulated,
        meta.is_random,
        meta.layers,
        has_labels,
        meta.granularity,
        store.tiles,
    )


def _first_labelled(options: list[str], found: dict[str, cached.JobFacts]) -> int:
    """The newest store whose scenes are labelled; the fire season where there is none."""
    labelled = [i for i, name in enumerate(options) if name and cached.has_labels(found[name].config.scene)]
    return labelled[0] if labelled else len(options) - 1
