"""The parts of the Apply page: a map that is there or under way, or the choice of decoder and ground."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from engine.errors import JobError
from engine.jobs.configuration.config import SceneConfig
from engine.jobs.job import Job
from pages.ui.apply import form, result
from pages.ui.jobs import jobs_panel, progress_words, scene_scores, take
from pages.ui.look import errors, wording
from pages.ui.map import layers, maps, scene_gallery, stage
from pages.ui.state import cached, results, session


def chosen_job(applied: Sequence[cached.JobFacts]) -> cached.JobFacts | None:
    """The map that the address names."""
    name = session.job_id()
    return next((one for one in applied if one.job.id == name), None)


def show_form(
    page: stage.Stage, runs: Sequence[cached.JobFacts], stores: Sequence[cached.JobFacts], applied: Sequence[cached.JobFacts]
) -> None:  # fmt: skip
    """Decoder and ground, and the maps that were made before."""
    with page.panel, errors.in_words():
        scene = form.show(runs, stores)
        _earlier(applied)
    with page.map, errors.in_words():
        _look_at(scene or session.place().scene)


def show_job(page: stage.Stage, found: cached.JobFacts) -> None:
    """The job while it is under way; its map once it has finished."""
    with page.panel, errors.in_words():
        if found.state != "finished":
            jobs_panel.panel(found.job)
            if found.state in jobs_panel.ACTIVE:
                st.caption("The job goes on when this tab is closed; Runs finds it again.")
            _another()
    if found.state != "finished":
        with page.map, errors.in_words():
            _look_at(_scene_of(found))
        return
    with page.panel, errors.in_words():
        every = _maps(found.job)
        shown = result.choose(every)
        disagreement = result.shows_disagreement(shown)
        scenes = result.scenes_of(shown.facts)
    with page.map, errors.in_words():
        result.show(found.job, shown, scenes, disagreement)
    with page.panel, errors.in_words():
        result.panel(shown)
        take.links([("Report of all of it, one page", take.map_report_address(found.job.folder))])
        result.series(every)
        _another()
    with page.legend:
        result.legend(shown.facts)


def _maps(job: Job) -> list[result.Shown]:
    found = result.open_maps(job)
    if not found:
        raise JobError(f"{job.id} has finished, but its maps are no longer in its folder. Make them again.")
    return found


def _another() -> None:
    if st.button("Map other ground", key="new_apply", icon=":material/add:", width="stretch"):
        session.set_job(None)
        st.rerun()


def _earlier(applied: Sequence[cached.JobFacts]) -> None:
    """Maps that were made before, newest first."""
    if not applied:
        return
    with st.expander(f"{wording.count(len(applied), 'map')} made before", icon=":material/history:"):
        for found in applied[:20]:
            words = f"{progress_words.progress(cached.events_of(found.job), found.state)[1]} · {wording.when(found.submitted_at)}"
            if st.button(wording.plain(words), key=f"open_{found.job.id}", type="tertiary"):
                session.set_job(found.job.id)
                st.rerun()


def _scene_of(found: cached.JobFacts) -> SceneConfig:
    """Scenes of the first ground of a job."""
    first = found.config.ground[0]
    if isinstance(first, str):
        first = cached.extraction_of(results.open_store(Path(first)))
    return first.scene


def _look_at(scene: SceneConfig) -> None:
    """The ground, so that the map is not empty while nothing is mapped."""
    if not session.is_ready(scene):
        return
    scenes = cached.scenes(scene)
    imagery = layers.imagery(scenes, layers.best_of(scenes))
    key = hashlib.sha256(scene.model_dump_json().encode()).hexdigest()[:16]
    maps.draw(
        maps.View(
            page="apply", key=f"apply_ground_{key}", focus=key, bounds_lonlat=layers.opening(scenes),
            boxes=layers.boxes_of(scenes),
            shown=tuple(scene_gallery.with_gallery(imagery, scenes, scene_scores.newest(scene, scenes))),
        )
    )  # fmt: skip
