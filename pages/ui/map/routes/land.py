"""Land and sea below the scenes: countries for the world from afar, and a finer coast in pieces.

Both are Natural Earth, which is in the public domain: the countries (1:110 m) from pyogrio's own package, the land
(1:10 m) from the npm package world-atlas. A piece is one tile of zoom 6.
"""

from __future__ import annotations

import functools
import json
import logging
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box

_TOPOLOGY = Path(__file__).resolve().parents[4] / "assets" / "static" / "vendor" / "land-10m.json"
PIECE_ZOOM = 6
# A coast at 1:10 m may lie so far from the true one; nearer to it the ground is neither land nor sea on a near map.
_UNSURE_KM = 2.5
_KM_PER_DEGREE = 111.2
# Pieces overlap a little, so that no seam shows between them.
_OVERLAP_DEGREES = 0.0005
_reading = threading.Lock()
_log = logging.getLogger(__name__)


def has_coast() -> bool:
    """Whether the finer coast was installed with the map libraries."""
    return _TOPOLOGY.is_file()


@functools.cache
def world() -> bytes:
    """Countries of Natural Earth 1:110 m as GeoJSON in lon/lat."""
    import pyogrio

    folder = Path(pyogrio.__file__).parent / "tests" / "fixtures" / "naturalearth_lowres"
    shapes = folder / "naturalearth_lowres.shp"
    if not shapes.is_file():
        _log.warning(
            "this build of pyogrio carries no Natural Earth countries; maps have no land below the scenes"
        )
        return _collection([])
    _, _, wkb, _ = pyogrio.raw.read(shapes, columns=[])
    return _collection([("land", found) for found in shapely.set_precision(shapely.from_wkb(wkb), 0.001)])


@functools.lru_cache(maxsize=256)
def piece(x: int, y: int) -> bytes:
    """Land, coast line and the unsure ground along it of one piece, as GeoJSON in lon/lat with a `kind`.

    Raises:
        LookupError: no such piece, or no finer coast here.
    """
    if not (0 <= x < 2**PIECE_ZOOM and 0 <= y < 2**PIECE_ZOOM and has_coast()):
        raise LookupError(f"{x}/{y}")
    west, south, east, north = _bounds(x, y)
    middle = (south + north) / 2
    unsure = _UNSURE_KM / _KM_PER_DEGREE
    around = (west - 0.2, south - 0.2, east + 0.2, north + 0.2)
    near = _areas(_polygons_at(*around))
    # Without the lines that clipping made.
    coast = shapely.intersection(
        shapely.boundary(near), box(west - 0.15, south - 0.15, east + 0.15, north + 0.15)
    )
    # A degree of longitude is shorter than one of latitude: the buffer is drawn where both are alike.
    narrow = math.cos(math.radians(middle))
    squeezed = shapely.transform(coast, lambda at: at * (narrow, 1.0))
    shore = shapely.transform(squeezed.buffer(unsure, quad_segs=2), lambda at: at / (narrow, 1.0))
    cut = shapely.box(west, south, east, north).buffer(_OVERLAP_DEGREES, join_style="mitre")
    parts = [("piece", near), ("shore", shore), ("coast", coast)]
    clipped = [(kind, shapely.intersection(found, cut)) for kind, found in parts]
    return _collection([(kind, shapely.transform(found, lambda at: at.round(4))) for kind, found in clipped])


def _areas(found: Any) -> MultiPolygon:
    """The polygons of what clipping left, without lines and points that only touched."""
    parts = shapely.get_parts(shapely.get_parts(found))
    return MultiPolygon([part for part in parts if isinstance(part, Polygon) and not part.is_empty])


def _polygons_at(west: float, south: float, east: float, north: float) -> Any:
    """The polygons that meet a box, without the lines between them."""
    with _reading:  # a map asks for several pieces at once, and only the first should read the file
        tree = _tree()
    found = tree.geometries[tree.query(box(west, south, east, north))]
    try:
        clipped = shapely.make_valid(shapely.clip_by_rect(found, west, south, east, north))
    except (
        shapely.errors.GEOSException
    ):  # it stumbles over parts thinner than its grid; this takes 20 times as long
        clipped = shapely.intersection(shapely.make_valid(found), box(west, south, east, north))
    return shapely.union_all(clipped, grid_size=1e-6)


@functools.cache
def _tree() -> shapely.STRtree:
    """All polygons of the land, read from the topology: arcs of whole-number steps that polygons share."""
    topology = json.loads(_TOPOLOGY.read_bytes())
    step, origin = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [np.cumsum(arc, axis=0) * step + origin for arc in topology["arcs"]]
    (found,) = topology["objects"]["land"]["geometries"]
    return shapely.STRtree([part for rings in found["arcs"] for part in _around(_polygon(rings, arcs))])


def _around(polygon: Any) -> list[Any]:
    """A polygon, and where it comes to the antimeridian also the same a turn farther: the pieces there show both sides."""
    west, _, east, _ = polygon.bounds
    turns = [0, *([360] if west < -179.9 else []), *([-360] if east > 179.9 else [])]
    return [translate(polygon, turn) for turn in turns]


def _polygon(rings: Sequence[Sequence[int]], arcs: Sequence[np.ndarray]) -> Polygon:
    """A polygon on the plane; its longitudes may go beyond 180, and around a pole it is closed along that pole."""
    outer, *inner = (_unwrapped(_ring(ring, arcs)) for ring in rings)
    if abs(outer[-1, 0] - outer[0, 0]) > 180:
        pole = math.copysign(90, outer[:, 1].mean())
        outer = np.vstack([outer, [outer[-1, 0], pole], [outer[0, 0], pole]])
    middle = outer[:, 0].mean()
    turns = [360 * round((middle - ring[:, 0].mean()) / 360) for ring in inner]
    return Polygon(outer, [ring + np.array([turn, 0]) for ring, turn in zip(inner, turns, strict=True)])


def _unwrapped(ring: np.ndarray) -> np.ndarray:
    """The same ring without jumps at the antimeridian."""
    return np.column_stack([np.unwrap(ring[:, 0], period=360), ring[:, 1]])


def _ring(numbers: Sequence[int], arcs: Sequence[np.ndarray]) -> np.ndarray:
    """Arcs end to end, (n, 2); a negative number is an arc backwards (TopoJSON 1.0, section 2.1.4)."""
    parts = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    return np.vstack([parts[0], *(part[1:] for part in parts[1:])])


def _bounds(x: int, y: int) -> tuple[float, float, float, float]:
    from pages.ui.map.routes import rendering

    return rendering.tile_bounds(PIECE_ZOOM, x, y)


def _collection(parts: Sequence[tuple[str, Any]]) -> bytes:
    features = ",".join(
        f'{{"type":"Feature","properties":{{"kind":"{kind}"}},"geometry":{shapely.to_geojson(found)}}}'
        for kind, found in parts
        if not found.is_empty
    )
    return f'{{"type":"FeatureCollection","features":[{features}]}}'.encode()
