"""The dates of a series on the Extract page: which are read, and how they become one row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import streamlit as st

from engine.backbones.core.spec import BackboneSpec
from engine.errors import ConfigError
from engine.imagery.scene import Scene
from engine.imagery.sources import NetcdfScene, SceneConfig, StackScene, StacScene, ZarrScene
from engine.imagery.sources.series import gaps_told, is_series
from engine.jobs.configuration.config import BackboneConfig
from pages.ui import workspace
from pages.ui.look import wording
from pages.ui.look.fields import choices_of, help_of

Temporal = Literal["mean", "max", "difference", "concatenate", "keep"]
_WORDS: dict[Temporal, str] = {
    "mean": "mean of the dates",
    "max": "largest number of the dates",
    "difference": "first date minus the second",
    "concatenate": "dates side by side",
    "keep": "each date by itself",
}


def choose(spec: BackboneSpec, scene: SceneConfig, scenes: Sequence[Scene]) -> tuple[SceneConfig, Temporal]:
    """Ask which dates are read and how they are joined, where there are several; else as they are, and the default.

    Raises:
        ConfigError: no date is chosen.
    """
    if scene.overlaps or not is_series(scenes):
        return scene, "mean"
    with st.container(border=True, key="x_series"):
        if isinstance(scene, StacScene):
            scene, times = _picked(scene)
        else:
            scene, times = _from_to(scene, [one.datetime for one in scenes if one.datetime])
        for words in gaps_told(scene.title, times):
            st.caption(wording.plain(words))
        if spec.max_frames > 1:
            st.caption(
                f"{spec.title} takes up to {spec.max_frames} dates at once, with their times; these are {len(times)}."
            )
            return scene, "mean"
        ways: list[Temporal] = choices_of(BackboneConfig, "temporal")
        found: Temporal = st.selectbox(
            "How the dates become one row", [way for way in ways if way != "difference" or len(times) == 2], key="x_temporal",
            help=help_of(BackboneConfig, "temporal"), format_func=lambda way: f"{way} · {_WORDS[way]}",
        )  # fmt: skip
        return scene, found


def _picked(scene: StacScene) -> tuple[SceneConfig, list[dt.datetime]]:
    """The days of a catalogue's series that are read, each chosen by itself.

    Raises:
        ConfigError: none is chosen.
    """
    days = scene.days_held(workspace.folder())
    chosen = st.pills(
        "Dates", days, selection_mode="multi", default=scene.days or days, key=f"x_days_{scene.title}_{days[0]}_{days[-1]}",
        help=help_of(StacScene, "days"), format_func=str,
    )  # fmt: skip
    kept = sorted(chosen or ())
    if not kept:
        raise ConfigError("No date of the series is chosen. Choose at least one.")
    st.caption(
        f"{wording.count(len(kept), 'date')} of {len(days)}. Click a date to leave it out, or to take it again."
    )
    found = scene.model_copy(update={"days": None if len(kept) == len(days) else tuple(kept)})
    return found, [dt.datetime.combine(day, dt.time(12), dt.UTC) for day in kept]


def _from_to(scene: SceneConfig, times: Sequence[dt.datetime]) -> tuple[SceneConfig, list[dt.datetime]]:
    """The first and the last day that are read, of sources that can be asked for some of their dates."""
    ordered = sorted(times)
    days = sorted({when.date() for when in ordered})
    if not isinstance(scene, NetcdfScene | ZarrScene | StackScene) or len(days) < 2:
        st.markdown(f"**{len(ordered)} dates**, {days[0]} to {days[-1]}")
        return scene, ordered
    first, last = st.select_slider(
        "Dates", days, (days[0], days[-1]), key=f"x_days_{scene.title}_{days[0]}_{days[-1]}", help=help_of(type(scene), "dates"),
        format_func=str,
    )  # fmt: skip
    kept = [when for when in ordered if first <= when.date() <= last]
    st.caption(
        f"{wording.count(len(kept), 'date')} of {len(ordered)}: {', '.join(f'{when:%Y-%m-%d}' for when in kept[:12])}"
    )
    return (scene if len(kept) == len(ordered) else scene.model_copy(update={"dates": (first, last)})), kept
