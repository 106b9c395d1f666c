"""What a person is looking at: place, region, store and run. The address carries it, so a refresh keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.imagery.region import Region
from engine.jobs.config import ChipsScene, FileScene, RegionConfig, SceneConfig, SimulatedScene
from engine.jobs.folder import runs_root

# Addresses stay short: a polygon with more corners than this is kept in the session only.
_MOST_CORNERS_IN_URL = 40


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
_AFTER = Place(
    "season", "Fire season, after", SimulatedScene(source="simulated", seed=0, date="post"), "csmask_b4_l2a"
)
_BEFORE = Place(
    "season-before",
    "Fire season, before",
    SimulatedScene(source="simulated", seed=0, date="pre"),
    "csmask_b4_l2a",
)


def places() -> list[Place]:
    """The embedded places, and those that this session added."""
    return [_VIRGINIA, _AFTER, _BEFORE, *st.session_state.get("own_places", {}).values()]


def place() -> Place:
    """The place looked at."""
    key = st.session_state.get("place_key", _VIRGINIA.key)
    return next((found for found in places() if found.key == key), _VIRGINIA)


def set_place(key: str) -> None:
    """Look at another place; a region of the old one no longer holds."""
    if key != place().key:
        set_region(None)
    st.session_state["place_key"] = key
    _to_address("place", key if not key.startswith("own-") else None)


def add_place(path: Path) -> Place:
    """A raster, or a folder in the layout of HLS Burn Scars, for this session."""
    is_folder = path.is_dir()
    scene: SceneConfig = (
        ChipsScene(source="chips", path=str(path)) if is_folder else FileScene(source="file", path=str(path))
    )
    made = Place(f"own-{path.resolve()}", path.stem, scene, "csmask_b4_l2a")
    st.session_state.setdefault("own_places", {})[made.key] = made
    return made


def season_is_there() -> bool:
    """Whether the simulated fire season has been made."""
    return (runs_root() / "data" / "simulated-0").is_dir()


def region() -> RegionConfig | None:
    """The region chosen, or None for all that the scenes cover."""
    found = st.session_state.get("region")
    return found if isinstance(found, RegionConfig) else None


def set_region(chosen: RegionConfig | None, *, is_drawn: bool = False) -> None:
    """Choose a region, or None for everything.

    Args:
        is_drawn: it stands on the map already, which then stays as it is; else the map is made anew around it.
    """
    st.session_state["region"] = chosen
    if not is_drawn:
        st.session_state["map_turn"] = map_turn() + 1
    _to_address("region", _region_words(chosen))


def map_turn() -> int:
    """Counts the maps of Explore: what was drawn on an earlier one is gone."""
    return int(st.session_state.get("map_turn", 0))


def restore_from_address() -> None:
    """Take place and region from the address where the session knows none; write them back after a page switch."""
    if "place_key" not in st.session_state:
        wanted = st.query_params.get("place", "")
        st.session_state["place_key"] = (
            wanted if wanted in [found.key for found in places()] else _VIRGINIA.key
        )
        st.session_state["region"] = _region_from_words(st.query_params.get("region", ""))
    key = place().key
    _to_address("place", key if key != _VIRGINIA.key and not key.startswith("own-") else None)
    _to_address("region", _region_words(region()))


def job_id() -> str | None:
    """Folder name of the job that the page shows, from the address."""
    return st.query_params.get("job")


def set_job(found: str | None) -> None:
    """Keep the job in the address, so that a refresh finds it."""
    _to_address("job", found)


def _to_address(key: str, value: str | None) -> None:
    if value is None:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def _region_words(chosen: RegionConfig | None) -> str | None:
    match chosen:
        case RegionConfig(bounds_lonlat=bounds) if bounds is not None:
            return ",".join(f"{value:.5f}" for value in bounds)
        case RegionConfig(polygon_lonlat=corners) if (
            corners is not None and len(corners) <= _MOST_CORNERS_IN_URL
        ):
            return json.dumps(
                [[round(value, 5) for value in corner] for corner in corners], separators=(",", ":")
            )
        case _:
            return None


def _region_from_words(words: str) -> RegionConfig | None:
    """A region written in an address; whatever is not one is left out."""
    try:
        values = json.loads(words if words.startswith("[") else f"[{words}]")
        if not values:
            return None
        chosen = (
            RegionConfig(polygon_lonlat=values)
            if isinstance(values[0], list)
            else RegionConfig(bounds_lonlat=values)
        )
        checked(chosen)
    except (ValueError, EngineError):
        return None
    return chosen


def checked(chosen: RegionConfig) -> Region:
    """The region of a configuration, checked at the door.

    Raises:
        RegionError: out of range, self-crossing or too large.
    """
    from engine.extraction.plan import region_of

    found = region_of(chosen)
    assert found is not None
    return found
