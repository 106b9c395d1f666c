"""KML and KMZ: polygons of placemarks with their names, times and data, read without entities and without fetching anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml
import defusedxml.ElementTree
import shapely
from shapely.geometry import MultiPolygon, Polygon

from engine.errors import RegionError

MOST_BYTES = 200_000_000


def read_kml(content: bytes, named: str) -> list[tuple[Polygon | MultiPolygon, dict[str, Any]]]:
    """The polygons of a KML file in lon/lat, each with what its placemark says.

    A time stands under `begin` (of a span, or the stamp itself) and `end`; extended data under their own names.

    Args:
        named: what messages call the file.

    Raises:
        RegionError: no KML, or one that declares entities.
    """
    try:
        root = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except defusedxml.DefusedXmlException as err:
        raise RegionError(
            f"{named} declares entities or a document type, which KML has no use for, and is not read. Export it again."
        ) from err
    except (ParseError, ValueError, RecursionError) as err:
        raise RegionError(f"{named} is no KML ({' '.join(str(err).split())[:80]}). Export it again.") from err
    if _tag(root) != "kml":
        raise RegionError(f"{named} is XML, but no KML: it begins with <{_tag(root)[:40]}>. Export it again.")
    found = []
    for placemark in _all(root, "Placemark"):
        polygons = [one for part in _all(placemark, "Polygon") if (one := _polygon(part, named)) is not None]
        if polygons:
            shape = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
            found.append((shape, _said(placemark)))
    return found


def _polygon(part: Element, named: str) -> Polygon | None:
    """A polygon with its holes; None where it has no corners."""
    outer = [_ring(one, named) for side in _all(part, "outerBoundaryIs") for one in _all(side, "coordinates")]
    inner = [_ring(one, named) for side in _all(part, "innerBoundaryIs") for one in _all(side, "coordinates")]
    if not outer or len(outer[0]) < 4:
        return None
    return shapely.Polygon(outer[0], [ring for ring in inner if len(ring) >= 4])


def _ring(coordinates: Element, named: str) -> list[tuple[float, float]]:
    try:
        corners = [corner.split(",") for corner in (coordinates.text or "").split()]
        return [(float(corner[0]), float(corner[1])) for corner in corners]
    except (ValueError, IndexError) as err:
        raise RegionError(
            f"{named} holds coordinates that are no numbers ({(coordinates.text or '').strip()[:40]!r}). Export it again."
        ) from err


def _said(placemark: Element) -> dict[str, Any]:
    """Name, times and extended data of a placemark."""
    said: dict[str, Any] = {}
    for child in placemark:
        if _tag(child) == "name":
            said["name"] = _text(child)
    for data in _all(placemark, "Data"):
        said[data.get("name") or "data"] = next((_text(one) for one in data if _tag(one) == "value"), "")
    for data in _all(placemark, "SimpleData"):
        said[data.get("name") or "data"] = _text(data)
    for tag, key in (("when", "begin"), ("begin", "begin"), ("end", "end")):
        for one in _all(placemark, tag):
            said[key] = _text(one)
    return {key: value for key, value in said.items() if value}


def _all(element: Element, tag: str) -> Iterator[Element]:
    return (one for one in element.iter() if _tag(one) == tag)


def _tag(element: Element) -> str:
    """The tag without its namespace, which differs between versions of KML."""
    return str(element.tag).rpartition("}")[2]


def _text(element: Element) -> str:
    return (element.text or "").strip()
