"""Files of exactly the forms in which embeddings are published, made small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

WEST, NORTH, CRS = 400_000.0, 4_100_000.0, "EPSG:32618"
ALPHAEARTH_BANDS = tuple(f"A{number:02d}" for number in range(64))


def unit_vectors(h: int, w: int, dim: int = 64, seed: int = 0) -> np.ndarray:
    """(h, w, D) float32 of length 1."""
    drawn = np.random.default_rng(seed).normal(size=(h, w, dim))
    return (drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)).astype(np.float32)


def in_8_bits(vectors: np.ndarray) -> np.ndarray:
    """AlphaEarth's quantisation: the inverse of sign(v) (v / 127.5)^2."""
    return np.clip(np.round(np.sign(vectors) * np.sqrt(np.abs(vectors)) * 127.5), -127, 127).astype(np.int8)


def write_tiff(
    path: Path,
    values: np.ndarray,
    bands: tuple[str, ...] = (),
    nodata: float | None = None,
    south_up: bool = False,
    transform: Affine | None = None,
    crs: str | None = CRS,
    **profile: object,
) -> Path:
    """(h, w, D), first row northernmost, as a GeoTIFF; south-up files hold the rows the other way round."""
    h, w, dim = values.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    placed = transform or (
        Affine(10, 0, WEST, 0, 10, NORTH - h * 10) if south_up else Affine(10, 0, WEST, 0, -10, NORTH)
    )
    with rasterio.open(
        path, "w", driver="GTiff", height=h, width=w, count=dim, dtype=values.dtype, crs=crs, transform=placed,
        nodata=nodata, **profile,
    ) as file:  # fmt: skip
        file.write(np.moveaxis(values[::-1] if south_up else values, -1, 0))
        for number, name in enumerate(bands, 1):
            file.set_band_description(number, name)
    return path


def alphaearth(path: Path, vectors: np.ndarray, gaps: np.ndarray | None = None) -> Path:
    """A file of the public copy: int8, 64 named bands, ZSTD, nodata -128, south-up."""
    numbers = in_8_bits(vectors)
    if gaps is not None:
        numbers[gaps] = -128
    return write_tiff(
        path, numbers, ALPHAEARTH_BANDS, nodata=-128, south_up=True, compress="zstd", tiled=True, blockxsize=64, blockysize=64,
    )  # fmt: skip
