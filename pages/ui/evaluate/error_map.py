"""The map of the Evaluate page: errors, prediction or labels over the imagery of the test tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.jobs.config import ExtractConfig
from engine.learning.result import TrainRun
from engine.learning.tasks.task import MapStyle
from pages.ui.look import palette, style, wording
from pages.ui.map import layers, maps
from pages.ui.state import address, cached, results

_VIEWS = ("Errors", "Predicted", "True")


@dataclass(frozen=True)
class Choice:
    """What a person wants to see.

    Attributes:
        view: one of `_VIEWS`.
        base: composite below; None without imagery.
        scene: index of the test scene to look at; None without scenes.
    """

    view: str
    scenes: tuple[Scene, ...]
    base: str | None
    scene: int | None


def choose(run: TrainRun) -> Choice:
    """What lies on the map, what lies below it, and which test scene is looked at."""
    scenes = _test_scenes(run)
    names = list(layers.composites_of(scenes)) if scenes else []
    has_labels = any(scene.mask_path for scene in scenes)
    views = _VIEWS if has_labels else _VIEWS[:2]
    address.restore("show", "evaluate_view", views, "Errors")
    view = st.segmented_control("Show", views, required=True, key="evaluate_view", label_visibility="collapsed")  # fmt: skip
    address.keep("show", "evaluate_view")
    base = scene = None
    if scenes:
        address.restore("bands", "evaluate_base", names, layers.best_of(scenes))
        base = st.segmented_control("Below", names, required=True, key="evaluate_base", label_visibility="collapsed")  # fmt: skip
        address.keep("bands", "evaluate_base")
        scene = st.selectbox("Test scene", range(len(scenes)), format_func=lambda i: _scene_words(scenes[i], i),
                             key="evaluate_scene", label_visibility="collapsed")  # fmt: skip
    return Choice(str(view), scenes, base, scene)


def show(run: TrainRun, job_id: str, choice: Choice) -> None:
    """The errors, the prediction or the labels over the imagery of the test tiles."""
    scenes, scene = choice.scenes, choice.scene
    overlay = _overlay(run, choice.view, scenes)
    maps.draw(
        maps.View(
            page="evaluate", key=f"evaluate_{job_id}",
            bounds_lonlat=overlay.bounds_lonlat if scene is None else layers.bounds_of([scenes[scene]]),
            boxes=layers.boxes_of(scenes), focus="" if scene is None else scenes[scene].id,
            shown=(*(layers.imagery(scenes, choice.base) if choice.base else []), overlay),
            outlines=layers.outlines(scenes, palette.ASH), overlay_percent=80,
        )
    )  # fmt: skip


def legend(run: TrainRun, choice: Choice) -> None:
    """The task's colours and what they mean."""
    shown = run.task.error_style if choice.view == "Errors" else run.task.prediction_style
    style.legend(
        [
            (style.css(shown.colours[value]), words)
            for value, words in shown.names.items()
            if value in shown.colours
        ],
        f"Test tiles only. Source: {run.decoder.source or 'not stated'}",
    )


def _overlay(run: TrainRun, view: str, scenes: Sequence[Scene]) -> maps.Shown:
    """The raster of a view; its colours are the task's own, as in the files that the run left."""
    by = f"{run.decoder.head['name']} on {run.decoder.backbone}"
    predicted, wrong = run.task.prediction_style, run.task.error_style
    if view == "True":
        found = layers.labels(scenes, _visible(predicted), predicted.names)
        if found is not None:
            return found
    if view == "Errors":
        return layers.classes(run.errors, f"Errors of {by}", view, _visible(wrong), wrong.names)
    return layers.classes(run.predictions, f"Predicted by {by}", view, _visible(predicted), predicted.names)


def _visible(shown: MapStyle) -> layers.Colours:
    return {value: colour for value, colour in shown.colours.items() if value != shown.nodata}


def _test_scenes(run: TrainRun) -> tuple[Scene, ...]:
    """Scenes below the test tiles; none where they have gone or may not be shown."""
    try:
        store = results.open_store(run.store_folder)
        source = ExtractConfig.model_validate(store.meta.config).scene
        test = set(run.decoder.split["test"])
        wanted = {name for tile in store.tiles if tile.id in test for name in tile.scene_ids}
        found = tuple(item for item in cached.scenes(source) if item.id in wanted)
        if found:
            layers.imagery(found, layers.best_of(found))
    except (EngineError, KeyError) as err:
        st.caption(f"Without imagery below: {wording.plain(str(err))}")
        return ()
    return found


def _scene_words(scene: Scene, index: int) -> str:
    return f"Scene {index + 1} · {wording.date(scene.datetime)}"
