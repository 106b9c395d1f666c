"""What a person is looking at: place, region, store and run. The address carries it, so a refresh keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from engine.backbones import cards
from engine.jobs.configuration.config import FileScene, SceneConfig, SimulatedScene
from pages.ui import workspace
from pages.ui.state import address, bound, own_places, regions


@dataclass(frozen=True)
class Place:
    """Scenes that can be chosen by one word.

    Attributes:
        key: what the address says.
        backbone: what it is first looked at with; on the fire season, what decoders are first taught with.
    """

    key: str
    title: str
    scene: SceneConfig
    backbone: str


# Needs no weights, suits every level of reflectance, and its colours show what the default backbone's blur: on the twelve
# fires its first component alone tells burnt patches apart (AUC 0.84 to 0.98 on surface scenes, the embedded cloud-mask
# encoder's 0.50 to 0.76). It is a baseline without pretraining.
LOOKING = "rcf"
_PLACE = "place"
FIRST = Place(
    "fire",
    "A fresh burn scar",
    FileScene(source="file", path="assets/samples/fire_scar.tif"),
    LOOKING,
)
FIRES = Place(
    "fires",
    "Twelve fires, after",
    SimulatedScene(source="simulated", seed=0, date="post", chips=12),
    LOOKING,
)
_VIRGINIA = Place(
    "virginia",
    "Virginia coast",
    FileScene(source="file", path="assets/samples/virginia.tif"),
    LOOKING,
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


def places() -> list[Place]:
    """The embedded places, and those of the person's own whose files can be read."""
    own = [
        Place(one.key, f"{one.kept.title} (files gone)" if one.trouble else one.kept.title, one.kept.scene, one.kept.backbone)
        for one in own_places.listed() if one.kept is not None
    ]  # fmt: skip
    return [FIRST, FIRES, SEASON, _BEFORE, _VIRGINIA, *own]


def place() -> Place:
    """The place looked at."""
    return next((found for found in places() if found.key == place_key()), FIRST)


def place_key() -> str:
    """Of the place looked at, as the address says it."""
    return str(st.session_state.get("place_key", FIRST.key))


def set_place(key: str) -> None:
    """Look at another place; a region of the old one no longer holds."""
    if key != place().key:
        regions.choose(None)
    st.session_state["place_key"] = key
    st.session_state["place_absent"] = ""
    bound.settle(_PLACE)
    address.write("place", key if key != FIRST.key else None)


def usual_backbone(bands: Sequence[str]) -> str:
    """What scenes with these bands are first looked at with: random convolutional features read all but classes."""
    return LOOKING if set(bands) - set(cards.card(LOOKING).unread_bands) else "raw"


def is_ready(scene: SceneConfig) -> bool:
    """Whether nothing has to be made before the scenes can be looked at (the simulated season has to be, once)."""
    return scene.is_ready(workspace.folder())


def restore_from_address() -> None:
    """Take place and region from the address where the session knows none; write them back after a page switch."""
    if "place_key" not in st.session_state:
        wanted = address.read("place") or FIRST.key
        is_there = wanted in [found.key for found in places()]
        st.session_state["place_key"] = wanted if is_there else FIRST.key
        st.session_state["place_absent"] = "" if is_there else wanted
        asked = address.read("region") or ""
        st.session_state["region"] = regions.from_words(asked)
        st.session_state["region_absent"] = asked if st.session_state["region"] is None else ""
    key = place().key
    address.write("place", key if key != FIRST.key else None)
    address.write("region", regions.to_words(regions.chosen()))


def refuse_what_is_absent() -> None:
    """On every page: say which place and which region of the link are not in this workspace, until others are chosen."""
    for what, absent in ((_PLACE, st.session_state.get("place_absent")), (regions.WHAT, regions.absent())):
        if absent:
            bound.refuse(what, absent)


def job_id() -> str | None:
    """Folder name of the job that the page shows, from the address."""
    return address.read("job")


def set_job(found: str | None) -> None:
    """Keep the job in the address, so that a refresh finds it."""
    address.write("job", found)
