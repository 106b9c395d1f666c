"""What is looked for in the folders of the server to become a place: rasters, cubes, products and chips."""

from __future__ import annotations

from pathlib import Path

from engine.imagery.cubes.netcdf import ENDINGS as CUBE_ENDINGS
from engine.imagery.cubes.zarr_store import is_zarr
from engine.imagery.sources.product_files import RASTER_ENDINGS, is_product
from pages.ui.files import folders


def choose() -> Path | None:
    """The raster or folder that was picked in this run."""
    return folders.choose(_IMAGERY)


def _kind(path: Path) -> tuple[str, str] | None:
    if next((path / "data").glob("*_merged.tif"), None) is not None:
        return "chips", "chips in the layout of HLS Burn Scars"
    if is_product(path):
        return "product", "one product with a file a band"
    return ("product", "one cube of dates (Zarr)") if is_zarr(path) else None


_IMAGERY = folders.Wanted("raster", "raster", (*RASTER_ENDINGS, *CUBE_ENDINGS), (".mask.tif",), _kind)
