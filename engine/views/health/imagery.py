"""How far the first components follow what the imagery shows by itself: brightness, NDVI, NBR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from engine.errors import EngineError
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.scene import Scene, fingerprint
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.schema import StoredTile
from engine.views.layer_view import LayerView
from engine.views.pca import Pca

INDICES = ("brightness", "NDVI", "NBR")
# Tiles that are looked at, evenly spread over the store.
_TILES = 48
_VISIBLE = ("blue", "green", "red")
_RED, _INFRARED, _SHORT_WAVE = ("red",), ("nir_narrow", "nir_broad"), ("swir_2",)


@dataclass(frozen=True)
class Following:
    """What indices explain of the first components.

    Attributes:
        shares: index -> share of the components' variance that a straight line of it explains, 0 to 1.
        correlations: index -> Pearson's r with each component.
    """

    shares: dict[str, float]
    correlations: dict[str, tuple[float, ...]]


def scenes_of_store(view: LayerView, root: Path) -> dict[tuple[str, str | None], Scene]:
    """The scenes that a store was made from, by id and time; none where they are gone or have changed.

    Args:
        root: where the extraction keeps what it made itself.
    """
    meta = view.store.meta
    try:
        config = parse_config(meta.config, where=f"the configuration inside {view.store.folder}")
        if not isinstance(config, ExtractConfig):
            return {}
        scenes = config.scene.find_readable(root)[0]
        if meta.scene_fingerprints and tuple(map(fingerprint, scenes)) != meta.scene_fingerprints:
            return {}
    except (EngineError, OSError):
        return {}
    return {(scene.id, _moment(scene.datetime)): scene for scene in scenes}


def following(view: LayerView, fitted: Pca, root: Path) -> Following | None:
    """Correlate the components of a view with the imagery under its patches.

    Args:
        fitted: components of the view.
        root: where the extraction keeps what it made itself.

    Returns:
        None where the scenes are not there, or none of the indices can be computed.
    """
    scenes = scenes_of_store(view, root)
    if not scenes:
        return None
    seen, projected = list[np.ndarray](), list[np.ndarray]()
    step = max(1, len(view.store.tiles) // _TILES)
    with OpenRasters() as rasters:
        for tile in view.store.tiles[::step]:
            # The last date; scenes that filled its gaps are named after it.
            scene = scenes.get((tile.scene_ids[len(tile.datetimes) - 1], tile.datetimes[-1]))
            if scene is None:
                continue
            try:
                indices = _indices(scene, tile, rasters)
            except EngineError:
                continue
            values, valid = view.read_tile(tile)
            is_whole = valid.ravel() == 1
            seen.append(indices.reshape(len(INDICES), -1)[:, is_whole])
            projected.append(fitted.project(values).reshape(tile.rows, -1)[is_whole])
    if not seen:
        return None
    return _followed(np.concatenate(seen, axis=1), np.concatenate(projected), fitted)


def _followed(seen: np.ndarray, projected: np.ndarray, fitted: Pca) -> Following | None:
    """Correlations of (indices, n) with (n, k)."""
    weights = fitted.explained_variance_ratio / fitted.explained_variance_ratio.sum()
    shares, correlations = {}, {}
    for name, index in zip(INDICES, seen, strict=True):
        known = np.isfinite(index) & np.isfinite(projected).all(axis=1)
        if known.sum() < 10 or index[known].std() == 0:
            continue
        own = [_correlation(index[known], component[known]) for component in projected.T]
        correlations[name] = tuple(round(value, 4) for value in own)
        shares[name] = round(float(np.square(own) @ weights), 4)
    return Following(shares, correlations) if shares else None


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first, second)[0, 1]) if second.std() > 0 else 0.0


def _indices(scene: Scene, tile: StoredTile, rasters: OpenRasters) -> np.ndarray:
    """(3, h, w) mean brightness, NDVI and NBR of each patch, NaN where bands or pixels are missing."""
    visible = [band for band in _VISIBLE if band in scene.bands] or list(scene.bands)
    wanted = list(
        dict.fromkeys([*visible, *(b for b in (*_RED, *_INFRARED, *_SHORT_WAVE) if b in scene.bands)])
    )
    own = Tile.of(tile.id, tile.crs, tile.pixel_transform, tile.height_px, tile.width_px)
    chip = read_chip([scene], own, wanted, rasters=rasters)
    pixels = np.where(chip.valid[0], chip.image[0], np.nan)  # (C, H, W)
    side_y, side_x = tile.height_px // tile.h, tile.width_px // tile.w
    patches = pixels.reshape(len(wanted), tile.h, side_y, tile.w, side_x).mean(axis=(2, 4))
    of = dict(zip(wanted, patches, strict=True))
    red, infrared, short_wave = (_first(of, names) for names in (_RED, _INFRARED, _SHORT_WAVE))
    brightness = np.mean([of[band] for band in visible], axis=0)
    empty = np.full_like(brightness, np.nan)
    return np.stack([brightness, _difference(infrared, red, empty), _difference(infrared, short_wave, empty)])


def _first(of: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray | None:
    return next((of[name] for name in names if name in of), None)


def _difference(first: np.ndarray | None, second: np.ndarray | None, empty: np.ndarray) -> np.ndarray:
    """(first - second) / (first + second), NaN where undefined."""
    if first is None or second is None:
        return empty
    both = first + second
    return np.where(both > 0, (first - second) / np.where(both > 0, both, 1), np.nan)


def _moment(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
