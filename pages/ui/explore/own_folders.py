"""What is looked for in the folders of the server to become a place: rasters, cubes, products and chips."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from pydantic import ValidationError

from engine.errors import ConfigError
from engine.imagery.cubes.netcdf import ENDINGS as CUBE_ENDINGS
from engine.imagery.cubes.zarr_store import is_zarr
from engine.imagery.sources.cube import ZarrScene, is_address
from engine.imagery.sources.product_files import RASTER_ENDINGS, is_product
from engine.jobs.complaints import in_words
from pages.ui import workspace
from pages.ui.files import folders


def choose() -> Path | None:
    """The raster or folder that was picked in this run."""
    return folders.choose(_IMAGERY)


def typed(text: str) -> Path:
    """The file or folder that a typed path names; of a Zarr store's address, the small file that names it here.

    Raises:
        ConfigError: an address that is none of a store.
        SceneError: the store cannot be had.
    """
    if not is_address(text):
        return Path(text).expanduser().absolute()
    try:
        store = ZarrScene(source="zarr", path=text)
    except ValidationError as err:
        raise ConfigError(f"The address cannot be asked: {in_words(err, ZarrScene)}.") from err
    for step in store.prepare(workspace.folder()):
        st.toast(step, icon=":material/cloud_download:")
    return store.place(workspace.folder())


def _kind(path: Path) -> tuple[str, str] | None:
    if next((path / "data").glob("*_merged.tif"), None) is not None:
        return "chips", "chips in the layout of HLS Burn Scars"
    if is_product(path):
        return "product", "one product with a file a band"
    return ("product", "one cube of dates (Zarr)") if is_zarr(path) else None


_IMAGERY = folders.Wanted("raster", "raster", (*RASTER_ENDINGS, *CUBE_ENDINGS), (".mask.tif",), _kind)
