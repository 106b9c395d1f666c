"""The words of the field that a newcomer meets on the pages, each with one sentence: one table for all pages."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Images": {
        "band": "One part of the spectrum, measured for every pixel, such as red or near infrared.",
        "near infrared": "Light just beyond red, which healthy leaves reflect strongly.",
        "SWIR": "Short-wave infrared, wavelengths of 1.5 to 2.4 micrometres: burnt and dry ground is bright in it.",
        "false colour": "A picture of bands that the eye cannot see; with short-wave infrared as red, burnt ground is red.",
        "surface reflectance": "The share of sunlight that the ground reflects, with what the air adds taken off.",
        "top-of-atmosphere": "As the satellite measures it: what the ground reflects, with the haze of the air on top.",
        "NBR": "Normalised burn ratio, (NIR - SWIR 2) / (NIR + SWIR 2): low where it has burnt.",
        "dNBR": "NBR before a fire minus NBR after it: the larger, the more has burnt.",
        "severity": "How much of the plants a fire has killed: low, moderate or high.",
        "GeoTIFF": "An image file that knows its place on Earth; GIS programs open it.",
        "polygon": "An outline with coordinates, such as the edge of a scar.",
    },
    "Embeddings": {
        "backbone": "A large network that stays as it is and turns image patches into embeddings; most were trained on many images.",
        "frozen": "Not trained any further: its numbers stay as they are.",
        "pretraining": "What a backbone has learned from many images before anybody here uses it.",
        "rcf": "Random convolutional features: a backbone whose filters are random pieces of the scenes, never trained; others are compared with it.",
        "tile": "A square of the scene that goes through the backbone at once; it holds many patches.",
        "patch": "A small square of pixels, the smallest piece that a backbone describes.",
        "embedding": "The row of numbers by which a backbone describes a patch; similar ground has similar numbers.",
        "layer": "One stage of a backbone; early layers tell textures, later ones what belongs together.",
        "store": "The files that hold the embeddings of one extraction.",
        "principal component": "A direction in which embeddings differ most (PC); three of them are drawn as red, green and blue.",
        "variance": "How much embeddings differ from their mean; a picture shows a share of it.",
        "whitened": "Every component is divided by its standard deviation, so that all differ alike.",
        "position": "Where a patch lies in the window that the backbone saw; some backbones write that into the embedding too.",
        "similarity": "The cosine of the angle between two embeddings about their mean: 1 is alike, 0 unrelated.",
        "cluster": "Patches with similar embeddings, grouped without labels.",
        "norm": "The length of an embedding.",
        "seam score": "How much more embeddings change across the edges of tiles than inside them; 1 is no seam.",
        "UMAP": "A picture of all patches as points, in which similar embeddings lie close together.",
        "CKA": "Centred kernel alignment: how alike two backbones order the same patches; 1 is the same, 0 unrelated.",
    },
    "Decoders": {
        "decoder": "A small network that learns from embeddings and labels to give each pixel a class.",
        "head": "The part of a network that gives the answer; here the decoder on top of the backbone.",
        "MLP": "Multilayer perceptron: a small network that looks at one patch at a time.",
        "conv": "A small convolutional network that looks at a patch and its neighbours.",
        "label": "What a pixel truly is, as somebody has mapped it.",
        "mask": "A raster of labels: one value for each pixel.",
        "epoch": "One pass of the training over all its examples.",
        "loss": "How far the answers are from the labels; a training makes it small.",
        "split": "Which places are learned from (train), chosen by (validation) and judged on once (test).",
        "seed": "The number that everything random follows from; the same seed gives the same result.",
        "baseline": "A simple way that the result has to beat.",
        "random forest": "Many decision trees that vote; here on the bands of each pixel.",
    },
    "Scores": {
        "IoU": "Intersection over union: pixels that map and labels share, over all that either of them has of a class; 1 is perfect.",
        "F1": "The harmonic mean of precision and recall.",
        "precision": "The share of the pixels called burnt, or another class, that truly are.",
        "recall": "The share of the pixels truly burnt, or of another class, that are called so.",
        "accuracy": "The share of all labelled pixels that are called rightly; large where most is one class.",
        "interval": "Where the score would lie, in 95 of 100 draws, had other places been chosen.",
        "threshold": "The number from which a pixel counts as burnt; of a decoder, its probability.",
    },
}  # fmt: skip
WORDS: Mapping[str, str] = {word: meaning for group in GROUPS.values() for word, meaning in group.items()}
_BY_LOWER = {word.lower(): word for word in WORDS}
_WORD = re.compile(
    rf"(?<![\w-])({'|'.join(sorted(map(re.escape, _BY_LOWER), key=len, reverse=True))})(?:e?s)?(?![\w-])", re.IGNORECASE
)  # fmt: skip


def meaning(word: str, more: str = "") -> str:
    """The sentence of a word of the table as help beside a widget, before what else is said there."""
    return f"{word[0].upper()}{word[1:]}: {WORDS[word]} {more}".strip()


def explained(text: str, *, is_stop: bool = True) -> str:
    """Text as HTML, each word of the table marked with its sentence where it first stands; all else is escaped.

    Args:
        is_stop: the Tab key comes by; not in tables and rows of facts, where there would be too many stops.
    """
    parts, end, seen = list[str](), 0, set[str]()
    stop = ' tabindex="0"' if is_stop else ""
    for found in _WORD.finditer(text):
        word = _BY_LOWER[found[1].lower()]
        if word in seen:
            continue
        seen.add(word)
        told = html.escape(WORDS[word], quote=True)
        parts += [
            html.escape(text[end : found.start()]),
            f'<abbr{stop} title="{told}">{html.escape(found[0])}</abbr>',
        ]
        end = found.end()
    return "".join([*parts, html.escape(text[end:])])
