"""The parts of the Evaluate page: scores beside the baseline, confusion, and the scars on the map."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.jobs.config import ExtractConfig
from engine.learning.result import TrainRun
from pages.ui.jobs import chosen_run
from pages.ui.look import charts, palette, style, wording
from pages.ui.map import layers, maps
from pages.ui.state import cached, results

_CLASSES = ("not burnt", "burnt")
# Hits, false alarms and misses differ in lightness too, so that red and blue need not be told apart.
_ERRORS: Mapping[int, tuple[int, int, int, int]] = {
    1: (236, 112, 40, 235),
    2: (250, 222, 90, 235),
    3: (64, 110, 220, 235),
}
_PREDICTED = {1: (236, 112, 40, 225)}
_TRUE = (192, 60, 160, 225)
_ROWS = (
    ("IoU, burnt", "iou_burned"), ("IoU, not burnt", "iou_unburned"), ("Mean IoU", "miou"), ("F1, burnt", "f1_burned"),
    ("Precision, burnt", "precision_burned"), ("Recall, burnt", "recall_burned"), ("Accuracy", "accuracy"),
)  # fmt: skip
_VIEWS = ("Errors", "Predicted", "True")


def choose_run(runs: Sequence[cached.JobFacts]) -> cached.JobFacts:
    """One of the trainings: that of the address, or the one that a person comes from, or the newest."""
    return chosen_run.choose("Training", runs, "evaluate_run", "train_job", _run_words)


def open_run(chosen: cached.JobFacts) -> TrainRun:
    """The training's reader.

    Raises:
        JobError: its files are gone or damaged.
    """
    run = TrainRun.open(chosen.job.folder)
    run.decoder  # noqa: B018 - reads the card, and so says here what is wrong with it
    return run


def headline(run: TrainRun) -> None:
    """The scores that people ask for first, and how sure they are."""
    found = run.scores
    baseline = found.get("baseline") or {}
    gain = _difference(found.get("iou_burned"), baseline.get("iou_burned"))
    interval = found.get("iou_burned_interval")
    columns = st.columns(4)
    columns[0].metric("IoU, burnt", _number(found.get("iou_burned")), gain and f"{gain:+.3f} to the NBR threshold",
                      help="Shared pixels over all pixels that are burnt in the truth or on the map.")  # fmt: skip
    columns[1].metric("F1, burnt", _number(found.get("f1_burned")))
    columns[2].metric("Mean IoU", _number(found.get("miou")))
    columns[3].metric(
        "Test pixels",
        f"{found.get('pixels', 0):,}",
        help="Labelled pixels of the test places; missing ones never count.",
    )
    if interval:
        st.caption(
            f"95 % interval of the burnt IoU, from drawing whole places anew: {interval[0]:.3f} to {interval[1]:.3f} "
            f"({wording.count(found.get('places', 0), 'test place')}, {found.get('pixels_burned', 0):,} burnt pixels)."
        )


def table(run: TrainRun) -> None:
    """Every score beside the baseline's."""
    found = run.scores
    baseline: Mapping[str, Any] = found.get("baseline") or {}
    threshold = baseline.get("threshold")
    name = f"NBR ≤ {threshold:.3f}" if isinstance(threshold, float) else "NBR threshold"
    head = f"<tr><th scope='col'>Test places</th><th scope='col'>Decoder</th><th scope='col'>{html.escape(name)}</th><th scope='col'>Difference</th></tr>"
    rows = "".join(
        f"<tr><th scope='row'>{words}</th><td>{_number(found.get(key))}</td><td>{_number(baseline.get(key))}</td>"
        f"<td>{_signed(_difference(found.get(key), baseline.get(key)))}</td></tr>"
        for words, key in _ROWS
    )
    pixels = f"<tr><th scope='row'>Pixels</th><td>{found.get('pixels', 0):,}</td><td>{baseline.get('pixels', 0):,}</td><td></td></tr>"
    st.html(
        f'<div class="es-scroll"><table class="es-table"><thead>{head}</thead><tbody>{rows}{pixels}</tbody></table></div>'
    )
    st.caption(
        "Every score is computed once, from the counts of all test pixels. The threshold was chosen on the training places."
    )


def confusion(run: TrainRun) -> None:
    """Confusion of the decoder, and of the baseline below it."""
    found = run.scores
    if found.get("confusion"):
        charts.confusion(found["confusion"], _CLASSES, "Decoder", "confusion_decoder")
    baseline = found.get("baseline") or {}
    if baseline.get("confusion"):
        charts.confusion(baseline["confusion"], _CLASSES, "NBR threshold", "confusion_baseline")
    style.small("Test pixels, and their share of the true class.")


