"""What a person clicked or drew on the map to label: told by the map once, and made a label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from engine.errors import LabelError
from engine.labels.clicked.geojson import change_labels
from engine.labels.clicked.label_set import Label, now
from engine.labels.clicked.on_store import rows_of
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from pages.ui import workspace


def take(
    map_key: str, of: str, path: Path, class_name: str, store: EmbeddingStore, tiles: tuple[StoredTile, ...]
) -> None:
    """Keep what the map tells as a label, unless it was kept already.

    Args:
        of: what `ShownLens.of` says.
        path: of the labels.
        tiles: that are looked at.

    Raises:
        LabelError: it lies on no patch with data.
        DiskFull: no room.
    """
    told = (st.session_state.get(map_key) or {}).get("last_active_drawing") or {}
    properties = told.get("properties") or {}
    serial = properties.get("serial")
    if properties.get("of") != of or not isinstance(serial, int) or serial <= last_serial(map_key):
        return
    st.session_state[f"{map_key}/serial"] = serial
    outline = _shape(told.get("geometry"))
    if outline is None or not properties.get("isLabel"):
        return
    source = "clicked" if outline.geom_type == "Point" else "drawn"
    made = Label(class_name, outline, workspace.name(), now(), source, store.folder.parent.name)
    change_labels(path, lambda found: _with(found, made, store, tiles))


def last_serial(map_key: str) -> int:
    """The last of what the map told that was heard."""
    return int(st.session_state.get(f"{map_key}/serial", 0))


def _with(found: Any, made: Label, store: EmbeddingStore, tiles: tuple[StoredTile, ...]) -> Any:
    changed = found.with_label(made)
    if rows_of(type(found)(found.classes, (made,)), store, tiles).outside:
        raise LabelError("There is no patch with data there. Click where the map is coloured.")
    return changed


def _shape(geometry: Any) -> BaseGeometry | None:
    try:
        found = shape(geometry)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError):
        return None
    is_label = found.geom_type == "Point" or (found.geom_type == "Polygon" and found.area > 0)
    return (found if found.is_valid else found.buffer(0)) if is_label else None
