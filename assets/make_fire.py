"""Make the fire scar that the app opens on: `python assets/make_fire.py`, one simulated place after its fire.

It is of another season than the one that decoders learn from on the guided path, so that mapping it is a fair question.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import rasterio

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.imagery.simulation.chip import NODATA, simulate_chip  # noqa: E402
from engine.imagery.simulation.endmembers import BANDS  # noqa: E402
from engine.imagery.simulation.season import SOURCE  # noqa: E402

OUT = ROOT / "assets" / "samples" / "fire_scar.tif"
SEED, INDEX = 35, 4
SCALE = 1e-4  # as HLS is delivered


def main() -> None:
    """Write the six bands as int16, reflectance times 10,000."""
    chip = simulate_chip(SEED, INDEX)
    location = chip.location
    stored = np.where(chip.post == NODATA, NODATA, np.round(chip.post / SCALE)).astype(np.int16)
    profile = {
        "driver": "COG", "dtype": "int16", "count": len(stored), "height": stored.shape[1], "width": stored.shape[2],
        "crs": location.crs, "transform": location.transform, "nodata": NODATA, "compress": "deflate", "predictor": "YES",
        "level": 9,
    }  # fmt: skip
    with rasterio.open(OUT, "w", **profile) as raster:
        raster.write(stored)
        raster.descriptions = BANDS
        raster.update_tags(
            EMBERSCOPE_SIMULATED="yes",
            EMBERSCOPE_SENSOR="hls",
            EMBERSCOPE_DATETIME=location.post.isoformat().replace("+00:00", "Z"),
            EMBERSCOPE_SOURCE=f"{SOURCE}; seed {SEED}",
            EMBERSCOPE_LICENCE="CC0-1.0",
        )


if __name__ == "__main__":
    main()
