"""Fields of the app in place of keys of a configuration, where a page says what the engine says.

The engine's messages name keys (`scene.sensor`), which is right on the command line; a person on a page sees fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Key of a configuration -> what the app's field for it is called.
FIELDS: Mapping[str, str] = {
    "scene.sensor": "Sensor", "scene.bands": "Bands", "scene.level": "Level", "scene.scale": "Scale", "scene.offset": "Offset",
    "scene.nodata": "Gap value", "scene.datetime": "Date", "scene.dates": "Dates", "scene.catalogue": "Catalogue",
    "scene.collection": "Product", "scene.fire": "Day of the fire",
    "backbone.name": "Backbone", "backbone.weights": "Weights", "backbone.layers": "Layers",
    "backbone.temporal": "How the dates become one row", "backbone.settings": "Conventions that the publisher leaves open",
    "tiles.size_px": "Tile size (px)", "tiles.overlap_px": "Tiles overlap by (px)", "tiles.merge": "Where tiles overlap",
    "tiles.stride_px": "A row every", "tiles.gsd_m": "Resample to (m)",
    "output.dtype": "Kept as", "granularity": "One row for each", "pooling": "Pooling", "merge": "Where tiles overlap",
    "device": "Device", "engine": "Engine", "position": "Position", "augment": "Augmentation", "pixels": "Pixels of a patch",
    "labels.path": "Label raster", "split.by": "Split", "split.block_m": "Side of a square", "split.fire_m": "One fire within",
    "split.buffer_m": "Gap around the test", "head.name": "Head",
    "perimeters.date": "Day that the fire began", "perimeters.end": "Day of the perimeter", "perimeters.layer": "Layer",
    "perimeters.names": "Only the fires named",     "labels.classes.column": "Severity or class from", "chips.gsd_m": "Metres a pixel",
}  # fmt: skip
# Keys that no page asks for: they are written into the configuration, which each page shows.
WITHOUT_FIELD = frozenset({
    "scene.images", "scene.path", "scene.paths", "scene.source", "scene.folder", "labels.folders", "labels.pattern",
    "labels.classes.values", "imagery.datetime", "perimeters.day_before_month",
})  # fmt: skip
# Whole phrases that read otherwise on a page.
_PHRASES = {
    "Set scene.source: stack to read them as a series.": "Where the files are opened, “Dates of one place, a series” reads them as a series.",
    "or set scene.source: files to take them all": "or open the folder that holds them all",
    "--model NAME states the model.": "State the model above.",
    "--model NAME states it.": "State it above.",
    "where --model alphaearth_v1 states a GeoTIFF to be of it": "where alphaearth_v1 is stated to be the model of a GeoTIFF",
    "and --model says": "and the model that is stated is",
    "Leave --model out.": "Take the stated model out.",
    "Choose --position keep": "Switch “Position taken off” off",
    "take it off with --position remove": "switch “Position taken off” on",
    "Choose --dtype float32": "Choose float32",
    "choose another --dtype": "choose another kind of numbers",
    "of it by a region (--region)": "of it by a region",
    "Choose a part with --region": "Choose a part by a region",
    "Choose a smaller part with --region": "Choose a smaller part",
    "a region (--region) says which": "a region says which",
    "--year takes one.": "Year takes one.",
    "were made of with --images.": "were made of.",
    "Choose another --out": "Choose another folder",
}
_KNOWN = "|".join(
    re.escape(key) for key in sorted({*FIELDS, *WITHOUT_FIELD}, key=len, reverse=True) if "." in key
)
# A file's name such as scene.tif is no key, nor is a part of a path.
_DOTTED = rf"(?:backbone\.settings\.\w+|(?:{_KNOWN})(?![\w/]))"
_KEY = re.compile(rf"(?<![\w/.-]){_DOTTED}")
_VALUE = r"(-?[\w./]*\w)"
_SHORT = "granularity|pooling|merge|device|engine|position|augment|pixels"
# Names of one word count as keys only where a value of theirs follows.
_SHORT_VALUE = re.compile(
    rf"\b({_SHORT}): (patch|tile|mean|max|cls|blend|deepest|auto|cpu|cuda|local|ray|keep|remove|flips|block)\b"
)
_SET_VALUE = re.compile(rf"\b([Ss])et ({_DOTTED}|{_SHORT}): {_VALUE}")


def spoken(text: str) -> str:
    """A message of the engine with the names of fields where it names keys of a configuration."""
    for said, told in _PHRASES.items():
        text = text.replace(said, told)
    text = _SET_VALUE.sub(
        lambda found: f"{'C' if found[1] == 'S' else 'c'}hoose {found[3]} for {_named(found[2])}", text
    )
    text = _KEY.sub(lambda found: _named(found[0]), text)
    return _SHORT_VALUE.sub(lambda found: f"{_named(found[1])}: {found[2]}", text)


def _named(key: str) -> str:
    field = FIELDS.get(key) or FIELDS.get(key.rpartition(".")[0])  # of a convention: backbone.settings.time
    return f"“{field}”" if field else f"“{key}” in the configuration"
