"""Several rasters of one drop or folder: how they are to be read together, or each as a place of its own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from pyproj import Geod

from engine.imagery.scene import Scene
from engine.imagery.sources import FilesScene, SceneConfig, StackScene
from pages.ui.explore import own_draft, own_files
from pages.ui.look import wording

_MOST_APART = 12
_GEOD = Geod(ellps="WGS84")
_FAR_KM = 50
_READINGS = {
    "parts": "Parts of one image, which fill one another",
    "series": "Dates of one place, a series",
    "apart": "A place each",
}


def choose_reading(draft: own_draft.Draft, scenes: Sequence[Scene]) -> None:
    """Which reading of several rasters is meant.

    Args:
        scenes: as they are understood now; none where they cannot be read together.
    """
    if not isinstance(draft.scene, FilesScene | StackScene):
        return
    is_series = isinstance(draft.scene, StackScene)
    now = "series" if is_series else "parts"
    apart = own_files.places_apart(draft.scene)
    has_other = _has_several_files(scenes, apart) if is_series else len({one.datetime for one in scenes}) > 1
    offered = [now, *(["parts", "series"] if has_other else []), *(["apart"] if len(apart) > 1 else [])]
    if len(set(offered)) < 2:
        return
    if (far := _far_km(scenes)) > _FAR_KM:
        st.info(
            f"Two of these rasters lie {far:,.0f} km apart: a place each may be meant.",
            icon=":material/explore:",
        )
    chosen = st.segmented_control(
        "These rasters are", [one for one in _READINGS if one in offered], default=now, required=True,
        key=f"own_reading_{draft.turn}", format_func=_READINGS.__getitem__,
    )  # fmt: skip
    if chosen == "apart":
        own_draft.read_apart(draft, apart)
        st.rerun()
    if chosen != now:
        own_draft.read_as_series(draft, chosen == "series")
        st.rerun()


def say_which(draft: own_draft.Draft) -> None:
    """Which of several places is open, and which rasters are left out."""
    if draft.total > 1:
        number = draft.total - len(draft.waiting)
        st.caption(wording.plain(f"Place {number} of {draft.total}: {draft.title or draft.scene.title}"))
    if draft.left_out:
        names = ", ".join(draft.left_out)
        are = "cannot be read and is" if len(draft.left_out) == 1 else "cannot be read and are"
        st.warning(
            wording.plain(f"{names} {are} left out. The others are read."), icon=":material/broken_image:"
        )


def _has_several_files(scenes: Sequence[Scene], apart: Sequence[SceneConfig]) -> bool:
    """Whether the dates of a series are those of files, and not of the bands of one."""
    return len(apart) > 1 or len({path for scene in scenes for path in scene.paths}) > 1


def _far_km(scenes: Sequence[Scene]) -> float:
    """The longest way from a scene to its nearest neighbour, from middle to middle less half of their sizes."""
    if len(scenes) < 2:
        return 0.0
    shown = scenes[:_MOST_APART]
    return max(min(_between_km(one, other) for other in shown if other is not one) for one in shown)


def _between_km(one: Scene, other: Scene) -> float:
    middles = [scene.footprint.centroid for scene in (one, other)]
    _, _, metres = _GEOD.inv(middles[0].x, middles[0].y, middles[1].x, middles[1].y)
    return (metres - sum(max(scene.width, scene.height) * scene.gsd_m / 2 for scene in (one, other))) / 1000
