"""A map of numbers as a layer: one band, coloured along a bar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.learning.film_reel import ramped
from engine.learning.maps.numbers import rounded
from engine.learning.tasks.task import Ramp
from pages.ui.look import style
from pages.ui.map import layers
from pages.ui.map.legend import Bar, Legend
from pages.ui.map.maps import Shown
from pages.ui.map.routes import tiles

_STEPS = 256  # of a map tile's colours


def numbers(paths: Sequence[Path], words: str, title: str, ramp: Ramp) -> Shown:
    """Rasters of one quantity, each number in its colour; the pointer tells the number itself."""
    table = ramped(np.linspace(ramp.low, ramp.high, _STEPS), ramp)
    colours = tuple((index, (int(r), int(g), int(b), int(a))) for index, (r, g, b, a) in enumerate(table))
    made = tiles.Layer(
        tuple((tiles.Band(path),) for path in paths), ((ramp.low, ramp.high),), colours,
        tiles.Meaning("measured", bands=(ramp.title,)),
    )  # fmt: skip
    bounds = np.array([layers.raster_bounds(path) for path in paths])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    around = (float(west), float(south), float(east), float(north))
    return Shown(tiles.register(made), around, words, title, "overlay", bar_legend(ramp))


def bar_legend(ramp: Ramp) -> Legend:
    """The colour bar with its ends."""
    colours = tuple(style.css(colour) for colour in ramp.colours)
    return Legend(bar=Bar(colours, rounded(ramp.low), rounded(ramp.high)), note=ramp.title)
