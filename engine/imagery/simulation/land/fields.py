"""Farmland parcels, roads, towns and forest cuts: the straight lines that people draw on land."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.imagery.simulation.noise import random_field


@dataclass(frozen=True)
class Parcels:
    """Fields of one chip.

    Attributes:
        number: (H, W) which parcel, from 0.
        count: how many there are.
        edge_px: (H, W) distance to the nearest parcel border.
        angle_rad: direction of the rows, counter-clockwise from east.
    """

    number: np.ndarray
    count: int
    edge_px: np.ndarray
    angle_rad: float


def turned(size: int, angle_rad: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (along, across) in pixels of a frame turned by an angle about the centre."""
    rows, columns = np.indices((size, size)) - size / 2
    along = np.cos(angle_rad) * columns - np.sin(angle_rad) * rows
    across = np.sin(angle_rad) * columns + np.cos(angle_rad) * rows
    return along, across


def make_parcels(rng: np.random.Generator, size: int, length_px: float) -> Parcels:
    """Strips of unequal width, each cut into fields of unequal length, gently bent by the land."""
    angle = float(rng.uniform(-0.6, 0.6)) if rng.random() < 0.7 else 0.0
    along, across = turned(size, angle)
    bend = random_field(rng, size, 160, 3.0) * rng.uniform(0.0, 2.5)
    along, across = along + bend, across - 0.6 * bend
    strip, from_strip = _cut(rng, across, size, length_px * rng.uniform(0.6, 1.0))
    number = np.zeros((size, size), dtype=np.int64)
    edge = from_strip
    count = 0
    for which in range(int(strip.max()) + 1):
        inside = strip == which
        piece, from_piece = _cut(rng, along[inside], size, length_px * rng.uniform(0.7, 1.6))
        number[inside] = count + piece
        edge[inside] = np.minimum(edge[inside], from_piece)
        count += int(piece.max(initial=0)) + 1
    return Parcels(number, count, edge, angle)


def _cut(
    rng: np.random.Generator, position: np.ndarray, size: int, length_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which piece of a line each position falls in, and the distance to the nearest cut."""
    lengths = length_px * rng.lognormal(0.0, 0.45, size=int(3 * size / length_px) + 4)
    cuts = np.cumsum(lengths) - 0.85 * size
    piece = np.searchsorted(cuts, position)
    distance = np.abs(position - cuts[np.clip(piece, 0, len(cuts) - 1)])
    distance = np.minimum(distance, np.abs(position - cuts[np.clip(piece - 1, 0, len(cuts) - 1)]))
    return piece, distance


def pivots(rng: np.random.Generator, size: int, count: int) -> list[np.ndarray]:
    """Discs of centre-pivot irrigation, each (H, W) bool; 400 m is the usual radius of a quarter section."""
    rows, columns = np.indices((size, size))
    centres = rng.uniform(0, size, size=(count, 2))
    return [np.hypot(rows - row, columns - column) < 400 / 30 for row, column in centres]


def road(rng: np.random.Generator, size: int, winding_px: float) -> np.ndarray:
    """(H, W) share of each pixel under one road that crosses the chip."""
    _, across = turned(size, float(rng.uniform(0, np.pi)))
    across = across + rng.uniform(-0.4, 0.4) * size + winding_px * random_field(rng, size, 120, 3.0)
    slope = np.hypot(*np.gradient(across))
    width_px = rng.uniform(0.25, 0.6)
    return np.clip(0.5 + width_px - np.abs(across) / np.maximum(slope, 0.5), 0.0, min(1.0, 1.6 * width_px))


def streets(rng: np.random.Generator, size: int, centre: tuple[int, int], radius_px: float) -> np.ndarray:
    """(H, W) how built-up a town makes each pixel, 0 to 1, fading outwards."""
    rows, columns = np.indices((size, size))
    distance = np.hypot(rows - centre[0], columns - centre[1]) / radius_px
    return np.clip(1.3 - distance + 0.35 * random_field(rng, size, 14, 1.6), 0.0, 1.0)


def forest_cuts(rng: np.random.Generator, size: int, forest: np.ndarray, count: int) -> list[np.ndarray]:
    """Blocks of clear-felled forest, each (H, W) bool: straight sides, bent a little by the ground."""
    wobble = random_field(rng, size, 30, 2.2), random_field(rng, size, 30, 2.2)
    places = np.argwhere(forest)
    blocks: list[np.ndarray] = []
    for _ in range(count if len(places) else 0):
        row, column = places[rng.integers(len(places))] - size / 2
        angle = float(rng.uniform(0, np.pi))
        along, across = turned(size, angle)
        along = along - (np.cos(angle) * column - np.sin(angle) * row) + 1.6 * wobble[0]
        across = across - (np.sin(angle) * column + np.cos(angle) * row) + 1.6 * wobble[1]
        half_length, half_width = rng.uniform(6, 17), rng.uniform(4, 10)
        blocks.append((np.abs(along) < half_length) & (np.abs(across) < half_width) & forest)
    return blocks
