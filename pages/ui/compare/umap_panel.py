"""The UMAP of the scatter: its settings, the job that makes it, and what is kept with the store."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.jobs.configuration.config import MeasureConfig, UmapConfig
from engine.jobs.job import submit
from engine.views.umap_layout import INSTALL, UmapLayout, is_installed, kept_layout
from pages.ui import workspace
from pages.ui.compare.sight import Seen
from pages.ui.jobs import jobs_panel
from pages.ui.look import errors, wording
from pages.ui.state import cached

NEEDED = f"UMAP needs the library umap-learn, which is not installed here. `{INSTALL}`"
_SAMPLES = (2_000, 5_000, 10_000, 20_000, 50_000)


def layout(one: Seen) -> tuple[UmapLayout | None, str]:
    """The layout of a store's view in the settings that are chosen, and words on it; None where it is not made yet."""
    asked = _asked(one)
    kept = kept_layout(one.view, asked)
    if kept is None:
        _offer(one, asked)
        return None, ""
    patches = sum(tile.rows for tile in one.view.chosen)
    part = (
        f"{len(kept.rows):,} of {patches:,} patches, evenly spread"
        if len(kept.rows) < patches
        else "all patches"
    )
    return kept, (
        f"UMAP of {part}; {asked.neighbours} neighbours, least distance {asked.min_distance:g}, seed {asked.seed}. What lies "
        f"near is alike; sizes of groups and distances between them mean little. "
    )


def mark(one: Seen, found: UmapLayout, row: int) -> np.ndarray | None:
    """(2,) point of a row of the store: its own, or that of the nearest patch of its tile that was laid out."""
    ends = np.cumsum([tile.rows for tile in one.view.store.tiles])
    number = int(np.searchsorted(ends, row, side="right"))
    tile = one.view.store.tiles[number]
    within = row - (int(ends[number]) - tile.rows)
    here = np.flatnonzero([one.view.chosen[each].id == tile.id for each in np.arange(len(one.view.chosen))])
    own = np.flatnonzero(np.isin(found.tiles, here))
    if not len(own):
        return None
    down, across = (
        part - other
        for part, other in zip(divmod(found.rows[own], tile.w), divmod(within, tile.w), strict=True)
    )
    nearest: np.ndarray = found.points[own[(down**2 + across**2).argmin()]]
    return nearest


def _asked(one: Seen) -> UmapConfig:
    with st.popover("UMAP settings", icon=":material/tune:", key="compare_umap_settings"):
        patches = st.selectbox(
            "Patches, evenly spread", _SAMPLES, index=2, key="umap_patches", format_func="{:,}".format,
            help="Fewer are laid out where the store has fewer. 10,000 take about half a minute on two cores.",
        )  # fmt: skip
        neighbours = st.number_input(
            "Neighbours", 2, 200, 15, key="umap_neighbours", help="Few show detail, many show the whole."
        )
        distance = st.slider("Least distance of points", 0.0, 0.9, 0.1, 0.05, key="umap_distance")
        seed = st.number_input("Seed", 0, 2**31, 0, key="umap_seed")
    return UmapConfig(
        layer=one.slot.layer, date=one.slot.date, position="remove" if one.slot.position == "remove" else "keep",
        patches=int(patches), neighbours=int(neighbours), min_distance=float(distance), seed=int(seed),
    )  # fmt: skip


def _offer(one: Seen, asked: UmapConfig) -> None:
    """A button that starts the job, or the job where there is one."""
    if not is_installed():
        st.info(NEEDED, icon=":material/download:")
        return
    config = MeasureConfig(store=str(one.slot.store.folder), what=asked)
    job = next((facts for facts in cached.jobs() if facts.config == config), None)
    if job is not None and job.state != "finished":
        jobs_panel.panel(job.job)
        return
    count = min(asked.patches, sum(tile.rows for tile in one.view.chosen))
    st.caption(
        f"Not made yet of {wording.plain(one.slot.title)}. {count:,} patches, evenly spread, are laid out by a job; it is kept with the store."
    )
    if st.button("Make the UMAP", key="umap_start", type="primary", icon=":material/scatter_plot:"):
        with errors.in_words():
            submit(config, workspace.folder())
            st.rerun()
