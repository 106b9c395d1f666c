"""Pictures of a report: the test place with most of the class, as it is seen, as it was mapped, and where the map errs."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from PIL import Image
from rasterio.errors import RasterioError
from rasterio.windows import Window

from engine.extraction.stored_scenes import scenes_of_store
from engine.learning.film_reel import ramped
from engine.learning.keeping.result import TrainRun
from engine.views.maps.filled_blocks import block_groups, transform_of, trimmed
from engine.views.maps.picture_ground import ground_picture

if TYPE_CHECKING:
    from engine.learning.tasks.task import MapStyle

_MOST_PX, _LEAST_PX = 520, 420
_OPACITY = 0.85
_APART_PX = 16


def pictures_of(run: TrainRun) -> list[tuple[str, str]]:
    """(words, data address of a PNG); none where the run has left no map of classes."""
    task = run.task
    if not run.predictions.is_file():
        return []
    try:
        with rasterio.open(run.predictions) as dataset:
            window = trimmed(dataset, most_of_the_class(dataset, set(task.sought)))
            made: list[tuple[str, Path | None, MapStyle]] = [
                ("Where it was tested", None, task.prediction_style),
                ("What the decoder maps", run.predictions, task.prediction_style),
                ("Where it errs", run.errors, task.error_style),
            ]
            scenes = scenes_of_store(run.store_folder)
            return [
                (words, _address(_drawn(dataset, window, path, style, scenes))) for words, path, style in made
            ]
    except (RasterioError, OSError):
        return []


def most_of_the_class(dataset: rasterio.DatasetReader, sought: set[int]) -> Window:
    """The place of a map with most pixels of the classes that are looked for: around ground that holds together."""
    best, most = None, -1
    for group in block_groups(dataset):
        is_sought = np.isin(dataset.read(1, window=group), list(sought))
        for rows, cols in _places(dataset.read_masks(1, window=group) > 0):
            count = int(is_sought[rows, cols].sum())
            if count > most:
                best, most = (group, rows, cols), count
    assert best is not None, "a map has values"
    group, rows, cols = best
    return Window(
        group.col_off + cols.start, group.row_off + rows.start, cols.stop - cols.start, rows.stop - rows.start
    )


def _places(has_value: np.ndarray) -> list[tuple[slice, slice]]:
    """Rows and columns around each ground whose values lie within about two cells of `_APART_PX` of each other.

    Blocks of a map are large: two places far enough apart to be two may lie in blocks that touch.
    """
    from scipy.ndimage import find_objects, label

    height, width = has_value.shape
    down, across = -(-height // _APART_PX), -(-width // _APART_PX)
    padded = np.zeros((down * _APART_PX, across * _APART_PX), bool)
    padded[:height, :width] = has_value
    cells = padded.reshape(down, _APART_PX, across, _APART_PX).any(axis=(1, 3))
    groups, _ = label(cells, structure=np.ones((3, 3)))
    return [
        (slice(rows.start * _APART_PX, min(rows.stop * _APART_PX, height)),
         slice(cols.start * _APART_PX, min(cols.stop * _APART_PX, width)))
        for rows, cols in find_objects(groups)
    ]  # fmt: skip


def _drawn(
    dataset: rasterio.DatasetReader, window: Window, path: Path | None, style: MapStyle, scenes: tuple[object, ...]
) -> Image.Image:  # fmt: skip
    shrink = max(1.0, max(window.width, window.height) / _MOST_PX)
    width, height = round(window.width / shrink), round(window.height / shrink)
    transform = transform_of(dataset, window) @ rasterio.Affine.scale(
        window.width / width, window.height / height
    )
    ground = ground_picture(scenes, dataset.crs, transform, height, width)  # type: ignore[arg-type]
    pixels = np.full((height, width, 3), 232.0) if ground is None else ground
    if path is not None:
        with rasterio.open(path) as shown:
            values = shown.read(1, window=window, out_shape=(height, width))
        if style.ramp is not None:
            painted = ramped(values, style.ramp).astype(np.float64)
            share_of = _OPACITY * painted[..., 3:] / 255
            pixels = share_of * painted[..., :3] + (1 - share_of) * pixels
        for value, (red, green, blue, alpha) in style.colours.items():
            share = _OPACITY * alpha / 255
            is_drawn = values == value
            pixels[is_drawn] = share * np.array([red, green, blue]) + (1 - share) * pixels[is_drawn]
    image = Image.fromarray(pixels.astype(np.uint8))
    if max(image.size) < _LEAST_PX:
        larger = -(-_LEAST_PX // max(image.size))
        image = image.resize((image.width * larger, image.height * larger), Image.Resampling.NEAREST)
    return image


def _address(image: Image.Image) -> str:
    held = io.BytesIO()
    image.quantize(128).save(held, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"
