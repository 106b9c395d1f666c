"""Where the patches of a store lie in Web Mercator: from map metres to columns and rows of each tile's patches.

The box of a tile in degrees is off by 80 to 330 m over 10 km and an affine map by 3 to 7 m; a cubic polynomial by
0.1 m over 110 km (measured in UTM). One is fitted to each tile, about the tile's own middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyproj import Transformer

from engine.store.schema import StoredTile

# Radius of the sphere of Web Mercator (EPSG:3857), metres.
_RADIUS_M = 6378137.0
# Web Mercator ends where it is square.
_MOST_LATITUDE = 85.051129
TERMS = 10
# Points along a side of a tile that a polynomial is fitted to, and those between them that it is held against.
_FITTED, _CHECKED = 7, 6
_EDGE_POINTS = 9
# A box around points of an edge may cut its bulge off by so much.
_MARGIN = 0.01


@dataclass(frozen=True)
class Placement:
    """Polynomials of tiles.

    Attributes:
        boxes: (T, 4) west, south, east, north in metres of Web Mercator, each around one tile.
        coefficients: (T, 2, 10) of column and row, counted in patches from the tile's north-west corner, on `terms` of
            (u, v), which go from -1 to 1 over the box.
        error: (T,) largest difference from pyproj, in patches.
    """

    boxes: np.ndarray
    coefficients: np.ndarray
    error: np.ndarray

    def patches_at(self, tile: int, x_m: np.ndarray, y_m: np.ndarray) -> np.ndarray:
        """(n, 2) column and row in a tile of places in Web Mercator."""
        west, south, east, north = self.boxes[tile]
        u = (x_m - (west + east) / 2) / ((east - west) / 2)
        v = (y_m - (south + north) / 2) / ((north - south) / 2)
        return terms(u, v) @ self.coefficients[tile].T


def place(tiles: Sequence[StoredTile]) -> Placement:
    """Fit a polynomial to each tile."""
    boxes = np.zeros((len(tiles), 4))
    coefficients = np.zeros((len(tiles), 2, TERMS))
    error = np.zeros(len(tiles))
    for crs in dict.fromkeys(tile.crs for tile in tiles):
        numbers = np.array([number for number, tile in enumerate(tiles) if tile.crs == crs])
        own = [tiles[number] for number in numbers]
        boxes[numbers] = _boxes(own, crs)
        coefficients[numbers], error[numbers] = _fit(own, crs, boxes[numbers])
    return Placement(boxes, coefficients, error)


def terms(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(..., 10) products of a cubic in two variables, in the order that the browser knows them by."""
    one = np.ones_like(u)
    return np.stack([one, u, v, u * u, u * v, v * v, u**3, u * u * v, u * v * v, v**3], axis=-1)


def mercator(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metres of Web Mercator of degrees; longitudes beyond 180 go on eastwards."""
    kept = np.clip(lat, -_MOST_LATITUDE, _MOST_LATITUDE)
    return np.radians(lon) * _RADIUS_M, np.arcsinh(np.tan(np.radians(kept))) * _RADIUS_M


def lonlat(x_m: np.ndarray, y_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of metres of Web Mercator."""
    return np.degrees(x_m / _RADIUS_M), np.degrees(np.arctan(np.sinh(y_m / _RADIUS_M)))


def _boxes(tiles: Sequence[StoredTile], crs: str) -> np.ndarray:
    """(T, 4) around each tile's edges."""
    along = np.linspace(0, 1, _EDGE_POINTS)
    edge = np.concatenate(
        [np.stack([along, along * 0], 1), np.stack([along, along * 0 + 1], 1),
         np.stack([along * 0, along], 1), np.stack([along * 0 + 1, along], 1), [[0.5, 0.5]]]
    )  # fmt: skip
    points = np.stack([_on_ground(tile, edge * (tile.width_px, tile.height_px)) for tile in tiles])
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(
        points[..., 0], points[..., 1]
    )
    middle = lon[:, -1:]
    x, y = mercator(middle + (lon - middle + 180) % 360 - 180, lat)
    low, high = np.stack([x.min(1), y.min(1)], 1), np.stack([x.max(1), y.max(1)], 1)
    margin = _MARGIN * (high - low)
    return np.concatenate([low - margin, high + margin], axis=1)


def _fit(tiles: Sequence[StoredTile], crs: str, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 2, 10) coefficients and (T,) largest error in patches."""
    to_ground = Transformer.from_crs("EPSG:4326", crs, always_xy=True)

    def patches(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """(T, n, 2) column and row, by pyproj."""
        half = (boxes[:, 2:] - boxes[:, :2]) / 2
        middle = (boxes[:, 2:] + boxes[:, :2]) / 2
        lon, lat = lonlat(middle[:, :1] + half[:, :1] * u, middle[:, 1:] + half[:, 1:] * v)
        x, y = to_ground.transform(lon, lat)
        inverse = np.array([(~tile.patch_transform)[:6] for tile in tiles])[:, :, None]  # (T, 6, 1)
        column = inverse[:, 0] * x + inverse[:, 1] * y + inverse[:, 2]
        return np.stack([column, inverse[:, 3] * x + inverse[:, 4] * y + inverse[:, 5]], axis=-1)

    u, v = _grid(np.cos(np.pi * (np.arange(_FITTED) + 0.5) / _FITTED))  # Chebyshev's points
    coefficients = np.swapaxes(np.linalg.pinv(terms(u, v)) @ patches(u, v), 1, 2)
    u, v = _grid(np.linspace(-1, 1, _CHECKED))
    found = terms(u, v) @ np.swapaxes(coefficients, 1, 2)
    wrong = np.abs(found - patches(u, v)).max(axis=(1, 2))
    return coefficients, np.where(np.isfinite(wrong), wrong, np.inf)


def _grid(along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = np.meshgrid(along, along)
    return u.ravel(), v.ravel()


def _on_ground(tile: StoredTile, pixels: np.ndarray) -> np.ndarray:
    """(n, 2) CRS metres of (n, 2) columns and rows of pixels."""
    a, b, c, d, e, f = tile.transform
    return np.stack(
        [a * pixels[:, 0] + b * pixels[:, 1] + c, d * pixels[:, 0] + e * pixels[:, 1] + f], axis=1
    )
