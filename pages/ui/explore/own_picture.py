"""The picture of opened files: in the colours that their bands allow, or band by band as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from engine.imagery.raster.layout import RasterLayout
from engine.imagery.raster.picture import Picture, PictureBand, picture_of
from engine.imagery.scene import Scene
from pages.ui.look import wording
from pages.ui.map import layers
from pages.ui.map.routes import tiles

_Options = dict[str, tuple[PictureBand, ...]]


def show(scenes: Sequence[Scene], raster: Path, layout: RasterLayout, key: str) -> None:
    """A picture of the first scene, and the choice of what it shows.

    Args:
        scenes: none where the files were not understood: then bands are shown as they are stored.

    Raises:
        SceneError: a file is damaged, or lies in a folder that may not be shown.
    """
    options = {**_composites(scenes), **_bands(scenes, raster, layout)}
    first = layers.best_of(scenes) if scenes else None
    chosen = st.selectbox(
        "Picture of", list(options), index=list(options).index(first) if first in options else 0, key=f"own_picture_{key}",
        label_visibility="collapsed",
    )  # fmt: skip
    bands = options[chosen]
    for band in bands:
        tiles.require_shown(band.path)
    seen = _picture(bands, tuple(band.path.stat().st_mtime_ns for band in bands))
    words = _words(scenes, chosen, seen)
    st.image(seen.pixels, width="stretch", output_format="PNG", alt=words)
    st.caption(wording.plain(words))


def band_label(layout: RasterLayout, index: int) -> str:
    """A band by its number and the name that the file gives it."""
    name = layout.bands[index - 1]
    return f"Band {index} · {name}" if name else f"Band {index}"


def _composites(scenes: Sequence[Scene]) -> _Options:
    if not scenes:
        return {}
    assets = scenes[0].assets
    return {
        name: tuple(
            PictureBand(assets[band].path, assets[band].index, assets[band].nodata) for band in made.bands
        )
        for name, made in layers.composites_of(scenes[:1]).items()
    }


def _bands(scenes: Sequence[Scene], raster: Path, layout: RasterLayout) -> _Options:
    """The bands of the first raster one by one, and its first three as colours where nothing is understood."""
    known = {
        asset.index: asset.nodata
        for scene in scenes[:1]
        for asset in scene.assets.values()
        if asset.path == raster
    }
    made = {
        index: PictureBand(raster, index, known.get(index, _stated(layout.nodata[index - 1])))
        for index in layout.indexes
    }
    colours: _Options = {}
    if not scenes and len(made) >= 3:
        first = list(made)[:3]
        colours = {
            f"Bands {', '.join(map(str, first))} as red, green, blue": tuple(made[index] for index in first)
        }
    return colours | {band_label(layout, index): (band,) for index, band in made.items()}


def _stated(nodata: float | None) -> tuple[float, ...]:
    return () if nodata is None or nodata != nodata else (nodata,)


def _words(scenes: Sequence[Scene], chosen: str, seen: Picture) -> str:
    low, high = seen.limits[0]
    parts = [
        f"{chosen}, as stored" if len(seen.limits) == 1 else chosen,
        f"the first of {len(scenes):,} scenes" if len(scenes) > 1 else "",
        "the middle of the raster" if seen.is_middle else "",
        f"black is {low:,.6g}, white {high:,.6g}"
        if len(seen.limits) == 1
        else "each band stretched by itself",
    ]
    return "; ".join(part for part in parts if part) + "."


@st.cache_data(show_spinner=False, max_entries=24, hash_funcs={PictureBand: repr})
def _picture(bands: tuple[PictureBand, ...], stamps: tuple[int, ...]) -> Picture:
    del stamps
    return picture_of(bands)
