"""What a person is looking at: place, region, store and run. The address carries it, so a refresh keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.backbones import cards
from engine.jobs.config import FileScene, SceneConfig, SimulatedScene
from pages.ui import workspace
from pages.ui.state import address, regions


@dataclass(frozen=True)
class Place:
    """Scenes that can be chosen by one word.

    Attributes:
        key: what the address says.
        backbone: the card that suits its level of processing.
    """

    key: str
    title: str
    scene: SceneConfig
    backbone: str


_VIRGINIA = Place(
    "virginia",
    "Virginia coast",
    FileScene(source="file", path="assets/samples/virginia.tif"),
    "csmask_b4_l1c",
)
SEASON = Place(
    "season", "Fire season, after", SimulatedScene(source="simulated", seed=0, date="post"), "csmask_b4_l2a"
)
_BEFORE = Place(
    "season-before",
    "Fire season, before",
    SimulatedScene(source="simulated", seed=0, date="pre"),
    "csmask_b4_l2a",
)
# Backbones to begin with on scenes of one's own; the last one takes any bands.
_USUAL = ("csmask_b4_l2a", "csmask_b4_l1c", "raw")


def places() -> list[Place]:
    """The embedded places, and those that this session added."""
    return [_VIRGINIA, SEASON, _BEFORE, *st.session_state.get("own_places", {}).values()]


def own_places() -> int:
    """How many places of their own the person has opened so far."""
    return int(st.session_state.get("own_opened", 0))


def place() -> Place:
    """The place looked at."""
    key = st.session_state.get("place_key", _VIRGINIA.key)
    return next((found for found in places() if found.key == key), _VIRGINIA)


def set_place(key: str) -> None:
    """Look at another place; a region of the old one no longer holds."""
    if key != place().key:
        regions.choose(None)
    st.session_state["place_key"] = key
    address.write("place", key if not key.startswith("own-") else None)


def add_place(scene: SceneConfig, path: Path, bands: Sequence[str], level: str | None) -> Place:
    """Scenes of one's own, for this session; those opened before under the same path are replaced.

    Args:
        bands: that all of the scenes have.
        level: of their reflectance, None where it is not known.
    """
    key = f"own-{path}"
    own: dict[str, Place] = st.session_state.setdefault("own_places", {})
    taken = {found.title for found in places() if found.key != key}
    title = scene.title if scene.title not in taken else f"{scene.title} · {path.parent.name}"
    if title in taken:
        title = str(path)
    own[key] = Place(key, title, scene, _usual_backbone(bands, level))
    st.session_state["own_opened"] = own_places() + 1
    return own[key]


def _usual_backbone(bands: Sequence[str], level: str | None) -> str:
    """The first usual backbone that the bands suffice for and that was trained at their level."""
    for name in _USUAL:
        card = cards.card(name)
        if not cards.missing_bands(card, bands) and (level is None or card.level in (None, "either", level)):
            return name
    return _USUAL[-1]


def is_ready(scene: SceneConfig) -> bool:
    """Whether nothing has to be made before the scenes can be looked at (the simulated season has to be, once)."""
    return scene.is_ready(workspace.folder())


def restore_from_address() -> None:
    """Take place and region from the address where the session knows none; write them back after a page switch."""
    if "place_key" not in st.session_state:
        wanted = address.read("place") or ""
        st.session_state["place_key"] = (
            wanted if wanted in [found.key for found in places()] else _VIRGINIA.key
        )
        st.session_state["region"] = regions.from_words(address.read("region") or "")
    key = place().key
    address.write("place", key if key != _VIRGINIA.key and not key.startswith("own-") else None)
    address.write("region", regions.to_words(regions.chosen()))


def job_id() -> str | None:
    """Folder name of the job that the page shows, from the address."""
    return address.read("job")


def set_job(found: str | None) -> None:
    """Keep the job in the address, so that a refresh finds it."""
    address.write("job", found)
