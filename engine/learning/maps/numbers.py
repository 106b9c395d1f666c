"""Maps of numbers: their mean, spread and ends, and the picture with a colour bar."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image

from engine.extraction.stored_scenes import scenes_of_store
from engine.files import write_atomic
from engine.learning.film_reel import ramped
from engine.learning.maps.facts import VALUES, MapFacts
from engine.views.maps.filled_blocks import cell_hectares, filled_blocks
from engine.views.maps.picture import MOST_PX, Caption, captioned, enlarged
from engine.views.maps.picture_ground import ground_picture

_BARE, _OPACITY, _LEGEND_STEPS = (232, 230, 225), 0.9, 5


def summary_of(path: Path) -> dict[str, float]:
    """Mean, standard deviation, least and greatest number of a map, and the hectares on the ellipsoid that have one.

    Args:
        path: of the raster, NaN where there is no number.
    """
    number, total, squares, hectares = 0, 0.0, 0.0, 0.0
    ends = [math.inf, -math.inf]
    with rasterio.open(path) as dataset:
        for window in filled_blocks(dataset):
            values = dataset.read(1, window=window).astype(np.float64)
            values = values[~np.isnan(values)]
            if not values.size:
                continue
            number, total, squares = number + values.size, total + values.sum(), squares + (values**2).sum()
            ends = [min(ends[0], values.min()), max(ends[1], values.max())]
            hectares += values.size * cell_hectares(dataset, window)
    if not number:
        return {"hectares": 0.0}
    mean = total / number
    spread = math.sqrt(max(0.0, squares / number - mean**2))
    named = {"mean": mean, "std": spread, "least": ends[0], "greatest": ends[1], "hectares": hectares}
    return {name: float(value) for name, value in named.items()}


def rounded(value: float) -> str:
    """A number with three digits, or all of its whole ones: "1.68", "-0.12", "12,345"."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_words(facts: MapFacts) -> str:
    """What a map of numbers says as a whole, with the unit: Mean 12.3 m, from 4.1 to 20.6 m."""
    told, unit = facts.numbers, f" {facts.taught.unit}" if facts.taught.unit else ""
    if "mean" not in told:
        return "No pixel has a number."
    ends = f"from {rounded(told['least'])} to {rounded(told['greatest'])}{unit}"
    return f"Mean {rounded(told['mean'])}{unit}, standard deviation {rounded(told['std'])}{unit}, {ends}."


def legend_of(facts: MapFacts) -> list[tuple[tuple[int, int, int], str]]:
    """Numbers along the colour bar, the highest first."""
    ramp = facts.ramp
    steps = np.linspace(ramp.high, ramp.low, _LEGEND_STEPS)
    colours = ramped(steps, ramp)[:, :3].tolist()
    unit = f" {facts.taught.unit}" if facts.taught.unit else ""
    beyond = {0: " and more", _LEGEND_STEPS - 1: " and less"}
    return [
        ((red, green, blue), f"{rounded(value)}{unit}{beyond.get(index, '')}")
        for index, ((red, green, blue), value) in enumerate(zip(colours, steps.tolist(), strict=True))
    ]


def write_number_picture(folder: Path, facts: MapFacts, out: Path, caption: Caption) -> Path:
    """Write the PNG of a map of numbers over its scenes.

    Raises:
        DiskFull: no room.
    """
    with rasterio.open(folder / VALUES) as dataset:
        scale = max(1.0, max(dataset.width, dataset.height) / MOST_PX)
        width, height = max(1, round(dataset.width / scale)), max(1, round(dataset.height / scale))
        values = dataset.read(1, out_shape=(height, width))
        transform = dataset.transform @ rasterio.Affine.scale(dataset.width / width, dataset.height / height)
        ground = ground_picture(scenes_of_store(Path(facts.store)), dataset.crs, transform, height, width)
    below = np.full((height, width, 3), _BARE, np.float64) if ground is None else ground
    painted = ramped(values, facts.ramp).astype(np.float64)
    share = _OPACITY * painted[..., 3:] / 255
    image = Image.fromarray((share * painted[..., :3] + (1 - share) * below).astype(np.uint8))
    page = captioned(*enlarged(image, transform.a), caption)
    write_atomic(out, lambda temporary: page.save(temporary, "PNG", optimize=True))
    return out
