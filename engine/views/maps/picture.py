"""A map of classes as a picture for people: imagery below, title, legend, scale bar, dates and source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from PIL import Image, ImageDraw, ImageFont

from engine.files import write_atomic
from engine.views.maps.filled_blocks import block_groups, transform_of, trimmed
from engine.views.maps.picture_ground import ground_picture
from engine.views.maps.probability_map import NODATA, open_map, step_of

if TYPE_CHECKING:
    from rasterio.windows import Window

    from engine.imagery.scene import Scene

MOST_PX, _LEAST_PX = 1400, 700
_MARGIN_PX, _LINE_PX, _TITLE_PX, _TEXT_PX = 24, 26, 30, 18
_BAR_SHARE = 0.22  # of the picture's width, at most
# A map of which less lies in the file is shown where most of the class is: the rest would be dots.
_MOSTLY_GAPS = 0.1
_PAPER, _INK, _SOFT, _BARE = (255, 255, 255), (28, 25, 22), (110, 104, 96), (232, 230, 225)


@dataclass(frozen=True)
class Caption:
    """The words around a picture.

    Attributes:
        legend: colour (red, green, blue) and name of what is drawn.
        lines: below the picture: dates, source, and what must be said of it.
    """

    title: str
    legend: Sequence[tuple[tuple[int, int, int], str]]
    lines: Sequence[str]


def write_map_picture(
    path: Path, out: Path, colours: Mapping[int, tuple[int, int, int, int]], threshold: float, caption: Caption,
    scenes: Sequence[Scene] = (),
) -> Path:  # fmt: skip
    """Draw a map of probabilities above a threshold, over the scenes where there are some.

    Args:
        colours: of the classes that are drawn: value -> red, green, blue, alpha (0-255).

    Raises:
        StoreError, DiskFull: the map cannot be read, or there is no room.
    """
    cut = step_of(threshold)
    with open_map(path) as dataset:
        window = _shown_window(dataset, cut)
        scale = max(1.0, max(window.width, window.height) / MOST_PX)
        width, height = max(1, round(window.width / scale)), max(1, round(window.height / scale))
        values, steps = dataset.read(window=window, out_shape=(2, height, width))
        transform = transform_of(dataset, window) @ rasterio.Affine.scale(
            window.width / width, window.height / height
        )
        ground = ground_picture(scenes, dataset.crs, transform, height, width)
    pixels = np.full((height, width, 3), _BARE, np.float64) if ground is None else ground
    for value, (red, green, blue, alpha) in colours.items():
        is_drawn = (values == value) & (steps >= cut) & (steps != NODATA)
        share = 0.85 * alpha / 255
        pixels[is_drawn] = share * np.array([red, green, blue]) + (1 - share) * pixels[is_drawn]
    page = captioned(*enlarged(Image.fromarray(pixels.astype(np.uint8)), transform.a), caption)
    write_atomic(out, lambda temporary: page.save(temporary, "PNG", optimize=True))
    return out


def composed(path: Path, scenes: Sequence[Scene] = ()) -> tuple[Image.Image, float]:
    """A map of red, green, blue and opacity over the scenes: the picture, and the metres of its pixels."""
    with rasterio.open(path) as dataset:
        scale = max(1.0, max(dataset.width, dataset.height) / MOST_PX)
        width, height = max(1, round(dataset.width / scale)), max(1, round(dataset.height / scale))
        painted = np.moveaxis(dataset.read(out_shape=(4, height, width)), 0, -1).astype(np.float64)
        transform = dataset.transform @ rasterio.Affine.scale(dataset.width / width, dataset.height / height)
        ground = ground_picture(scenes, dataset.crs, transform, height, width)
    below = np.full((height, width, 3), _BARE, np.float64) if ground is None else ground
    share = painted[..., 3:] / 255
    pixels = share * painted[..., :3] + (1 - share) * below
    return enlarged(Image.fromarray(pixels.astype(np.uint8)), transform.a)


def enlarged(image: Image.Image, metres_a_px: float) -> tuple[Image.Image, float]:
    """A small picture with each pixel as a square of several."""
    if max(image.size) >= _LEAST_PX:
        return image, metres_a_px
    larger = math.ceil(_LEAST_PX / max(image.size))
    size = image.width * larger, image.height * larger
    return image.resize(size, Image.Resampling.NEAREST), metres_a_px / larger


def _shown_window(dataset: rasterio.DatasetReader, cut: int) -> Window:
    """All of the map, or its part with most pixels above the threshold where the map is mostly gaps."""
    from rasterio.windows import Window

    groups = block_groups(dataset)
    whole = Window(0, 0, dataset.width, dataset.height)
    filled = sum(group.width * group.height for group in groups)
    if len(groups) < 2 or filled >= _MOSTLY_GAPS * whole.width * whole.height:
        return whole
    return trimmed(dataset, max(groups, key=lambda group: _above(dataset, group, cut)))


def _above(dataset: rasterio.DatasetReader, window: Window, cut: int) -> int:
    steps = dataset.read(2, window=window)
    return int(((steps >= cut) & (steps != NODATA)).sum())


def captioned(image: Image.Image, metres_a_px: float, caption: Caption) -> Image.Image:
    """The picture with its words above and below."""
    title, text = _font(_TITLE_PX), _font(_TEXT_PX)
    inner = max(image.width, _LEAST_PX)
    lines = [part for line in caption.lines for part in _wrapped(line, text, inner)]
    above = _wrapped(caption.title, title, inner)
    top = 2 * _MARGIN_PX + len(above) * (_TITLE_PX + 6)
    bottom = 4 * _LINE_PX + (len(caption.legend) + len(lines)) * _LINE_PX
    page = Image.new("RGB", (inner + 2 * _MARGIN_PX, top + image.height + bottom), _PAPER)
    draw = ImageDraw.Draw(page)
    for row, words in enumerate(above):
        draw.text((_MARGIN_PX, _MARGIN_PX + row * (_TITLE_PX + 6)), words, _INK, title)
    left = _MARGIN_PX + (inner - image.width) // 2
    page.paste(image, (left, top))
    y = top + image.height + _LINE_PX // 2
    _scale_bar(draw, left, y, image.width, metres_a_px, text)
    y += 2 * _LINE_PX
    for colour, name in caption.legend:
        draw.rectangle((_MARGIN_PX, y + 2, _MARGIN_PX + 26, y + 20), colour, _SOFT)
        draw.text((_MARGIN_PX + 38, y), name, _INK, text)
        y += _LINE_PX
    for line in lines:
        draw.text((_MARGIN_PX, y), line, _SOFT, text)
        y += _LINE_PX
    return page


def _scale_bar(
    draw: ImageDraw.ImageDraw, left: int, y: int, width: int, metres_a_px: float, font: ImageFont.FreeTypeFont
) -> None:
    """A bar of a round length, and an arrow to the grid's north at the other side."""
    most = _BAR_SHARE * width * metres_a_px
    power = 10.0 ** math.floor(math.log10(most))
    metres = next(step * power for step in (5, 2, 1) if step * power <= most)
    length = round(metres / metres_a_px)
    draw.rectangle((left, y + 4, left + length, y + 9), _INK)
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    draw.text((left + length + 12, y - 4), words, _INK, font)
    x = left + width - 14
    draw.polygon([(x, y - 2), (x - 8, y + 18), (x + 8, y + 18)], _INK)
    draw.text((x - 34, y - 2), "N", _INK, font)


def _font(size_px: int) -> ImageFont.FreeTypeFont:
    """The font inside Pillow (Aileron, CC0)."""
    font = ImageFont.load_default(size_px)
    assert isinstance(
        font, ImageFont.FreeTypeFont
    )  # where Pillow is built without FreeType there is only a bitmap font
    return font


def _wrapped(words: str, font: ImageFont.FreeTypeFont, width_px: int) -> list[str]:
    """Lines of text that fit; a single long word is cut."""
    lines, line = [], ""
    for word in words.split():
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= width_px:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while font.getlength(line) > width_px:
            line = line[:-1]
    return [*lines, line] if line else lines
