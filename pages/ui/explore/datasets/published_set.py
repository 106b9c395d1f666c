"""HLS Burn Scars as it was published: whether it is here, what fetching it takes, and the way to the whole tutorial."""

from __future__ import annotations

import streamlit as st

from engine.datasets.published import PUBLISHED, Published, dataset_folder
from engine.jobs.configuration.config import FetchConfig
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.jobs import dataset_ways, jobs_panel
from pages.ui.look import style, wording
from pages.ui.state import cached

_ONE = PUBLISHED["hls_burn_scars"]


def show() -> bool:
    """What it is, and the next step.

    Returns:
        Whether the dialog is left.
    """
    st.markdown(
        f"**{_ONE.title}**: {_ONE.chips} labelled chips of {_ONE.side_px} × {_ONE.side_px} px from Landsat and Sentinel-2, "
        f"contiguous United States, 2018 to 2021, with the splits of the tutorial. {_ONE.licence}, "
        f"[{_ONE.repository}]({_ONE.page})."
    )
    st.caption(f"{_ONE.citation}.")
    folder = dataset_folder(_ONE, workspace.folder())
    if folder.is_dir():
        st.caption(f":material/download_done: It is on this server: {wording.plain(str(folder))}.")
        return dataset_ways.offer(folder, _ONE.title, "published")
    return _fetch(_ONE)


def _fetch(one: Published) -> bool:
    """Its download, under way or to be started."""
    job = next(
        (item.job for item in cached.jobs()
         if item.kind == "fetch" and item.state != "finished" and isinstance(item.config, FetchConfig) and item.config.dataset == one.name),
        None,
    )  # fmt: skip
    if job is not None:
        jobs_panel.panel(job)
        st.caption("It goes on when this window or the tab is closed; Runs finds it again.")
        return False
    style.facts(
        (
            ("Over the network", wording.megabytes(one.size_bytes / 1e6)),
            ("On disk", wording.megabytes(one.unpacked_bytes / 1e6)),
            ("Room while unpacking", wording.megabytes((one.size_bytes + one.unpacked_bytes) / 1e6)),
        )
    )
    if st.button(
        "Fetch it", type="primary", key="fetch_published", icon=":material/cloud_download:",
        help="A cut connection goes on where it ended. It is held against the sha256 that the hub states, every chip is checked, "
        "and nothing appears before all of it is there.",
    ):  # fmt: skip
        submit(FetchConfig(dataset="hls_burn_scars"), workspace.folder())
        st.rerun(scope="fragment")
    st.code(f"python -m engine fetch {one.name}", language="bash")
    return False
