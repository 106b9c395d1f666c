"""Where and when each simulated chip lies: real UTM zones, real MGRS tile names, a season of dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform

CHIP_PX = 256
PIXEL_M = 30.0
MOST_CHIPS = 48
# South-west corners (easting, northing in metres) of the two blocks of cells; northern California and Nevada.
ZONES = ((10, 480_000.0, 4_255_000.0, 6, 6), (11, 245_000.0, 4_275_000.0, 2, 6))
CELL_M = (42_000.0, 55_000.0)
# MGRS lettering of 100 km squares in the WGS 84 (AA) scheme: NGA.STND.0037, Universal Grids.
COLUMN_LETTERS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUV"
BAND_LETTERS = "CDEFGHJKLMNPQRSTUVWX"


@dataclass(frozen=True)
class Location:
    """One chip's ground and dates.

    Attributes:
        stem: file stem in the manner of HLS Burn Scars, beginning with `simulated_`.
        transform: of a north-up raster of 30 m pixels.
        pre, fire, post: dates (UTC) of the two acquisitions and of the fire between them.
    """

    stem: str
    crs: CRS
    transform: Affine
    latitude_deg: float
    pre: datetime
    fire: datetime
    post: datetime


def make_location(
    rng: np.random.Generator, index: int, product: str, fire_days: tuple[int, int], longest_age_days: int
) -> Location:
    """Where a chip lies: a cell of its own, so that no two chips of a season overlap.

    Args:
        product: what the stem calls the images.
        fire_days: days of the year on which the fire may start; beyond 365 in the year after.
        longest_age_days: most days between the fire and the image after it.
    """
    zone, column, row = _cell(index)
    number, west, south, _, _ = zone
    room = np.array(CELL_M) - CHIP_PX * PIXEL_M
    easting, northing = np.array([west, south]) + np.array(CELL_M) * (column, row) + rng.uniform(0, room)
    easting, northing = PIXEL_M * np.round(np.array([easting, northing]) / PIXEL_M)
    northing += CHIP_PX * PIXEL_M  # the raster's origin is its north-west corner
    crs = CRS.from_epsg(32600 + number)
    middle = CHIP_PX * PIXEL_M / 2
    _, latitudes = transform(crs, "EPSG:4326", [easting + middle], [northing - middle])

    overpass = datetime(2021, 1, 1, 18, 52, 0, tzinfo=UTC)
    fire = overpass + timedelta(days=int(rng.integers(*fire_days)))
    # Most scars are looked at when they are fresh.
    age_days = int(2 + (longest_age_days - 2) * rng.beta(1.0, 2.2))
    post = fire + timedelta(days=age_days)
    pre = fire - timedelta(days=int(rng.integers(5, 45)))
    tile = mgrs_square(number, latitudes[0], easting + middle, northing - middle)
    stem = f"simulated_{product}.T{tile}.{post:%Y%j}.v1_{index:03d}"
    return Location(
        stem, crs, Affine(PIXEL_M, 0, easting, 0, -PIXEL_M, northing), latitudes[0], pre, fire, post
    )


def _cell(index: int) -> tuple[tuple[int, float, float, int, int], int, int]:
    """Zone block, column and row of a chip."""
    rest = index
    for zone in ZONES:
        columns, rows = zone[3], zone[4]
        if rest < columns * rows:
            return zone, rest % columns, rest // columns
        rest -= columns * rows
    raise IndexError(f"The season has no chip {index}: it has {MOST_CHIPS}.")


def mgrs_square(zone: int, latitude_deg: float, easting_m: float, northing_m: float) -> str:
    """Name of the MGRS 100 km square of a point in the northern hemisphere, such as 10TFK."""
    band = BAND_LETTERS[int((latitude_deg + 80) // 8)]
    column = COLUMN_LETTERS[(zone - 1) % 3][int(easting_m // 100_000) - 1]
    row = ROW_LETTERS[(int(northing_m // 100_000) + (5 if zone % 2 == 0 else 0)) % 20]
    return f"{zone}{band}{column}{row}"
