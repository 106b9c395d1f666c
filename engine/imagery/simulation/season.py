"""Write a simulated, labelled fire season in the layout of HLS Burn Scars."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import rasterio

from engine.errors import ConfigError
from engine.imagery.season_version import FACTS, SEASON_VERSION
from engine.imagery.simulation.chip import NODATA, SimulatedChip, simulate_chip
from engine.imagery.simulation.endmembers import BANDS
from engine.imagery.simulation.labels import write_labels
from engine.imagery.simulation.location import MOST_CHIPS, Location
from engine.imagery.simulation.splits import split_places

WORKERS = 2
MANY_CHIPS = 12  # from here a second process is worth its start
SOURCE = "Emberscope simulated fire season; no satellite has seen it"


def simulate_season(
    folder: Path, seed: int, on_chip: Callable[[int, int], None] | None = None, *, chips: int = MOST_CHIPS
) -> None:
    """Write `chips` chips under `folder`, whole or not at all; the same seed gives the same bytes.

    Args:
        folder: must not exist, or be empty.
        on_chip: called with (done, total) after each chip, in the calling thread.
        chips: 3 to 48, so that each split has one.

    Raises:
        ConfigError: the folder is in use, or the seed or the number of chips is out of range.
    """
    _check(folder, seed, chips)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for part in ("data", "pre", "splits"):
            (temporary / part).mkdir()
        stems = _write_chips(temporary, seed, chips, on_chip)
        splits = split_places(seed, chips)
        for name, members in splits.items():
            lines = "".join(f"{stems[index]}\n" for index in members)
            (temporary / "splits" / f"{name}.txt").write_text(lines, encoding="utf-8")
        _describe(temporary, seed, {name: len(members) for name, members in splits.items()})
        temporary.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check(folder: Path, seed: int, chips: int) -> None:
    """Refuse what cannot be written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            f"{folder} is in use; a season is written into a new or empty folder. Name another, or remove it."
        )
    if seed < 0:
        raise ConfigError(f"The seed {seed} is negative. Give a whole number such as 0.")
    if not 3 <= chips <= MOST_CHIPS:
        raise ConfigError(
            f"A season of {chips} chips cannot be made: it has 3 to {MOST_CHIPS}. Choose a number in that range."
        )


def _write_chips(
    folder: Path, seed: int, chips: int, on_chip: Callable[[int, int], None] | None
) -> dict[int, str]:
    """Simulate and write all chips, many of them on two processes; returns their stems by number."""
    if chips < MANY_CHIPS or (os.cpu_count() or 1) == 1:
        stems = {}
        for index in range(chips):
            stems[index] = _write_chip(folder, seed, index)
            if on_chip is not None:
                on_chip(len(stems), chips)
        return stems
    return _write_chips_at_once(folder, seed, chips, on_chip)


def _write_chips_at_once(
    folder: Path, seed: int, chips: int, on_chip: Callable[[int, int], None] | None
) -> dict[int, str]:
    """As `_write_chips`, on processes of their own: threads would wait for each other in the graph searches."""
    stems: dict[int, str] = {}
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_write_chip, folder, seed, index): index for index in range(chips)}
        try:
            for done in as_completed(waiting):
                stems[waiting[done]] = done.result()
                if on_chip is not None:
                    on_chip(len(stems), chips)
        finally:
            pool.shutdown(cancel_futures=True)
    return stems


def _write_chip(folder: Path, seed: int, index: int) -> str:
    """Simulate one chip and write its images and labels."""
    chip = simulate_chip(seed, index)
    stem = chip.location.stem
    _write_raster(folder / "data" / f"{stem}_merged.tif", chip.post, chip, chip.location.post, seed)
    _write_raster(folder / "data" / f"{stem}.mask.tif", chip.mask[None], chip, chip.location.post, seed)
    write_labels(folder, chip)
    _write_raster(folder / "pre" / f"{stem}_merged.tif", chip.pre, chip, chip.location.pre, seed)
    return stem


def _write_raster(path: Path, pixels: np.ndarray, chip: SimulatedChip, when: datetime, seed: int) -> None:
    """One GeoTIFF of (C, H, W) pixels: float32 reflectance, or the int16 mask."""
    is_image = pixels.dtype == np.float32
    location: Location = chip.location
    profile = {
        "driver": "GTiff", "dtype": pixels.dtype.name, "count": len(pixels),
        "height": pixels.shape[1], "width": pixels.shape[2], "crs": location.crs, "transform": location.transform,
        "nodata": NODATA if is_image else -1, "compress": "deflate", "predictor": 3 if is_image else 2, "zlevel": 1,
        "tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "band",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels)
        raster.descriptions = BANDS if is_image else ("burned",)
        raster.update_tags(
            EMBERSCOPE_SIMULATED="yes",
            EMBERSCOPE_SENSOR=chip.view.sensor,
            EMBERSCOPE_DATETIME=when.isoformat().replace("+00:00", "Z"),
            EMBERSCOPE_FIRE_DATETIME=location.fire.isoformat().replace("+00:00", "Z"),
            EMBERSCOPE_SOURCE=f"{SOURCE}; seed {seed}",
            EMBERSCOPE_LICENCE="CC0-1.0",
            EMBERSCOPE_LANDSCAPE=chip.landscape_kind,
            EMBERSCOPE_SEASON_VERSION=str(SEASON_VERSION),
        )


def _describe(folder: Path, seed: int, counts: dict[str, int]) -> None:
    """Say in words and in JSON what the folder is."""
    facts = {
        "simulated": True,
        "version": SEASON_VERSION,
        "seed": seed,
        "splits": counts,
        "bands": list(BANDS),
        "nodata": NODATA,
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    (folder / "SIMULATED.md").write_text(
        f"""# A simulated fire season

Nothing here was seen by a satellite. Places, fires and dates are made up by `python -m engine simulate --seed {seed}`
(version {SEASON_VERSION} of the season): six bands mixed from published endmember spectra, with terrain, haze, smoke, cloud and
noise. Half of the places are surface reflectance (as HLS), a quarter each top-of-atmosphere reflectance in the bands of Landsat 8
and of Sentinel-2; the tag EMBERSCOPE_SENSOR of each raster tells which. Landscapes are of five climates; some places lie at a sea.
Coordinates lie in two real UTM zones so that maps work; the ground there looks otherwise, and no such fires burned.

- `data/<stem>_merged.tif`: post-fire reflectance, float32, {", ".join(BANDS)}; {NODATA:g} where not seen
- `data/<stem>.mask.tif`: 1 burned, 0 not burned, -1 under cloud or not seen
- `data/<stem>.severity.tif`: 0 not burned, 1 low, 2 moderate, 3 high severity, -1 as in the mask
- `data/<stem>.dnbr.tif`: NBR before minus NBR after the fire, float32; NaN under cloud on either date or not seen
- `pre/<stem>_merged.tif`: the same ground before the fire
- `splits/*.txt`: stems of {counts["train"]} training, {counts["val"]} validation and {counts["test"]} test places

The layout is that of HLS Burn Scars, which can take its location.
""",
        encoding="utf-8",
    )
