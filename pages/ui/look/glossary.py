"""The words of the field that a newcomer meets on the pages, each with one sentence: one table for all pages."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "backbone": "A large network that was trained once and stays as it is; it turns image patches into embeddings.",
    "frozen": "Not trained any further: its numbers stay as they are.",
    "patch": "A small square of pixels, the smallest piece that a backbone describes.",
    "embedding": "The row of numbers by which a backbone describes a patch; similar ground has similar numbers.",
    "layer": "One stage of a backbone; early layers tell textures, later ones what belongs together.",
    "decoder": "A small network that learns from embeddings and labels to give each pixel a class.",
    "head": "The part of a network that gives the answer; here the decoder on top of the backbone.",
    "label": "What a pixel truly is, as somebody has mapped it.",
    "mask": "A raster of labels: one value for each pixel.",
    "epoch": "One pass of the training over all its examples.",
    "IoU": "Intersection over union: pixels that map and labels share, over all that either of them has of a class; 1 is perfect.",
    "NBR": "Normalised burn ratio, (NIR - SWIR 2) / (NIR + SWIR 2): low where it has burnt.",
    "threshold": "The probability from which a pixel counts as burnt.",
    "false colour": "A picture of bands that the eye cannot see; with short-wave infrared as red, burnt ground is red.",
    "GeoTIFF": "An image file that knows its place on Earth; GIS programs open it.",
    "polygon": "An outline with coordinates, such as the edge of a scar.",
}


def meaning(word: str, more: str = "") -> str:
    """The sentence of a word of the table as help beside a widget, before what else is said there."""
    return f"{word[0].upper()}{word[1:]}: {WORDS[word]} {more}".strip()


def explained(text: str) -> str:
    """Text as HTML, each word of the table marked with its sentence where it first stands; all else is escaped."""
    found = html.escape(text)
    for word, meaning in WORDS.items():
        pattern = re.compile(
            rf"(?<![\w>]){re.escape(word)}s?(?![\w])(?![^<]*</abbr>)(?![^<]*>)", re.IGNORECASE
        )
        mark = f'<abbr tabindex="0" title="{html.escape(meaning, quote=True)}">\\g<0></abbr>'
        found = pattern.sub(mark, found, count=1)
    return found
