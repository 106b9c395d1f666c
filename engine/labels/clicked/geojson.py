"""Clicked labels as GeoJSON: read with every feature checked, written atomically, changed by one visitor at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from filelock import FileLock
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from engine.errors import LabelError
from engine.files import make_folder, write_atomic
from engine.labels.clicked.label_set import USUAL, Label, LabelClass, LabelSet, checked_class

MOST_BYTES = 32_000_000
MOST_LABELS = 20_000
_KINDS = ("Point", "MultiPoint", "Polygon", "MultiPolygon")
_LONLAT = CRS.from_user_input("OGC:CRS84")


def labels_path(store_folder: Path) -> Path:
    """Where the labels of a store are kept: in the run folder of its extraction."""
    return store_folder.parent / "clicked" / "labels.geojson"


def read_labels(path: Path) -> LabelSet:
    """The labels of a file; without a file none, of the classes not burnt and burnt.

    Raises:
        LabelError: as `parse_labels`.
    """
    if not path.is_file():
        return LabelSet()
    return parse_labels(path.read_bytes(), path.name)[0]


def write_labels(path: Path, labels: LabelSet) -> None:
    """Write labels and classes.

    Raises:
        DiskFull: no room.
    """
    text = to_geojson(labels)
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def change_labels(path: Path, change: Callable[[LabelSet], LabelSet]) -> LabelSet:
    """Read, change and write labels; another visitor who labels the same store waits meanwhile.

    Raises:
        LabelError: the file is damaged, or what `change` raises; the file stays as it was.
        DiskFull: no room.
    """
    make_folder(path.parent)
    with FileLock(path.with_suffix(".lock")):
        changed = change(read_labels(path))
        write_labels(path, changed)
    return changed


def to_geojson(labels: LabelSet) -> str:
    """A feature collection in lon/lat; the classes stand in a member of their own."""
    colours = {one.name: one.colour for one in labels.classes}
    features = [
        {
            "type": "Feature", "id": one.id, "geometry": mapping(one.shape),
            "properties": {
                "class": one.class_name, "colour": colours[one.class_name], "who": one.who, "when": one.when,
                "source": one.source, "store": one.store, "patches": list(one.patches),
            },
        }
        for one in labels.labels
    ]  # fmt: skip
    classes = [{"name": one.name, "colour": one.colour} for one in labels.classes]
    return json.dumps(
        {"type": "FeatureCollection", "classes": classes, "features": features}, ensure_ascii=False, indent=1
    )


def parse_labels(content: bytes, name: str, known: tuple[LabelClass, ...] = ()) -> tuple[LabelSet, list[str]]:
    """The labels of a GeoJSON, and what a person should know of how it was read.

    Args:
        name: of the file, for messages.
        known: classes that there are already; others of the file are added after them, and told.

    Raises:
        LabelError: no GeoJSON, a CRS that is unknown, a feature without class or of another shape than points and
            polygons, places that are not on Earth, or no features.
    """
    tree = _tree(content, name)
    to_lonlat, notes = _transformer(tree, name)
    given = [
        checked_class(str(one.get("name", "")), str(one.get("colour", ""))) for one in _classes(tree, name)
    ]
    classes = {one.name: one for one in (*known, *given)}
    start = set(classes) if known else {one.name for one in given}
    labels = [
        _label(feature, f"Feature {number} of {name}", to_lonlat)
        for number, feature in enumerate(tree["features"], 1)
    ]
    colours = {
        one.class_name: str(_properties(feature).get("colour") or "")
        for one, feature in zip(labels, tree["features"], strict=True)
    }
    found = LabelSet(tuple(classes.values()))
    for class_name in dict.fromkeys(one.class_name for one in labels):
        if class_name not in classes:
            found = found.with_class(class_name, colours[class_name] or None)
    new = [
        one.name
        for one in found.classes
        if one.name not in (start if not known else {one.name for one in known})
    ]
    if known and new:
        notes.append(f"{name} has classes that were not here and are added: {', '.join(new)}.")
    return LabelSet(found.classes or USUAL, tuple(labels)), notes


def _tree(content: bytes, name: str) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise LabelError(
            f"{name} has {len(content) / 1e6:.0f} MB, and labels have at most {MOST_BYTES / 1e6:.0f} MB. Split it."
        )
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as err:
        raise LabelError(f"{name} is no GeoJSON: {str(err)[:100]}. Export labels as GeoJSON.") from err
    features = tree.get("features") if isinstance(tree, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise LabelError(f"{name} is no GeoJSON feature collection. Export labels as GeoJSON.")
    if len(features) > MOST_LABELS:
        raise LabelError(
            f"{name} has {len(features):,} features, and labels are at most {MOST_LABELS:,}. Split it."
        )
    return dict(tree)


def _classes(tree: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    classes = tree.get("classes", [])
    if not isinstance(classes, list) or not all(isinstance(one, dict) for one in classes):
        raise LabelError(f"The classes of {name} are no list of names and colours. Export the labels again.")
    return classes


def _transformer(tree: Mapping[str, Any], name: str) -> tuple[Transformer | None, list[str]]:
    """From the CRS that the file names to lon/lat; None where it is lon/lat already."""
    crs = tree.get("crs")
    if crs is None:
        return None, []
    try:
        stated = str(crs["properties"]["name"])
        own = CRS.from_user_input(stated)
    except (CRSError, KeyError, TypeError) as err:
        raise LabelError(f"{name} names a CRS that is unknown here. Save it in lon/lat (OGC:CRS84).") from err
    if (own.is_geographic and own.equals(_LONLAT, ignore_axis_order=True)) or own.to_epsg() == 4326:
        return None, []
    return Transformer.from_crs(own, _LONLAT, always_xy=True), [
        f"{name} is in {own.name} and was reprojected to lon/lat."
    ]


def moved(outline: BaseGeometry, to: Transformer) -> BaseGeometry:
    """A shape in another CRS, vertex by vertex."""

    def move(places: np.ndarray) -> np.ndarray:
        return np.stack(to.transform(*places.T), axis=1)

    return shapely.transform(outline, move)


def _label(feature: Mapping[str, Any], words: str, to_lonlat: Transformer | None) -> Label:
    told = _properties(feature)
    class_name = " ".join(str(told.get("class") or "").split())
    if not class_name:
        raise LabelError(f"{words} has no class. Give each feature a property named class.")
    patches = told.get("patches")
    return Label(
        class_name, _shape(feature, words, to_lonlat), str(told.get("who") or "")[:60], str(told.get("when") or "")[:40],
        str(told.get("source") or "imported")[:20], str(told.get("store") or "")[:200],
        tuple(str(one)[:200] for one in patches[:1000]) if isinstance(patches, list) else (),
        **({"id": feature["id"][:40]} if isinstance(feature.get("id"), str) else {}),
    )  # fmt: skip


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    told = feature.get("properties")
    return told if isinstance(told, dict) else {}


def _shape(feature: Mapping[str, Any], words: str, to_lonlat: Transformer | None) -> BaseGeometry:
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") not in _KINDS:
        raise LabelError(f"{words} is no point and no polygon. Labels are points or polygons.")
    try:
        found = shapely.force_2d(shape(geometry))
        found = found if to_lonlat is None else moved(found, to_lonlat)
        found = found if found.is_valid else shapely.make_valid(found)
        west, south, east, north = found.bounds
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.errors.ShapelyError) as err:
        raise LabelError(
            f"The coordinates of {words[0].lower()}{words[1:]} cannot be read. Save it again."
        ) from err
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise LabelError(
            f"{words} lies at {west:g}, {south:g}, which are no degrees of longitude and latitude. Save it in lon/lat, or with "
            f"the name of its CRS."
        )
    return found
