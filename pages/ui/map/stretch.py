"""How bright a picture is drawn: for each band of each scene the values that become black and white.

Only the picture: what is read under the pointer, extracted or exported stays as it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from engine.imagery.raster.rasters import open_raster
from engine.imagery.scene import Scene
from pages.ui.map.routes import tiles

# Percentiles of a scene's values that become black and white.
_DARK_PERCENT, _BRIGHT_PERCENT = 0.5, 98.5
_SAMPLED_SCENES, _SAMPLED_PX = 12, 160
# Each scene of the top of the atmosphere has haze of its own; of more scenes than these it is taken alike.
_MOST_ALONE = 64
# So many times as wide as usual are the values of a scene with clouds: of the season's, three to ten.
_CLOUDY = 2.0
_TOP = "top of atmosphere"

Picture = tuple[tiles.Band, ...]


def of_pictures(scenes: Sequence[Scene], pictures: Sequence[Picture]) -> tuple[tiles.Stretch, ...]:
    """The stretch of each picture.

    Scenes of one level are drawn alike: the medians over scenes, so that a cloudy one does not darken the others. Of the
    top of the atmosphere each scene is drawn from its own dark end, and where it is clear to its own bright one: haze
    adds to every value, most in blue.

    Args:
        pictures: of each scene.
    """
    found: dict[int, tiles.Stretch] = {}
    for level in dict.fromkeys(scene.level for scene in scenes):
        of_level = [index for index, scene in enumerate(scenes) if scene.level == level]
        is_alone = level == _TOP and 1 < len(of_level) <= _MOST_ALONE
        step = 1 if is_alone else max(1, len(of_level) // _SAMPLED_SCENES)
        sampled = of_level[::step][: _MOST_ALONE if is_alone else _SAMPLED_SCENES]
        ends = _ends_of([pictures[index] for index in sampled])
        alike = _medians(ends)
        own = (
            _own_where_clear(ends, alike)
            if is_alone
            else np.broadcast_to(alike, (len(of_level), *alike.shape))
        )
        found |= {index: _pairs(stretch) for index, stretch in zip(of_level, own, strict=True)}
    return tuple(found[index] for index in range(len(scenes)))


def in_words(scenes: Sequence[Scene]) -> str:
    """What is done to the picture."""
    many = ", the medians of the scenes" if len(scenes) > 1 else ""
    haze = " Of top-of-atmosphere scenes each by itself, which takes haze off the picture."
    return (
        f"Each band is stretched from its {_DARK_PERCENT}th to its {_BRIGHT_PERCENT}th percentile{many}."
        f"{haze if _is_hazy(scenes) else ''}"
    )


def in_short(scenes: Sequence[Scene]) -> str:
    """As `in_words`, for a legend."""
    return "stretched by percentiles" + (", haze taken off the picture" if _is_hazy(scenes) else "")


def _is_hazy(scenes: Sequence[Scene]) -> bool:
    return len(scenes) > 1 and any(scene.level == _TOP for scene in scenes)


def _medians(ends: np.ndarray) -> np.ndarray:
    """(bands, 2) over scenes, (n, bands, 2); 0 to 1 where nothing is valid."""
    found = np.ma.median(np.ma.masked_invalid(ends), axis=0)
    return np.where(np.ma.getmaskarray(found), [0.0, 1.0], np.ma.getdata(found))


def _own_where_clear(ends: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """(n, bands, 2): each scene's own ends; of one that clouds brighten, as wide as `alike` from its own dark end."""
    usual, own = np.diff(alike)[..., 0], np.diff(ends)[..., 0]  # (bands,), (n, bands)
    dark = np.where(np.isfinite(ends[..., 0]), ends[..., 0], alike[:, 0])
    is_clear = (own <= _CLOUDY * usual).all(axis=-1, keepdims=True)
    return np.stack([dark, dark + np.where(is_clear, own, usual)], axis=-1)


def _pairs(stretch: np.ndarray) -> tiles.Stretch:
    return tuple((float(dark), float(max(bright, dark + 1e-6))) for dark, bright in stretch)


def _ends_of(pictures: Sequence[Picture]) -> np.ndarray:
    stamps = tuple(band.path.stat().st_mtime_ns for picture in pictures for band in picture)
    return _ends(tuple(pictures), stamps)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs={tiles.Band: repr})
def _ends(pictures: tuple[Picture, ...], stamps: tuple[int, ...]) -> np.ndarray:
    """Dark and bright end of each band of each picture, (n, bands, 2); NaN where nothing is valid."""
    del stamps
    return np.array([[_percentiles(_sample(band)) for band in picture] for picture in pictures])


def _sample(band: tiles.Band) -> np.ndarray:
    """Some valid values of a band, (n,) float64."""
    with open_raster(band.path) as dataset:
        shape = tuple(min(_SAMPLED_PX, side) for side in (dataset.height, dataset.width))
        stored = dataset.read(band.index, out_shape=shape, masked=True)
    values = stored.compressed().astype(np.float64)
    values = values[np.isfinite(values) & ~np.isin(values, band.nodata)]
    return values * band.scale + band.offset


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    if not values.size:
        return np.nan, np.nan
    low, high = np.percentile(values, [_DARK_PERCENT, _BRIGHT_PERCENT])
    return float(low), float(high)
