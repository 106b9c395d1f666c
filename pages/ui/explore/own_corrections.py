"""What a person corrects of opened files: the bands by their index, sensor, level, scale, offset, gaps and date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import streamlit as st

from engine.imagery.raster.layout import RasterLayout
from engine.imagery.scene import Scene
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources.source import Declared
from pages.ui.explore.own_picture import band_label
from pages.ui.look.field_words import FIELDS
from pages.ui.look.fields import choices_of, help_of

_NOT_READ = "-"
# With more bands than this, names are typed in a row instead of chosen one by one.
_MOST_CHOICES = 24
_NAMES = tuple(dict.fromkeys(band for one in SENSORS.values() for band in one.bands))


def ask(scenes: Sequence[Scene], raster: Path, layout: RasterLayout, key: str) -> dict[str, Any]:
    """The fields that a person filled in, by their names in a configuration; what is left open stays as understood.

    Args:
        scenes: as they are understood now; none where they are not.
        key: of the fields; another one empties them.
    """
    first = scenes[0] if scenes else None
    left, right = st.columns(2)
    sensor = left.selectbox(
        FIELDS["scene.sensor"], ["", *SENSORS], key=f"own_sensor_{key}", help=help_of(Declared, "sensor"),
        format_func=lambda name: SENSORS[name].title if name else _understood(first.sensor.title if first else None),
    )  # fmt: skip
    level = right.selectbox(
        FIELDS["scene.level"], ["", *choices_of(Declared, "level")], key=f"own_level_{key}", help=help_of(Declared, "level"),
        format_func=lambda name: name.capitalize() if name else _understood(first.level if first else None),
    )  # fmt: skip
    bands = _bands(first, raster, layout, key)
    numbers = _numbers(first, key)
    date = st.text_input(
        FIELDS["scene.datetime"], key=f"own_datetime_{key}", help=help_of(Declared, "datetime"),
        placeholder=f"{first.datetime:%Y-%m-%dT%H:%M:%SZ}" if first and first.datetime else "2021-08-28T10:56:19Z",
    ).strip()  # fmt: skip
    said: dict[str, Any] = {"sensor": sensor, "level": level, "bands": bands, "datetime": date}
    if bands and not sensor and first is not None and _knows(first, bands):
        said["sensor"] = first.sensor.name  # names alone would fit several sensors
    return {name: value for name, value in said.items() if value} | numbers


def _understood(what: str | None) -> str:
    return f"As understood: {what}" if what else "As the files say"


def _knows(scene: Scene, bands: Sequence[str | None]) -> bool:
    return all(band in scene.sensor.bands for band in bands if band)


def _bands(scene: Scene | None, raster: Path, layout: RasterLayout, key: str) -> tuple[str | None, ...]:
    """The names of all bands in order, None for one that is not read; empty where nothing was changed."""
    known = (
        {asset.index: band for band, asset in scene.assets.items() if asset.path == raster} if scene else {}
    )
    if scene is not None and len(scene.paths) > 1:
        st.caption("Each band has a file of its own, and the names of the files tell which it is.")
        return ()
    if len(layout.bands) > _MOST_CHOICES:
        return _typed(key)
    chosen: dict[int, str] = {}
    with st.container(key=f"own_bands_{key}"):
        st.caption("Bands, by their number in the file")
        for pair in zip_longest(
            layout.indexes[::2], layout.indexes[1::2]
        ):  # in a narrow window they stay in order
            for column, index in zip(st.columns(2), pair, strict=True):
                if index is not None:
                    chosen[index] = column.selectbox(
                        band_label(layout, index), ["", _NOT_READ, *_offered(scene)], key=f"own_band_{index}_{key}",
                        format_func=lambda name, index=index: _band_words(name, known.get(index), scene is not None),
                    )  # fmt: skip
    if not any(chosen.values()):
        return ()
    every = range(1, len(layout.bands) + 1)
    return tuple(_named(chosen.get(index, ""), known.get(index)) for index in every)


def _named(chosen: str, known: str | None) -> str | None:
    return (chosen if chosen != _NOT_READ else None) if chosen else known


def _offered(scene: Scene | None) -> tuple[str, ...]:
    """All names of bands, those of the sensor first."""
    return tuple(dict.fromkeys([*(scene.sensor.bands if scene else ()), *_NAMES]))


def _band_words(name: str, known: str | None, is_understood: bool) -> str:
    if name == _NOT_READ:
        return "Not to be read"
    if name:
        return _in_words(name)
    if known:
        return f"As understood: {_in_words(known)}"
    return "As understood: not read" if is_understood else "Not known yet"


def _in_words(band: str) -> str:
    return band.replace("_", " ")


def _typed(key: str) -> tuple[str | None, ...]:
    text = st.text_input(
        "Bands in order, by commas; - for one that is not to be read", key=f"own_bands_typed_{key}",
        placeholder="blue, green, red, nir_narrow, swir_1, swir_2", help=help_of(Declared, "bands"),
    ).strip()  # fmt: skip
    names = [name.strip() for name in text.split(",")] if text else []
    return tuple(None if name in (_NOT_READ, "") else name for name in names)


def _numbers(scene: Scene | None, key: str) -> dict[str, float]:
    asset = next(iter(scene.assets.values())) if scene else None
    now: Mapping[str, float | None] = {
        "scale": asset.scale if asset else None,
        "offset": asset.offset if asset else None,
        "nodata": asset.nodata[0] if asset and asset.nodata else None,
    }
    found = {
        name: column.number_input(
            FIELDS[f"scene.{name}"], value=None, format="%g", key=f"own_{name}_{key}", help=help_of(Declared, name),
            placeholder="as understood" if number is None else f"{number:g}",
        )
        for column, (name, number) in zip(st.columns(3), now.items(), strict=True)
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}
