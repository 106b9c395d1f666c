"""How well scenes were mapped, as their gallery tells it: by one training, or by the newest that was tested on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.jobs.configuration.config import SceneConfig
from engine.learning.keeping.result import TrainRun
from engine.learning.maps import scene_scores
from pages.ui.map import layers
from pages.ui.map.scene_gallery import NO_SCORES, Scores
from pages.ui.state import cached, results

# Older trainings are not looked into for the scores of scenes.
_NEWEST = 20


def of_run(run: TrainRun, scenes: Sequence[Scene]) -> Scores:
    """Of each scene that a training was tested on; none for a task without classes, or where its error map is gone."""
    kinds = tuple(run.task.error_style.names)
    if scene_scores.RIGHT not in kinds or not run.errors.is_file():
        return NO_SCORES
    ids = tuple(scene.id for scene in scenes)
    return Scores(_words(str(run.errors), run.errors.stat().st_mtime_ns, kinds, ids, tuple(scenes)))


def newest(source: SceneConfig, scenes: Sequence[Scene], store: Path | None = None) -> Scores:
    """By the newest training of the workspace that was tested on some of the scenes.

    Args:
        source: that the scenes were found by; another one's scenes may be others, even where they are called the same.
        store: only trainings on this one.
    """
    if len(scenes) < 2:
        return NO_SCORES
    for found in results.trainings()[:_NEWEST]:
        try:
            run = TrainRun.open(found.job.folder)
            if _is_of(run, source, store) and (told := of_run(run, scenes)).words:
                return Scores(told.words, results.training_words(found))
        except EngineError:
            continue  # a training whose files are damaged says so on its own page
    return NO_SCORES


def of_decoder(decoder: Path, store: Path, scenes: Sequence[Scene]) -> Scores:
    """By one decoder, of the scenes of a store that it was tested on, be they in this store or in another.

    Args:
        decoder: the run folder of its training.
    """
    try:
        run = TrainRun.open(decoder)
        if not _is_of(run, cached.extraction_of(results.open_store(store)).scene, None):
            return NO_SCORES
        return replace(of_run(run, scenes), by=f"{run.decoder.head['name']} on {run.decoder.backbone}")
    except EngineError:
        return NO_SCORES  # the training is gone, or its decoder came from another machine


def _is_of(run: TrainRun, source: SceneConfig, store: Path | None) -> bool:
    """Whether a training learned from these scenes."""
    if store is not None and run.store_folder.resolve() != store.resolve():
        return False
    config = cached.extraction_of(results.open_store(run.store_folder))
    return _source(config.scene) == _source(source)


def _source(config: SceneConfig) -> object:
    """Equal for the same scenes: of a simulated season the first few are those of the whole."""
    return config.model_dump(exclude={"chips"} if config.source == "simulated" else set())


@st.cache_data(show_spinner=False, max_entries=64)
def _words(
    errors: str, modified_ns: int, kinds: tuple[int, ...], ids: tuple[str, ...], _scenes: tuple[Scene, ...]
) -> dict[str, str]:
    del modified_ns, ids
    outlines = {scene.id: layers.footprint(scene) for scene in _scenes}
    return scene_scores.words_of(Path(errors), outlines, kinds)
