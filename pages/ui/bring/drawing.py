"""A small map in the dialog on which a person draws the ground that is wanted."""

from __future__ import annotations

from typing import Any

import shapely
import streamlit as st

from engine.errors import RegionError
from engine.imagery.region import Region
from pages.ui.look import wording
from pages.ui.look.palette import ASH
from pages.ui.map import maps
from pages.ui.map.maps import Bounds

DRAWN = "Drawn on a map"


def drawn(key: str, sight: Bounds, file: Bounds | None = None, name: str = "") -> Region | None:
    """The rectangle around what is drawn last; None while nothing is.

    Args:
        key: another one for another file.
        sight: what the map shows at first.
        file: bounds of the file, whose outline is on the map.
        name: of the file, beside the pointer.

    Raises:
        RegionError: what is drawn is no region.
    """
    outlines = () if file is None else (maps.Outline(shapely.box(*file), wording.plain(name), ASH, 2.0),)
    features = maps.draw(
        maps.View(page="bring", key=f"bring_map_{key}", bounds_lonlat=sight, outlines=outlines, can_draw=True, is_in_dialog=True)
    )  # fmt: skip
    if not features:
        st.caption(
            "Draw a rectangle with the tools on the right of the map. The rectangle around other shapes is taken."
        )
        return None
    region = Region.from_bounds(*_bounds_of(features[-1]))
    st.caption(f"Drawn: {wording.area(region.area_km2)}.")
    return region


def _bounds_of(feature: dict[str, Any]) -> Bounds:
    try:
        west, south, east, north = shapely.geometry.shape(feature["geometry"]).bounds
    except (shapely.errors.ShapelyError, AttributeError, KeyError, TypeError, ValueError) as err:
        raise RegionError("What is drawn is no region. Draw a rectangle.") from err
    return west, south, east, north
