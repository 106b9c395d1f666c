"""Where a chip of embeddings lies: as an export of Emberscope says, or the image of its stem, or the file itself."""

from __future__ import annotations

import json
from pathlib import Path

from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.io import DatasetReader

from engine.errors import StoreError
from engine.imagery.projection import metric_grid
from engine.imagery.raster.dates import tagged_time
from engine.imagery.raster.rasters import open_raster
from engine.store.products.tables.footprint_tiles import PIXEL_M, Footprint
from engine.store.schema import StoredTile, stored_tile

TILE_TAG = "EMBERSCOPE_TILE"
_ENDINGS = (".tif", ".tiff", "_merged.tif")


def chip_tile(dataset: DatasetReader, stem: str, images: Path | None) -> StoredTile:
    """The tile of a chip in a GeoTIFF.

    Args:
        dataset: its embeddings, a band a dimension.
        images: folder with the images of the same stems; None: only the file itself is asked.

    Raises:
        StoreError: nothing says where it lies, or the image has pixels that the patches do not divide.
        SceneError: the image or the file has no place on Earth.
    """
    h, w = dataset.height, dataset.width
    told = dataset.tags().get(TILE_TAG)
    if told is not None:
        return _own(told, stem, (h, w))
    found = image_of(stem, images)
    if found is not None:
        return tile_on_image(found, stem, h, w)
    if dataset.crs is None or dataset.transform.is_identity:
        raise StoreError(f"{Path(dataset.name).name} {nowhere(stem, images)}")
    return _tile(stem, _grid(dataset, Path(dataset.name).name), h, w, _moment(dataset))


def image_of(stem: str, images: Path | None) -> Path | None:
    """The image that a chip's embeddings were made of."""
    if images is None:
        return None
    return next((one for end in _ENDINGS if (one := images / f"{stem}{end}").is_file()), None)


def image_aspect(image: Path) -> float:
    """Height of an image over its width, in pixels."""
    with open_raster(image) as source:
        return float(source.height / source.width)


def tile_on_image(image: Path, stem: str, h: int, w: int) -> StoredTile:
    """The tile of a chip of h x w patches that was made of an image.

    Raises:
        StoreError: the patches do not divide its pixels into squares.
        SceneError: it has no place on Earth.
    """
    with open_raster(image) as source:
        grid, moment = _grid(source, image.name), _moment(source)
    _require_division(grid, h, w, stem, image.name)
    return _tile(stem, grid, h, w, moment)


def tile_on_footprint(one: Footprint, stem: str, h: int, w: int, moment: str | None) -> StoredTile:
    """The tile of a chip of h x w patches whose outline alone is known; each patch is cut into pixels of about 10 m."""
    side_px = max(1, round(one.width_m / w / PIXEL_M))
    step_x, step_y = one.width_m / w / side_px, one.height_m / h / side_px
    return StoredTile(
        id=stem[:120], crs=one.crs, transform=(step_x, 0.0, one.west, 0.0, -step_y, one.north), h=h, w=w, height_px=h * side_px,
        width_px=w * side_px, datetimes=(moment,), scene_ids=(stem[:120],), split=None,
    )  # fmt: skip


def nowhere(stem: str, images: Path | None) -> str:
    """What is said of a chip that no image and nothing of its own places."""
    where = f"and {images} holds no image {stem}.tif" if images else "and no image of it was given"
    return f"says nowhere where it lies, {where}. Name the folder of the chips that the embeddings were made of with --images."


def _own(told: str, stem: str, shape: tuple[int, int]) -> StoredTile:
    try:
        tile = stored_tile(json.loads(told))
    except (ValueError, KeyError, TypeError) as err:
        raise StoreError(f"What {stem} says of its tile cannot be read. Export it again.") from err
    if (tile.h, tile.w) != shape:
        raise StoreError(
            f"{stem} has {shape[0]} x {shape[1]} patches, and its tile has {tile.h} x {tile.w}. Export it again."
        )
    return tile


def _grid(dataset: DatasetReader, where: str) -> GeoBox:
    placed = metric_grid(dataset, where)
    if placed.note:
        raise StoreError(
            f"{placed.note}, and patches are not resampled. Bring the images to metres before the embeddings are made, or write "
            f"the embeddings as GeoParquet."
        )
    return placed.grid


def _moment(dataset: DatasetReader) -> str | None:
    moment, _ = tagged_time({key.lower(): value for key, value in dataset.tags().items()})
    return None if moment is None else moment.isoformat()


def _require_division(grid: GeoBox, h: int, w: int, stem: str, image: str) -> None:
    height, width = grid.shape
    if height % h or width % w or height // h != width // w:
        raise StoreError(
            f"{stem} has {h} x {w} patches, and its image {image} has {height} x {width} pixels, which they do not divide into "
            f"squares. Check that the files belong together."
        )


def _tile(stem: str, grid: GeoBox, h: int, w: int, moment: str | None) -> StoredTile:
    height, width = grid.shape
    affine: Affine = grid.transform
    return StoredTile(
        id=stem[:120], crs=str(grid.crs), transform=tuple(float(one) for one in affine[:6]), h=h, w=w, height_px=height,
        width_px=width, datetimes=(moment,), scene_ids=(stem[:120],), split=None,
    )  # fmt: skip
