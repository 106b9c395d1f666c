"""Rasters of any affine, CRS, type and kind of gap, with what they hold: for tests of reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from pyproj import CRS, Transformer
from rasterio.enums import ColorInterp

CUSTOM = "+proj=tmerc +lat_0=0 +lon_0=11.5 +k=1 +x_0=400000 +y_0=0 +ellps=GRS80 +units=m +no_defs"
# CRS, a place in it, and its units in about 30 m.
PLACES = (
    ("EPSG:32633", 480_000.0, 5_200_000.0, 30.0),
    ("EPSG:2263", 1_000_000.0, 200_000.0, 98.4),  # US survey feet, New York
    ("EPSG:4326", 15.2, 49.9, 3e-4),
    ("EPSG:4326", 195.3, -17.0, 3e-4),  # counted beyond 180 degrees
    ("EPSG:4326", 359.2, 12.0, 3e-4),
    ("EPSG:3857", 1_500_000.0, 7_000_000.0, 55.0),  # 53 N
    ("EPSG:3857", 1_500_000.0, 12_800_000.0, 110.0),  # 75 N
    ("EPSG:3413", 200_000.0, -1_800_000.0, 30.0),
    ("EPSG:3031", -1_500_000.0, 700_000.0, 30.0),
    (CUSTOM, 420_000.0, 5_300_000.0, 30.0),
)
DTYPES = ("uint8", "int16", "uint16", "int32", "float32", "float64")
GAPS = ("none", "declared", "undeclared", "nan", "mask inside", "mask beside", "alpha", "band by band")
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
# What stands in gaps: mixed into any average it would be seen.
GAP_VALUE = {
    "uint8": 255,
    "int16": -9999,
    "uint16": 65_535,
    "int32": -9999,
    "float32": -9999.0,
    "float64": -9999.0,
}


@dataclass(frozen=True)
class Made:
    """A raster and what it holds.

    Attributes:
        transform: pixel (column, row) to its CRS.
        stored: (6, H, W) float64, smooth; in gaps whatever marks them.
        is_gap: (H, W).
        gap: kind of gap, one of GAPS.
    """

    crs: str
    transform: Affine
    dtype: str
    stored: np.ndarray = field(repr=False)
    is_gap: np.ndarray = field(repr=False)
    gap: str

    @property
    def nodata(self) -> float:
        """Stored value of a gap."""
        return float(GAP_VALUE[self.dtype])

    def write(self, path: Path) -> Path:
        """The raster as a file, with the side-cars that its gaps need."""
        marked = self.stored.astype(self.dtype)
        has_alpha = self.gap == "alpha"
        profile = {
            "driver": "GTiff", "height": marked.shape[1], "width": marked.shape[2], "count": 6 + has_alpha,
            "dtype": self.dtype, "crs": rasterio.CRS.from_user_input(self.crs), "transform": self.transform,
            "tiled": True, "blockxsize": 16, "blockysize": 16,
        }  # fmt: skip
        if self.gap == "declared":
            profile["nodata"] = self.nodata
        inside = "TRUE" if self.gap == "mask inside" else "FALSE"
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside),
            rasterio.open(path, "w", **profile) as made,
        ):
            made.write(marked, list(range(1, 7)))
            made.descriptions = (*BANDS, *(["alpha"] if has_alpha else []))
            if has_alpha:
                made.colorinterp = [ColorInterp.gray] + [ColorInterp.undefined] * 5 + [ColorInterp.alpha]
                made.write(np.where(self.is_gap, 0, _opaque(self.dtype)).astype(self.dtype), 7)
            if self.gap.startswith("mask"):
                made.write_mask(np.where(self.is_gap, 0, 255).astype(np.uint8))
        if self.gap == "band by band":
            bands = "".join(
                f'<PAMRasterBand band="{n}"><NoDataValue>{self.nodata - n + 1:g}</NoDataValue></PAMRasterBand>'
                for n in range(1, 7)
            )
            path.with_name(f"{path.name}.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
        return path

    def at(self, there: GeoBox) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Column, row in this raster of another grid's pixel middles, and whether one lies well off every edge.

        The last is false within 3 % of a pixel of an edge, where rounding decides.
        """
        x, y = np.meshgrid(np.arange(there.width) + 0.5, np.arange(there.height) + 0.5)
        x, y = there.transform @ (x, y)
        if CRS.from_user_input(str(there.crs)) != CRS.from_user_input(self.crs):
            x, y = Transformer.from_crs(str(there.crs), self.crs, always_xy=True).transform(x, y)
        if CRS.from_user_input(self.crs).is_geographic:
            middle = (self.transform @ (self.stored.shape[2] / 2, self.stored.shape[1] / 2))[0]
            x = (np.asarray(x) - middle + 180) % 360 - 180 + middle
        column, row = ~self.transform @ (np.asarray(x), np.asarray(y))
        is_clear = (np.abs(column - np.round(column)) > 0.03) & (np.abs(row - np.round(row)) > 0.03)
        return column, row, is_clear

    def has_value(self, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Whether places lie on the raster and outside its gaps."""
        h, w = self.is_gap.shape
        on = (column >= 0) & (column < w) & (row >= 0) & (row < h)
        gap = self.is_gap[
            np.clip(np.floor(row), 0, h - 1).astype(int), np.clip(np.floor(column), 0, w - 1).astype(int)
        ]
        return on & ~gap


def ramp(column: np.ndarray, row: np.ndarray, dtype: str) -> np.ndarray:
    """(6, ...) what the rasters hold at places: planes, so that any symmetric kernel keeps them."""
    step = 1.0 if dtype == "uint8" else 9.0
    return np.stack([20 + step * (band + column + 1.5 * row) for band in range(6)])


def _opaque(dtype: str) -> int:
    return 255 if dtype == "uint8" else 65_535 if dtype == "uint16" else 32_767 if dtype == "int16" else 255


@st.composite
def affines(draw: st.DrawFn, x: float, y: float, side: float, is_aligned: bool | None = None) -> Affine:
    """Any affine about a place: quarters, any angle, skewed, mirrored, not square."""
    aligned = draw(st.booleans()) if is_aligned is None else is_aligned
    angle = draw(st.sampled_from([0, 90, 180, 270])) if aligned else draw(st.floats(1, 359))
    skew = 0.0 if aligned else draw(st.sampled_from([0.0, 0.0, 20.0, -12.0]))
    across = draw(st.sampled_from([1, -1]))
    down = draw(st.sampled_from([1, -1]))
    tall = 1.0 if is_aligned else draw(st.sampled_from([1.0, 1.0, 0.7, 1.6]))
    offset = draw(st.sampled_from([0.0, 0.37]))
    turn = _turned(angle)
    return (
        Affine.translation(x + offset * side, y - offset * side) @ turn @ Affine.shear(skew)
        @ Affine.scale(across * side, down * side * tall)
    )  # fmt: skip


def _turned(angle: float) -> Affine:
    exact = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}
    if angle in exact:
        cos, sin = exact[angle]
        return Affine(cos, -sin, 0, sin, cos, 0)
    return Affine.rotation(angle)


@st.composite
def rasters(
    draw: st.DrawFn,
    places: tuple[tuple[str, float, float, float], ...] = PLACES,
    is_aligned: bool | None = None,
) -> Made:
    """Any raster."""
    crs, x, y, side = draw(st.sampled_from(places))
    dtype = draw(st.sampled_from(DTYPES))
    kinds = [
        gap for gap in GAPS
        if not (gap == "nan" and not dtype.startswith("float"))
        and not (gap == "undeclared" and dtype not in ("int16", "float32", "float64"))
        and not (gap == "alpha" and dtype not in ("uint8", "uint16"))
    ]  # fmt: skip
    gap = draw(st.sampled_from(kinds))
    height, width = draw(st.integers(24, 44)), draw(st.integers(24, 44))
    transform = draw(affines(x, y, side, is_aligned))
    row, column = np.mgrid[:height, :width] + 0.5
    stored = np.round(ramp(column, row, dtype), 6)
    is_gap = np.zeros((height, width), bool)
    if gap != "none":
        for _ in range(draw(st.integers(1, 3))):
            top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
            is_gap[top : top + draw(st.integers(1, 9)), left : left + draw(st.integers(1, 9))] = True
    if not dtype.startswith("float"):
        stored = np.round(stored)
    if gap == "band by band":  # one band alone has it: the pixel has no value all the same
        band = draw(st.integers(0, 5))
        stored[band, is_gap] = GAP_VALUE[dtype] - band
    else:
        stored[:, is_gap] = np.nan if gap == "nan" else GAP_VALUE[dtype]
    return Made(crs, transform, dtype, stored, is_gap, gap)
