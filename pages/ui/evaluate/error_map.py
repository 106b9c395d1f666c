"""The map of the Evaluate page: errors, prediction or labels over the imagery of the test tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
from shapely import from_wkb
from shapely.ops import unary_union

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.jobs.configuration.config import ExtractConfig
from engine.labels.label_names import named_labels
from engine.learning.judging.judgement import Place
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.task import MapStyle
from engine.store.footprints import footprints
from pages.ui.jobs import scene_scores
from pages.ui.look import palette, wording
from pages.ui.map import layers, maps, number_layers, scene_gallery
from pages.ui.state import address, bound, cached, results

_VIEWS = ("Errors", "Predicted", "True")


@dataclass(frozen=True)
class Choice:
    """What a person wants to see.

    Attributes:
        view: one of `_VIEWS`.
        base: composite below; None without imagery.
    """

    view: str
    scenes: tuple[Scene, ...]
    base: str | None


def choose(run: TrainRun) -> Choice:
    """What lies on the map, what lies below it, and which test scene is looked at."""
    scenes = _test_scenes(run)
    names = list(layers.composites_of(scenes)) if scenes else []
    has_labels = any(scene.mask_path for scene in scenes)
    views = _VIEWS if has_labels else _VIEWS[:2]
    address.restore("show", "evaluate_view", views, "Errors")
    view = st.segmented_control("Show", views, required=True, key="evaluate_view", label_visibility="collapsed")  # fmt: skip
    address.keep("show", "evaluate_view")
    base = None
    if not scenes:
        bound.refuse_unless_shown("bands", address.read("bands"))
    else:
        address.restore("bands", "evaluate_base", names, layers.best_of(scenes))
        base = st.segmented_control("Below", names, required=True, key="evaluate_base", label_visibility="collapsed")  # fmt: skip
        address.keep("bands", "evaluate_base")
    return Choice(str(view), scenes, base)


def show(run: TrainRun, job_id: str, choice: Choice, place: Place | None = None) -> None:
    """The errors, the prediction or the labels over the imagery of the test tiles, which stand side by side at its foot.

    Args:
        place: is brought into sight and has an outline; None: all are in sight.
    """
    scenes = choice.scenes
    overlay = _overlay(run, choice.view, scenes)
    below = layers.imagery(scenes, choice.base) if choice.base else []
    maps.draw(
        maps.View(
            page="evaluate", key=f"evaluate_{job_id}",
            bounds_lonlat=_opening(scenes, overlay, place),
            boxes=layers.boxes_of(scenes), focus=job_id if place is None else f"{job_id} {place.name}",
            shown=(
                *scene_gallery.with_gallery(below, scenes, scene_scores.of_run(run, scenes), is_worst_first=True), overlay,
            ),
            outlines=(*layers.outlines(scenes, palette.ASH), *_outline(run, place)), overlay_percent=80,
        )
    )  # fmt: skip


def _opening(scenes: Sequence[Scene], overlay: maps.Shown, place: Place | None) -> maps.Bounds:
    if place is not None:
        return _bounds(place)
    return layers.opening(scenes) if scenes else overlay.bounds_lonlat


def _outline(run: TrainRun, place: Place | None) -> tuple[maps.Outline, ...]:
    """The border of a place's tiles; none where their store has gone."""
    if place is None:
        return ()
    try:
        store = results.open_store(run.store_folder)
    except EngineError:
        return ()
    tiles = [replace(tile, h=1, w=1) for tile in store.tiles if tile.id in place.tile_ids]
    found = unary_union(from_wkb(footprints(tiles).wkb()))
    return (maps.Outline(found, f"Test place {place.name}", palette.EMBER, weight=2.5),)


def _bounds(place: Place) -> maps.Bounds:
    """West, south, east, north; east beyond 180 degrees over the antimeridian."""
    west, south, east, north = place.bounds_lonlat
    return west, south, east if east >= west else east + 360, north


def _overlay(run: TrainRun, view: str, scenes: Sequence[Scene]) -> maps.Shown:
    """The raster of a view; its colours are the task's own, as in the files that the run left."""
    by = f"{run.decoder.head['name']} on {run.decoder.backbone}"
    note = f"Test tiles only. Source: {run.decoder.source or 'not stated'}"
    predicted, wrong = run.task.prediction_style, run.task.error_style
    if predicted.ramp is not None and wrong.ramp is not None:
        masks = [scene.mask_path for scene in scenes if scene.mask_path]
        if view == "True" and masks:
            return number_layers.numbers(masks, "Labels", view, predicted.ramp)
        is_wrong = view == "Errors"
        path, ramp = (run.errors, wrong.ramp) if is_wrong else (run.predictions, predicted.ramp)
        drawn = number_layers.numbers(
            [path], f"{'Errors of' if is_wrong else 'Predicted by'} {by}", view, ramp
        )
        return replace(drawn, legend=replace(drawn.legend, note=f"{drawn.legend.note}. {note}"))
    if view == "True":
        found = layers.labels(scenes, _visible(predicted), predicted.names)
        if found is not None:
            return found
    if view == "Errors":
        made = layers.classes(run.errors, f"Errors of {by}", view, _visible(wrong), wrong.names)
    else:
        made = layers.classes(
            run.predictions, f"Predicted by {by}", view, _visible(predicted), predicted.names
        )
    return replace(made, legend=replace(made.legend, note=note))


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
        if found and run.config.labels.source == "scene":
            found = named_labels(found, run.config.labels.name or run.task.labels_name)
        if found:
            layers.imagery(found, layers.best_of(found))
    except (EngineError, KeyError) as err:
        st.caption(f"Without imagery below: {wording.told(str(err))}")
        return ()
    return found
