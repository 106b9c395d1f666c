"""The region that a person works on: drawn, typed or uploaded, and how the address carries it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import shapely
import streamlit as st
from shapely.geometry import MultiPolygon, Polygon

from engine.errors import EngineError
from engine.files import make_folder, write_atomic
from engine.imagery.region import Region
from engine.jobs.configuration.config import RegionConfig
from engine.jobs.configuration.region import region_of
from pages.ui import workspace
from pages.ui.look import wording
from pages.ui.state import address, bound, region_upload

# Addresses stay short: a polygon with more corners than this is kept as a file.
_MOST_CORNERS = 40
_FILE = "file:"
WHAT = "region"  # how a page calls the one of a link that cannot be read


def chosen() -> RegionConfig | None:
    """The region chosen, or None for all that the scenes cover."""
    found = st.session_state.get("region")
    return found if isinstance(found, RegionConfig) else None


def choose(region: RegionConfig | None, *, is_drawn: bool = False) -> None:
    """Choose a region, or None for everything.

    Args:
        is_drawn: it stands on the map already, which then stays as it is; else the map is made anew around it.
    """
    st.session_state["region"] = region
    st.session_state["region_absent"] = ""
    bound.settle(WHAT)
    if not is_drawn:
        st.session_state["map_turn"] = map_turn() + 1
    address.write("region", to_words(region))


def absent() -> str:
    """The region that the link of this visit asks for where it is none, or is not in this workspace; "" otherwise."""
    return str(st.session_state.get("region_absent", ""))


def map_turn() -> int:
    """Counts the maps of Explore: what was drawn on an earlier one is gone."""
    return int(st.session_state.get("map_turn", 0))


def checked(region: RegionConfig) -> Region:
    """The region of a configuration.

    Raises:
        RegionError: out of range, self-crossing, too large, or its file is gone.
    """
    found = region_of(region)
    assert found is not None
    return found


def of_upload(files: Sequence[tuple[str, bytes]]) -> RegionConfig:
    """The region of an uploaded vector file, read as the command line reads it, and kept as `of_outline` says.

    Args:
        files: name and content of each; several where a Shapefile comes in parts. A name becomes no path.

    Raises:
        RegionError: of an unknown format, without a CRS, or not one polygon.
    """
    return of_outline(region_upload.read(files))


def of_outline(region: Region) -> RegionConfig:
    """An outline as a configuration names it.

    A polygon of few corners stands in the configuration itself. Holes, several parts and long outlines are kept as a
    file of the workspace, named by its content.
    """
    outline = shapely.force_2d(region.polygon)
    if isinstance(outline, MultiPolygon) and len(outline.geoms) == 1:
        outline = outline.geoms[0]
    if isinstance(outline, Polygon) and not outline.interiors:
        corners = tuple((float(x), float(y)) for x, y in outline.exterior.coords[:-1])
        if len(corners) <= _MOST_CORNERS:
            return RegionConfig(polygon_lonlat=corners)
    return RegionConfig(file=str(_keep(shapely.to_geojson(outline))))


def in_words() -> str:
    """The chosen region as a sentence's end."""
    region = chosen()
    try:
        return wording.area(checked(region).area_km2) if region else "all that its scenes cover"
    except EngineError:
        return "not usable; choose it again"


def to_words(region: RegionConfig | None) -> str | None:
    """A region as the address carries it; None where there is none."""
    match region:
        case RegionConfig(bounds_lonlat=bounds) if bounds is not None:
            return ",".join(f"{value:.5f}" for value in bounds)
        case RegionConfig(polygon_lonlat=corners) if corners is not None and len(corners) <= _MOST_CORNERS:
            rounded = [[round(value, 5) for value in corner] for corner in corners]
            return json.dumps(rounded, separators=(",", ":"))
        case RegionConfig(file=file) if file is not None and Path(file).parent == _folder():
            return f"{_FILE}{Path(file).stem}"
        case _:
            return None


def from_words(words: str) -> RegionConfig | None:
    """A region written in an address; whatever is not one is left out."""
    try:
        region = _parse(words)
        if region is not None:
            checked(region)
    except (ValueError, EngineError):
        return None
    return region


def _parse(words: str) -> RegionConfig | None:
    if words.startswith(_FILE):
        name = words.removeprefix(_FILE)
        return RegionConfig(file=str(_path(name))) if re.fullmatch(r"[0-9a-f]{16}", name) else None
    values = json.loads(words if words.startswith("[") else f"[{words}]")
    if not values:
        return None
    if isinstance(values[0], list):
        return RegionConfig(polygon_lonlat=values)
    return RegionConfig(bounds_lonlat=values)


def _keep(geojson: str) -> Path:
    """Write an outline into the workspace, once for each content."""
    path = _path(hashlib.sha256(geojson.encode()).hexdigest()[:16])
    if not path.is_file():
        make_folder(path.parent)
        write_atomic(path, lambda temporary: temporary.write_text(geojson, encoding="utf-8"))
    return path


def _path(name: str) -> Path:
    return _folder() / f"{name}.geojson"


def _folder() -> Path:
    return workspace.folder() / "regions"
