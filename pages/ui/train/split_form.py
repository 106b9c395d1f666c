"""How tiles are divided: the settings, how many tiles and places each split gets, and where they lie."""

from __future__ import annotations

import dataclasses
from typing import Any

import shapely
import streamlit as st

from engine.errors import EngineError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.splits.split import SPLITS, Split, split_tiles
from engine.store.footprints import footprints
from engine.store.schema import StoredTile
from pages.ui.look import style, wording
from pages.ui.look.fields import choices_of, help_of
from pages.ui.look.palette import EMBER, TRAIN, VALIDATION, theme
from pages.ui.map import maps
from pages.ui.train.began import begin
from pages.ui.train.source import Source
from pages.ui.train.words import SPLITS as WORDS


def choose(source: Source, seed: int) -> dict[str, Any]:
    """The split's settings, with a preview where the store is there.

    Args:
        seed: of the draw.
    """
    one, two = st.columns(2)
    by = one.selectbox("Split", choices_of(SplitConfig, "by"), key="t_split", format_func=lambda n: WORDS.get(n, n),
                       help=help_of(SplitConfig, "by"))  # fmt: skip
    found: dict[str, Any] = {"by": by, **_distance(two, str(by))}
    if source.tiles:
        _preview(source, found, seed)
    return found


def _distance(column: Any, by: str) -> dict[str, Any]:
    """The distance that belongs to a way to divide."""
    defaults = SplitConfig()
    for key, value in (
        ("t_block", defaults.block_m),
        ("t_fire", defaults.fire_m),
        ("t_buffer", defaults.buffer_m),
    ):
        begin(key, value / 1000)
    match by:
        case "block":
            side = column.number_input("Side of a square (km)", 0.001, step=1.0, key="t_block",
                                       help=help_of(SplitConfig, "block_m"))  # fmt: skip
            return {"block_m": round(1000 * side, 6)}
        case "fire":
            near = column.number_input("One fire within (km)", 0.0, step=1.0, key="t_fire",
                                       help=help_of(SplitConfig, "fire_m"))  # fmt: skip
            return {"fire_m": round(1000 * near, 6)}
        case _:
            gap = column.number_input("Gap around the test (km)", 0.0, step=0.5, key="t_buffer",
                                      help=help_of(SplitConfig, "buffer_m"))  # fmt: skip
            return {"buffer_m": round(1000 * gap, 6)}


def _preview(source: Source, tree: dict[str, Any], seed: int) -> None:
    """Counts of each split, what leaks, and the map of it when asked for."""
    config = SplitConfig.model_validate(tree)
    try:
        split = _split(str(source.store), config.model_dump_json(), seed, source.tiles, config)
    except EngineError as err:
        st.warning(wording.told(str(err)), icon=":material/error_outline:")
        return
    counts = [
        (
            name.capitalize(),
            f"{wording.count(len(split.tiles[name]), 'tile')} · {wording.count(split.places_of(name), 'place')}",
        )
        for name in SPLITS
    ]
    left = [("Left out", wording.count(split.left_out, "tile"))] if split.left_out else []
    style.facts([*counts, *left], small=True)
    for leak in split.leaks:
        st.warning(wording.plain(leak), icon=":material/water_drop:")
    if st.toggle("Show the split on a map", key="t_split_map"):
        _map(source.tiles, split)


def _map(tiles: tuple[StoredTile, ...], split: Split) -> None:
    """The outlines of the tiles in the colours of their splits."""
    colours = {"train": TRAIN[theme()], "validation": VALIDATION[theme()], "test": EMBER}
    outlines, boxes = [], []
    shapes = shapely.from_wkb(footprints([dataclasses.replace(tile, h=1, w=1) for tile in tiles]).wkb())
    for name in SPLITS:
        for index in split.tiles[name]:
            shape = shapes[index]
            outlines.append(maps.Outline(shape, f"{name}: {tiles[index].id}", colours[name], 2.0))
            boxes.append(shape.bounds)
    west, south, east, north = (pick(box[i] for box in boxes) for i, pick in enumerate((min, min, max, max)))
    maps.draw(
        maps.View(
            page="train",
            key="train_split",
            bounds_lonlat=(west, south, east, north),
            boxes=tuple(boxes),
            outlines=tuple(outlines),
        )
    )
    style.legend([(colours[name], name.capitalize()) for name in SPLITS])


@st.cache_data(show_spinner=False, max_entries=32)
def _split(
    store: str, settings: str, seed: int, _tiles: tuple[StoredTile, ...], _config: SplitConfig
) -> Split:
    del store, settings
    return split_tiles(_tiles, _config, seed)
