"""The dialog in which files of one's own become a place: choosing them, a picture, what was understood, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from engine.errors import EngineError
from engine.imagery import plausibility
from engine.imagery.raster.layout import layout_of
from engine.imagery.scene import Scene
from engine.imagery.sources import SceneConfig
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig
from pages.ui import workspace
from pages.ui.explore import (
    own_corrections,
    own_draft,
    own_files,
    own_folders,
    own_picture,
    own_several,
    understood,
)
from pages.ui.jobs import config_view
from pages.ui.look import errors, wording
from pages.ui.map import layers
from pages.ui.state import cached, own_answers, own_places, regions, session

_CHOOSING = "own_choosing"


def offer() -> None:
    """The button that opens the dialog, and the dialog while it is open."""
    if st.button("Open my own", icon=":material/folder_open:", key="open_own"):
        own_draft.leave()
        st.session_state[_CHOOSING] = True
    if own_draft.current() is not None:
        st.session_state[_CHOOSING] = False
        _look()
    elif st.session_state.get(_CHOOSING):
        _choose()


def _dismissed() -> None:
    st.session_state[_CHOOSING] = False
    own_draft.leave()


@st.dialog("Open my own", width="large", on_dismiss=_dismissed)
def _choose() -> None:
    """The folders of the server, or a typed path."""
    st.write(
        "Choose a raster (GeoTIFF, JPEG 2000), a cube of dates (netCDF, Zarr), a product's folder (SAFE, HLS, Landsat) or a folder of chips. "
        "Files of this computer can be dropped onto the page instead."
    )
    path = own_folders.choose()
    typed = ""
    with st.expander("Type a path", icon=":material/keyboard:"), st.form("own_path_form", border=False):
        said = st.text_input("Path on the server, or https address of a Zarr store", key="own_path").strip()
        if st.form_submit_button("Look at it", key="own_open"):
            typed = said
    if path is not None or typed:
        with errors.in_words(stop=False):
            own_draft.open_path(path or own_folders.typed(typed))
            st.rerun()


@st.dialog("Is this right?", width="large", on_dismiss=_dismissed)
def _look() -> None:
    """What was understood of the files, with a picture; each of it can be corrected."""
    draft = own_draft.current()
    if draft is None:
        return
    try:
        raster = own_files.first_raster(draft.scene)
        layout = layout_of(raster)
    except EngineError as err:
        errors.tell(err)
        return
    key = str(draft.turn)
    own_several.say_which(draft)
    before, _ = _read(draft.scene)
    _recalled(draft)
    own_several.choose_reading(draft, before)
    shown, right = st.columns([1, 1.15], gap="medium")
    facts = right.container()
    with right.expander(
        "Correct it", icon=":material/edit_note:", expanded=not before, key=f"own_correct_{key}"
    ):
        said = own_corrections.ask(before, raster, layout, key)
    scene, scenes, trouble = _corrected(draft.scene, said)
    with shown, errors.in_words(stop=False):
        own_picture.show(scenes, raster, layout, key)
    with facts:
        if trouble is not None:
            errors.tell(trouble)
        if scenes:
            understood.show(scenes)
    if scene is not None and scenes and trouble is None:
        _use(draft, scene, scenes)


def _corrected(
    scene: SceneConfig, said: dict[str, Any]
) -> tuple[SceneConfig | None, Sequence[Scene], EngineError | None]:
    """The source with the corrections, its scenes, and what cannot be right about it."""
    try:
        corrected = own_draft.with_said(scene, said)
    except EngineError as err:
        return None, (), err
    scenes, trouble = _read(corrected)
    return corrected, scenes, trouble


def _read(scene: SceneConfig) -> tuple[Sequence[Scene], EngineError | None]:
    """The scenes of a source, and what is wrong with it or with its values."""
    try:
        scenes = cached.scenes(scene)
    except EngineError as err:
        return (), err
    try:
        layers.imagery(scenes, layers.best_of(scenes))
        _look_at_values(scene.model_dump_json(), scene.stamp(workspace.folder()), scenes)
    except EngineError as err:
        return scenes, err
    return scenes, None


@st.cache_data(show_spinner=False, max_entries=64)
def _look_at_values(key: str, stamp: float, _scenes: Sequence[Scene]) -> tuple[str, ...]:
    """What is odd about the values, in words.

    Raises:
        SceneError: values that no reading makes sense of.
    """
    del key, stamp
    return plausibility.look_at(_scenes, layers.common_bands(_scenes))


def _recalled(draft: own_draft.Draft) -> None:
    """That the files are read as others of their folder, and the way back."""
    if not draft.is_recalled:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        where = "dropped into the page" if own_files.uploads_of(draft.scene) else "of this folder"
        st.info(f"Read as you corrected such files {where} before.", icon=":material/history:")
        if st.button("Forget that", key="own_forget", icon=":material/undo:"):
            own_draft.forget_said(draft)
            st.rerun()


def _use(draft: own_draft.Draft, scene: SceneConfig, scenes: Sequence[Scene]) -> None:
    """What is odd, the name, and the button that makes the files the place looked at."""
    for note in _look_at_values(scene.model_dump_json(), scene.stamp(workspace.folder()), scenes):
        st.warning(wording.told(note), icon=":material/help:")
    title = st.text_input(
        "Name of the place", own_places.free_title(draft.title or scenes[0].title, scene), key=f"own_title_{draft.turn}",
        max_chars=own_places.LONGEST_TITLE,
    )  # fmt: skip
    backbone = session.usual_backbone(layers.common_bands(scenes))
    with st.container(horizontal=True):
        if st.button("Use it", type="primary", key="own_use", icon=":material/check:"):
            with errors.in_words(stop=False):
                _keep(draft, scene, title, backbone)
                st.rerun()
        if st.button("Leave this one" if draft.waiting else "Leave it", key="own_leave"):
            if not own_draft.go_on(draft):
                _dismissed()
            st.rerun()
    with st.expander("The same without the browser", icon=":material/terminal:", key="own_yaml"):
        config_view.show(ExtractConfig(scene=scene, backbone=BackboneConfig(name=backbone)), title, "own")


def _keep(draft: own_draft.Draft, scene: SceneConfig, title: str, backbone: str) -> None:
    """Make the place, look at it, and keep what was said for the next file of the folder.

    Raises:
        BadInput: the name cannot be used.
    """
    key = own_places.keep(title, scene, backbone)
    said = scene.model_dump(include={"sensor", "bands", "scale", "offset", "nodata", "level"})
    own_answers.remember(own_files.folder_of(scene), own_files.layouts_of(scene), said)
    session.set_place(key)
    if draft.region is not None:
        regions.choose(draft.region)
    if not own_draft.go_on(draft):
        own_draft.close()
    if any(value is not None for value in said.values()):
        st.toast("The next file of this kind from the same folder opens alike.", icon=":material/history:")
