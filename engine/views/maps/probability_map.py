"""A map of probabilities: the class of each pixel and how likely it is, cut at any threshold without the decoder.

Two bands of uint8: the value of a class, and the step of its probability. With two classes the class is always the one
that is looked for; with more it is the most likely one. A pixel is of its class where the probability is above a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from engine.errors import BadInput, StoreError
from engine.files import require_file_path, write_atomic
from engine.views.maps.cog import write_cog
from engine.views.maps.filled_blocks import cell_hectares, filled_blocks

NODATA = 255
# A probability p is kept as the step k with k / STEPS < p <= (k + 1) / STEPS, so that a threshold that is a step cuts
# exactly: a pixel of step k or above has a probability above k / STEPS.
STEPS = 200
BANDS = ("class", "probability")
Colours = Mapping[int, tuple[int, int, int, int]]


@dataclass(frozen=True)
class ClassStyle:
    """How the classes of a map are written.

    Attributes:
        sought: values and names of the classes that a pixel can be of.
        other: value below the threshold; None: none, the pixel is then a gap.
        colours: by value, also of `other`.
        band_name: description of the band of classes.
    """

    sought: Mapping[int, str]
    other: int | None
    other_name: str
    colours: Colours
    band_name: str

    @property
    def default_threshold(self) -> float:
        """One half between two classes; of more the most likely one counts, however likely it is."""
        return 0.0 if self.other is None else 0.5


def step_of(threshold: float) -> int:
    """The first step that lies above a threshold.

    Raises:
        BadInput: it is not from 0 to below 1.
    """
    if not 0 <= threshold < 1:
        raise BadInput(
            f"The threshold {threshold:g} is no probability from 0 to below 1. Give one such as 0.5."
        )
    return round(threshold * STEPS)


def hectares_by_step(path: Path) -> dict[int, list[float]]:
    """Hectares on the ellipsoid of each class at each step: value of the class -> STEPS numbers.

    Raises:
        StoreError: the map is absent or damaged.
    """
    sums: dict[int, np.ndarray] = {}
    with open_map(path) as dataset:
        for window in filled_blocks(dataset):
            values, steps = dataset.read(window=window)
            hectares = cell_hectares(dataset, window)
            for value in np.unique(values[steps != NODATA]):
                counts = np.bincount(steps[(values == value) & (steps != NODATA)], minlength=STEPS)
                sums[int(value)] = sums.get(int(value), np.zeros(STEPS)) + counts[:STEPS] * hectares
    return {value: [round(float(one), 4) for one in found] for value, found in sums.items()}


def hectares_above(
    by_step: Mapping[int, list[float]], sought: Mapping[int, str], threshold: float
) -> dict[str, float]:
    """Hectares of each class above a threshold, by name; 0 of a class that does not occur."""
    cut = step_of(threshold)
    return {name: round(sum(by_step.get(value, [])[cut:]), 2) for value, name in sought.items()}


def write_classes(
    path: Path, out: Path, style: ClassStyle, threshold: float, tags: Mapping[str, str] | None = None
) -> Path:
    """Write the classes above a threshold: one band of uint8 with a colour table, 255 for nothing.

    Raises:
        BadInput: no such threshold.
        StoreError, DiskFull: the map cannot be read, or there is no room.
    """
    cut = step_of(threshold)
    below = NODATA if style.other is None else style.other

    def classes(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
        return np.where(steps == NODATA, NODATA, np.where(steps >= cut, values, below)).astype(np.uint8)

    names = dict(style.sought) | ({} if style.other is None else {style.other: style.other_name})
    legend = {f"EMBERSCOPE_CLASS_{value}": name for value, name in names.items()}
    told = {**legend, **(tags or {}), "EMBERSCOPE_THRESHOLD": f"{threshold:g}"}
    profile = {"dtype": "uint8", "nodata": NODATA}
    return _rewritten(
        path, out, classes, profile, style.band_name, told, {**style.colours, NODATA: (0, 0, 0, 0)}
    )


def write_probability(
    path: Path, out: Path, style: ClassStyle, tags: Mapping[str, str] | None = None
) -> Path:
    """Write the probability as float32, 0 to 1 in steps of 1 / STEPS, NaN for nothing.

    Raises:
        StoreError, DiskFull: the map cannot be read, or there is no room.
    """

    def probability(_values: np.ndarray, steps: np.ndarray) -> np.ndarray:
        return np.where(steps == NODATA, np.nan, (steps + 0.5) / STEPS).astype(np.float32)

    name = (
        f"probability of {' or '.join(style.sought.values())}"
        if style.other is not None
        else "probability of the class"
    )
    return _rewritten(
        path, out, probability, {"dtype": "float32", "nodata": float("nan")}, name, tags or {}, None
    )


def cut_tags(path: Path, threshold: float, tags: Mapping[str, str]) -> dict[str, str]:
    """What a file made of a map at a threshold says: the tags of the map, those given, and the threshold.

    Raises:
        StoreError: the map is absent or damaged.
    """
    with open_map(path) as source:
        return {**_own_tags(source.tags()), **tags, "EMBERSCOPE_THRESHOLD": f"{threshold:g}"}


def open_map(path: Path) -> rasterio.DatasetReader:
    """The map in a file.

    Raises:
        StoreError: absent, damaged, or no map of probabilities.
    """
    try:
        dataset = rasterio.open(path)
    except rasterio.errors.RasterioError as err:
        raise StoreError(f"{path} cannot be read as a map ({err}). Make it again.") from err
    if dataset.descriptions[:2] != BANDS:
        dataset.close()
        raise StoreError(f"{path} is no map of probabilities. Make one with `python -m engine predict`.")
    return dataset


def _rewritten(
    path: Path, out: Path, convert: Any, profile: Mapping[str, Any], band_name: str, tags: Mapping[str, str],
    colours: Colours | None,
) -> Path:  # fmt: skip
    """One band computed of both, block by block; what is not in the one file is not in the other."""
    require_file_path(out)
    sparse = out.with_name(f".{out.stem}-sparse.tif")
    try:
        with open_map(path) as source:
            made = {"driver": "GTiff", "count": 1, "crs": source.crs, "transform": source.transform, "width": source.width,
                    "height": source.height, "tiled": True, "blockxsize": 256, "blockysize": 256, "sparse_ok": True,
                    "bigtiff": "IF_SAFER", **profile}  # fmt: skip
            blocks = list(filled_blocks(source))
            with rasterio.open(sparse, "w", **made) as canvas:
                for window in blocks:
                    canvas.write(convert(*source.read(window=window)), 1, window=window)
                canvas.descriptions = (band_name,)
                canvas.update_tags(**{**_own_tags(source.tags()), **tags})
                if colours is not None:
                    canvas.write_colormap(1, dict(colours))
            covered = sum(block.width * block.height for block in blocks) / (source.width * source.height)
        is_continuous = colours is None
        write_atomic(out, lambda temporary: write_cog(sparse, temporary, is_continuous, covered))
    finally:
        sparse.unlink(missing_ok=True)
    return out


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name.startswith("EMBERSCOPE_")}