def show_map(run: TrainRun, chosen: cached.JobFacts) -> None:
    """Errors, prediction or truth over the imagery of the test places."""
    scenes = _test_scenes(run)
    names = layers.composites_of(scenes) if scenes else []
    row = st.container(horizontal=True)
    with row:
        view = st.segmented_control("Show", _VIEWS if any(s.mask_path for s in scenes) else _VIEWS[:2], default="Errors",
                                    required=True, key="evaluate_view", label_visibility="collapsed")  # fmt: skip
        base = st.segmented_control("Below", names, default=names[1] if len(names) > 1 else names[0], required=True,
                                    key="evaluate_base", label_visibility="collapsed") if names else None  # fmt: skip
        place = st.selectbox("Test place", range(len(scenes)), format_func=lambda i: _place_words(scenes[i], i),
                             key="evaluate_place", label_visibility="collapsed", width=210) if scenes else None  # fmt: skip
    overlay = _overlay(run, str(view), scenes)
    at = layers.bounds_of([scenes[place]]) if place is not None else overlay.bounds_lonlat
    below = layers.imagery(scenes, base) if base else []
    maps.draw(
        maps.View(
            key=f"evaluate_{chosen.job.id}", bounds_lonlat=at, shown=(*below, overlay),
            outlines=layers.outlines(scenes, palette.ASH), overlay_label="Scars", overlay_percent=80,
        )
    )  # fmt: skip
    _legend(str(view), run)


def history(run: TrainRun) -> None:
    """How it learned, folded away."""
    epochs = run.history
    if epochs:
        with st.expander("How it learned", icon=":material/show_chart:"):
            charts.curves(epochs, f"history_{run.folder.name}")


def _run_words(found: cached.JobFacts) -> str:
    return f"{found.config.head.name} on {_backbone(found)} · {wording.when(found.submitted_at)} · seed {found.config.seed}"


def _backbone(found: cached.JobFacts) -> str:
    """Of the store that a training learned from; a damaged card leaves the list as it is."""
    if isinstance(found.config.store, ExtractConfig):
        return str(found.config.store.backbone.name)
    try:
        return TrainRun(found.job.folder).decoder.backbone
    except EngineError:
        return results.store_name(found.config.store)


def _overlay(run: TrainRun, view: str, scenes: Sequence[Scene]) -> maps.Shown:
    if view == "True":
        found = layers.labels(scenes, _TRUE)
        if found is not None:
            return found
    if view == "Errors":
        return layers.raster(
            run.errors, f"Errors of {run.decoder.head['name']} on {run.decoder.backbone}", _ERRORS
        )
    return layers.raster(
        run.predictions, f"Predicted by {run.decoder.head['name']} on {run.decoder.backbone}", _PREDICTED
    )


def _legend(view: str, run: TrainRun) -> None:
    hit, alarm, miss = (f"rgb{_ERRORS[k][:3]}" for k in (1, 2, 3))
    note = f"Test places only. Source: {run.decoder.source or 'not stated'}"
    match view:
        case "Errors":
            style.legend(((hit, "hit: burnt, and called so"), (alarm, "false alarm"), (miss, "miss")), note)
        case "True":
            style.legend(((f"rgb{_TRUE[:3]}", "burnt in the labels"),), note)
        case _:
            style.legend(((hit, "predicted burnt"),), note)


def _test_scenes(run: TrainRun) -> tuple[Scene, ...]:
    """Scenes below the test tiles; none where they have gone or may not be shown."""
    try:
        store = results.open_store(run.store_folder)
        scene = ExtractConfig.model_validate(store.meta.config).scene
        wanted = {
            name
            for tile in store.tiles
            if tile.id in set(run.decoder.split["test"])
            for name in tile.scene_ids
        }
        found = tuple(item for item in cached.scenes(scene) if item.id in wanted)
        if found:
            layers.imagery(found, layers.composites_of(found)[0])
    except (EngineError, IndexError, KeyError) as err:
        st.caption(f"Without imagery below: {wording.plain(str(err))}")
        return ()
    return found


def _place_words(scene: Scene, index: int) -> str:
    return f"Place {index + 1} · {wording.date(scene.datetime)}"


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float | int) else "undefined"


def _difference(one: Any, other: Any) -> float | None:
    return one - other if isinstance(one, float | int) and isinstance(other, float | int) else None


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}".replace("-", "−")
