"""The map of the Evaluate page: errors, prediction or labels over the imagery of the test tiles."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.jobs.config import ExtractConfig
from engine.learning.result import TrainRun
from engine.learning.tasks.task import MapStyle
from pages.ui.look import palette, style, wording
from pages.ui.map import layers, maps
from pages.ui.state import cached, results

_VIEWS = ("Errors", "Predicted", "True")


def show(run: TrainRun, job_id: str) -> None:
    """The map with its choices above and its legend below."""
    scenes = _test_scenes(run)
    names = list(layers.composites_of(scenes)) if scenes else []
    has_labels = any(scene.mask_path for scene in scenes)
    with st.container(horizontal=True):
        view = st.segmented_control("Show", _VIEWS if has_labels else _VIEWS[:2], default="Errors",
                                    required=True, key="evaluate_view", label_visibility="collapsed")  # fmt: skip
        base = st.segmented_control("Below", names, default=layers.best_of(scenes), required=True,
                                    key="evaluate_base", label_visibility="collapsed") if names else None  # fmt: skip
        scene = st.selectbox("Test scene", range(len(scenes)), format_func=lambda i: _scene_words(scenes[i], i),
                             key="evaluate_scene", label_visibility="collapsed", width=210) if scenes else None  # fmt: skip
    overlay = _overlay(run, str(view), scenes)
    maps.draw(
        maps.View(
            key=f"evaluate_{job_id}",
            bounds_lonlat=overlay.bounds_lonlat if scene is None else layers.bounds_of([scenes[scene]]),
            shown=(*(layers.imagery(scenes, base) if base else []), overlay),
            outlines=layers.outlines(scenes, palette.ASH), overlay_label=str(view), overlay_percent=80,
        )
    )  # fmt: skip
    shown = run.task.error_style if view == "Errors" else run.task.prediction_style
    note = f"Test tiles only. Source: {run.decoder.source or 'not stated'}"
    style.legend(
        [
            (_css(shown.colours[value]), words)
            for value, words in shown.names.items()
            if value in shown.colours
        ],
        note,
    )


def _overlay(run: TrainRun, view: str, scenes: Sequence[Scene]) -> maps.Shown:
    """The raster of a view; its colours are the task's own, as in the files that the run left."""
    by = f"{run.decoder.head['name']} on {run.decoder.backbone}"
    if view == "True":
        found = layers.labels(scenes, _visible(run.task.prediction_style))
        if found is not None:
            return found
    if view == "Errors":
        return layers.classes(run.errors, f"Errors of {by}", _visible(run.task.error_style))
    return layers.classes(run.predictions, f"Predicted by {by}", _visible(run.task.prediction_style))


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


def _css(colour: tuple[int, int, int, int]) -> str:
    red, green, blue, opacity = colour
    return f"rgb({red} {green} {blue} / {opacity / 255:.2f})"
