"""A place of a catalogue is brought to this machine, so that it can be used without a network."""

from __future__ import annotations

import streamlit as st

from engine.imagery.sources.stac import StacScene
from engine.jobs.configuration.fetch import FetchConfig
from engine.jobs.job import Job, submit
from pages.ui import workspace
from pages.ui.jobs import jobs_panel
from pages.ui.look import errors
from pages.ui.state import cached, own_places, session

_TOLD = "offline_told"


def offer(place: session.Place) -> None:
    """The button that starts the download, its progress, and the copy as the place once it is complete."""
    if not isinstance(place.scene, StacScene):
        return
    if place.scene.folder is not None:
        if st.session_state.pop(_TOLD, "") == place.key:
            st.toast("This place lies on this machine now.", icon=":material/download_done:")
        st.caption(":material/download_done: Its rasters lie on this machine: no network is needed.")
        return
    copy = place.scene.here(workspace.folder())
    if copy.folder is not None:
        own_places.read_from_copy(place.key, copy)
        st.session_state[_TOLD] = place.key
        st.rerun()
    job = _job_of(place.scene)
    if job is not None:
        jobs_panel.panel(job)
        return
    if st.button(
        "Bring it here for use without a network", key="bring_here", icon=":material/cloud_download:", width="stretch",
        help="All of its bands, cut to the place, are written to this server. It goes on when the tab is closed.",
    ):  # fmt: skip
        with errors.in_words():
            submit(FetchConfig(scene=place.scene), workspace.folder())
            st.rerun()


def _job_of(scene: StacScene) -> Job | None:
    """The newest download of these scenes, under way or ended before it was complete."""
    found = (
        one.job for one in cached.jobs()
        if one.kind == "fetch" and one.state != "finished" and isinstance(one.config, FetchConfig) and one.config.scene == scene
    )  # fmt: skip
    return next(found, None)
