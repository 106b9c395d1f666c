"""Small pictures of the imagery around patches, stretched together so that their colours can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import RasterioError

from engine.store.schema import StoredTile
from engine.views.maps.picture_ground import COMPOSITES, band_on_grid, stretched

if TYPE_CHECKING:
    from engine.imagery.scene import Scene

# Ground around a patch: so many patches to each side, and at least so many pixels in all.
_AROUND, _LEAST_PX = 3, 48
# What the stretch is taken from.
_MOST_SCENES, _THINNED_PX = 8, 160
_OUTLINE = np.array((255, 96, 32), np.uint8)


@dataclass(frozen=True)
class Place:
    """A patch and the scenes that it may lie on."""

    tile: StoredTile
    row: int
    column: int
    scenes: Sequence[Scene]


def chips(places: Sequence[Place], bands: Sequence[str] = (), side_px: int = 96) -> list[np.ndarray | None]:
    """The imagery around each patch, (side_px, side_px, 3) uint8 with the patch outlined; None without imagery.

    Args:
        bands: for red, green and blue; where a scene lacks them, those that all have.
    """
    choices = [tuple(bands), *COMPOSITES] if bands else COMPOSITES
    bands = next((names for names in choices if all(_scenes_with(one, names) for one in places)), ())
    if not bands or not places:
        return [None] * len(places)
    canvas = np.full((3, len(places) * side_px, side_px), np.nan)
    for number, place in enumerate(places):
        rows = slice(number * side_px, (number + 1) * side_px)
        for index, name in enumerate(bands):
            canvas[index, rows] = _band(place, name, bands, side_px)
    if np.isnan(canvas).all():
        return [None] * len(places)
    seen = (
        np.moveaxis(stretched(canvas, _reference(places, bands)), 0, -1)
        .astype(np.uint8)
        .reshape(len(places), side_px, side_px, 3)
    )
    is_bare = np.isnan(canvas).all(axis=0).reshape(len(places), -1).all(axis=1)
    return [
        None if bare else _outlined(picture, place, side_px)
        for picture, place, bare in zip(seen, places, is_bare, strict=True)
    ]


def _band(place: Place, name: str, bands: Sequence[str], side_px: int) -> np.ndarray:
    """One band around a patch, NaN where no scene has it."""
    found = np.full((side_px, side_px), np.nan)
    crs = CRS.from_user_input(place.tile.crs)
    for scene in _scenes_with(place, bands):
        try:
            own = band_on_grid(scene, name, crs, _grid(place, side_px), side_px, side_px)
        except (RasterioError, OSError):  # a scene that went away leaves the place bare
            continue
        found = np.where(np.isnan(found), own, found)
        if not np.isnan(found).any():
            break
    return found


def _reference(places: Sequence[Place], bands: Sequence[str]) -> np.ndarray | None:
    """(3, n) values of the whole scenes of the chips, thinned: a chip of water alone would be stretched to noise."""
    scenes = {scene.id: scene for place in places for scene in _scenes_with(place, bands)[:1]}
    taken = []
    for scene in list(scenes.values())[:_MOST_SCENES]:
        grid = scene.grid.zoom_to(_THINNED_PX)
        height, width = grid.shape
        crs = CRS.from_user_input(str(grid.crs))
        try:
            taken.append(
                np.stack(
                    [band_on_grid(scene, name, crs, grid.affine, height, width).ravel() for name in bands]
                )
            )
        except (RasterioError, OSError):
            continue
    found = np.concatenate(taken, axis=1) if taken else None
    return None if found is None or np.isnan(found).all(axis=1).any() else found


def _scenes_with(place: Place, bands: Sequence[str]) -> list[Scene]:
    """The tile's own scenes where they are known, else all; those with the bands."""
    own = [scene for scene in place.scenes if scene.id in place.tile.scene_ids] or list(place.scenes)
    return [scene for scene in own if set(bands) <= set(scene.bands)]


def _grid(place: Place, side_px: int) -> Affine:
    """Pixels of a chip to CRS metres, the patch in the middle."""
    patches = _patches_across(place)
    corner = Affine.translation(place.column + 0.5 - patches / 2, place.row + 0.5 - patches / 2)
    return place.tile.patch_transform @ corner @ Affine.scale(patches / side_px)


def _patches_across(place: Place) -> float:
    patch_px = place.tile.width_px / place.tile.w
    return max(2 * _AROUND + 1, _LEAST_PX / patch_px)


def _outlined(picture: np.ndarray, place: Place, side_px: int) -> np.ndarray:
    """With a line around the patch."""
    half = max(2, round(side_px / _patches_across(place) / 2))
    low, high = side_px // 2 - half, side_px // 2 + half
    made = picture.copy()
    made[[low, high], low : high + 1] = _OUTLINE
    made[low : high + 1, [low, high]] = _OUTLINE
    return made
