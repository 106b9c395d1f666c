"""A raster of embeddings, understood: its product, decoding, year and place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.imagery.geobox import gsd_m, transform_bounds
from engine.imagery.raster.dates import tagged_time
from engine.imagery.region import Region
from engine.store.products import geotiff, tessera_npy
from engine.store.products.decoding import (
    Decoding,
    decoding_of_others,
    decoding_of_unit_vectors,
    is_unit_length,
    median_length,
)
from engine.store.products.known import UNKNOWN_PRODUCT, Product, product_of, product_stated, year_of
from engine.store.products.own_exports.tags import own_product
from engine.store.products.pixel_grid import Box, PixelGrid, box_of, sample
from engine.store.products.understood import Understood
from engine.store.products.zarr import zarr_grid

Opened = Callable[[Path], AbstractContextManager[PixelGrid]]
# How files are opened, by the ending of their name.
FORMS: dict[str, tuple[str, Opened]] = {
    ".tif": ("GeoTIFF", geotiff.opened),
    ".tiff": ("GeoTIFF", geotiff.opened),
    ".npy": ("NPY file with scales", tessera_npy.opened),
}


@dataclass(frozen=True)
class RasterEmbeddings:
    """A raster that was understood and is open for reading.

    Attributes:
        box: the pixels that are taken.
    """

    understood: Understood
    pixels: PixelGrid
    decoding: Decoding
    box: Box

    def read(self, box: Box, date: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(h, w, D) float32 embeddings of a box, zero in gaps, and (h, w) bool: where there are some.

        Args:
            date: number of it in the file, where that has several.
        """
        values, is_valid = self.pixels.read_of(box, date)
        decoded = self.decoding.decode(values)
        decoded[~is_valid] = 0
        return decoded, is_valid


def opened_raster(path: Path, year: int | None = None) -> AbstractContextManager[PixelGrid]:
    """A raster of embeddings by the ending of its name, or the folder of a Zarr group, open for reading.

    Args:
        year: which of the dates of a Zarr group; None: all.
    """
    return zarr_grid.opened(path, year) if path.is_dir() else form_of(path)[1](path)


def form_of(path: Path) -> tuple[str, Opened]:
    """What a file or folder is called, and how it is opened."""
    return ("Zarr group", zarr_grid.opened) if path.is_dir() else FORMS[path.suffix.lower()]


@contextmanager
def understood_raster(
    path: Path,
    region: Region | None,
    year: int | None = None,
    model: str | None = None,
    looked_along: int | None = None,
) -> Iterator[RasterEmbeddings]:
    """A raster of embeddings and what it is taken for.

    Args:
        year: which of the dates of a Zarr group; None: all.
        model: as a person states it; it decides where the file tells none.
        looked_along: in how many places along a side numbers are looked at; None: as usual.

    Raises:
        SceneError, RegionError, StoreError: it cannot be read, lies elsewhere, or its numbers contradict its names.
    """
    form = form_of(path)[0]
    with opened_raster(path, year) as pixels:
        box = box_of(pixels.grid, region, path.name)
        product = own_product(pixels.tags) or product_of(
            path, pixels.bands, pixels.dim, pixels.tags.get("model", "")
        )
        if product is UNKNOWN_PRODUCT:
            product = product_stated(model, pixels.dim)
        looked = sample(pixels, box, path.name, *([looked_along] if looked_along else []))
        yield understood_pixels(path, form, product, pixels, looked, box, _year(path, pixels))


def understood_pixels(
    path: Path,
    form: str,
    product: Product,
    pixels: PixelGrid,
    looked: np.ndarray,
    box: Box,
    dated: tuple[int | None, str],
) -> RasterEmbeddings:
    """A raster that is open, and what it is taken for.

    Args:
        looked: (n, D) stored numbers of `sample`.
        dated: the year, and what is said of where it was found.

    Raises:
        StoreError: its numbers contradict its product.
    """
    decoding = _decoding(product, looked, pixels, path)
    told = _understood(path, form, product, pixels, decoding, looked, box, dated)
    return RasterEmbeddings(told, pixels, decoding, box)


def _decoding(product: Product, looked: np.ndarray, pixels: PixelGrid, path: Path) -> Decoding:
    if product.is_unit_length:
        return decoding_of_unit_vectors(looked, path.name)
    return decoding_of_others(looked, path.name, pixels.scales, pixels.offsets)


def _understood(
    path: Path,
    form: str,
    product: Product,
    pixels: PixelGrid,
    decoding: Decoding,
    looked: np.ndarray,
    box: Box,
    dated: tuple[int | None, str],
) -> Understood:
    vectors = decoding.decode(looked)
    if not np.isfinite(vectors).all():
        raise StoreError(
            f"{path.name} holds numbers that are not finite once they are decoded. Check its scale."
        )
    year, told = dated
    unnamed = (
        "Nothing in the file tells which model made these embeddings, nor under which licence. --model NAME states the model."
        if product is UNKNOWN_PRODUCT
        else ""
    )
    notes = (decoding.correction, product.note, unnamed, told, *pixels.notes)
    return Understood(
        path=str(path), form=f"{product.title} in a {form}", model=product.model, dim=pixels.dim, decoding=pixels.decoded or decoding.words,
        mean_length=median_length(vectors), is_unit_length=is_unit_length(vectors), nodata=pixels.nodata, year=year,
        licence=product.licence, attribution=product.attribution, crs=str(pixels.grid.crs), gsd_m=gsd_m(pixels.grid),
        size=f"{box.bottom - box.top} x {box.right - box.left} pixels", rows=box.rows * max(1, len(pixels.dates)), years=tuple(sorted({int(moment[:4]) for _, moment in pixels.dates})), dtype="float16" if pixels.is_integer else "float32",
        notes=tuple(note for note in notes if note),
        bounds_lonlat=transform_bounds(pixels.grid[box.top : box.bottom, box.left : box.right], "EPSG:4326"),
    )  # fmt: skip


def _year(path: Path, pixels: PixelGrid) -> tuple[int | None, str]:
    """The year that the file states, or its name; and where it was found."""
    moment, _ = tagged_time(pixels.tags)
    if moment is not None:
        return moment.year, ""
    year = year_of(path)
    if year is None:
        return None, "No year is stated: the embeddings have no date."
    return (
        year,
        f"The year {year} stands in the file's name or folder. The embeddings are dated 1 January {year}.",
    )
