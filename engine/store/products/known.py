"""The published products that are known by the names of their files and bands, with licence and attribution."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Product:
    """A published product.

    Attributes:
        model: as stores name the encoder.
        is_unit_length: whether each embedding has length 1 by its definition.
        licence, attribution: as the publisher states them; empty where it does not.
        note: what a user of it should know; empty where there is nothing.
        is_annual: whether each embedding stands for a whole calendar year.
    """

    title: str
    model: str
    is_unit_length: bool
    licence: str
    attribution: str
    note: str = ""
    is_annual: bool = False


# Licence and sentence of attribution: Earth Engine catalogue, GOOGLE/SATELLITE_EMBEDDING/V1/ANNUAL, "Terms of use".
ALPHAEARTH = Product(
    "AlphaEarth, Google Satellite Embedding V1", "alphaearth_v1", True, "CC-BY-4.0",
    "The AlphaEarth Foundations Satellite Embedding dataset is produced by Google and Google DeepMind.",
    is_annual=True,
)  # fmt: skip
# "Embeddings and model weights are released under the CC0 license [...] we do request" attribution: its repository's README.
TESSERA = Product(
    "TESSERA", "tessera", False, "CC0-1.0", "TESSERA embeddings, University of Cambridge",
    "The file does not say which version of TESSERA made it: embeddings of different versions must not be mixed.",
    is_annual=True,
)  # fmt: skip
# "License: ODC-BY": its entry in cloudnativegeo/geo-embeddings-survey, data/clay; version 1.5 states none that was found.
CLAY_V0_LICENCE = "ODC-By-1.0"
# The cards of Major-TOM/Core-S2L1C-SSL4EO and its sisters on Hugging Face.
MAJOR_TOM_LICENCE = "CC-BY-SA-4.0"
UNKNOWN_PRODUCT = Product("embeddings", "unknown", False, "", "")

# Models of which each embedding stands for a calendar year, whichever form it came in.
ANNUAL_MODELS = frozenset(one.model for one in (ALPHAEARTH, TESSERA) if one.is_annual)

ALPHAEARTH_BANDS = tuple(f"A{number:02d}" for number in range(64))
_ALPHAEARTH_BAND = re.compile(r"A(?P<number>\d{1,2})(?!\w)", re.IGNORECASE)
_TESSERA_DIM = 128
# What a person may state a file to be that nothing tells: the product, and the size of its embeddings.
STATABLE = {
    one.model: (one, dim) for one, dim in ((ALPHAEARTH, len(ALPHAEARTH_BANDS)), (TESSERA, _TESSERA_DIM))
}
_TESSERA_NAME = re.compile(r"grid_-?\d+(?:\.\d+)?_-?\d+(?:\.\d+)?(?:_(?P<year>\d{4}))?")
_TESSERA_ZONE = re.compile(r"utm\d{2}")  # a group of the publisher's Zarr stores
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_YEAR = re.compile(r"(?<!\d)(?:19[89]\d|20[0-4]\d)(?!\d)")


def product_of(path: Path, bands: Sequence[str], dim: int, model: str = "") -> Product:
    """The product that a file with these band names belongs to.

    Args:
        model: as the file states it, a name or an address; empty where it does not.
    """
    stated = model.lower()
    if _are_alphaearths(bands) or (dim == len(ALPHAEARTH_BANDS) and is_alphaearth(stated)):
        return ALPHAEARTH
    if dim == _TESSERA_DIM and "tessera" in stated:
        return replace(TESSERA, note=f"Made by {model}: embeddings of different versions must not be mixed.")
    # Other programs' stores have groups of the same names: one that states its model is not TESSERA's.
    is_zone = (
        not model
        and path.is_dir()
        and any(_TESSERA_ZONE.fullmatch(one.name) for one in (path, *path.iterdir()))
    )
    if dim == _TESSERA_DIM and (_TESSERA_NAME.fullmatch(path.stem) or is_zone):
        return TESSERA
    if model:
        name = _NOT_IN_NAMES.sub("_", model.rstrip("/").rpartition("/")[2])[:64].strip("_.-")
        return replace(UNKNOWN_PRODUCT, model=name or UNKNOWN_PRODUCT.model)
    return UNKNOWN_PRODUCT


def _are_alphaearths(bands: Sequence[str]) -> bool:
    """Whether bands are named A00 to A63, as programs write it: in small letters too, without the zero, with words after it."""
    numbers = [_ALPHAEARTH_BAND.match(band.strip()) for band in bands]
    return [int(found["number"]) for found in numbers if found] == list(range(len(ALPHAEARTH_BANDS))) and all(
        numbers
    )


def product_stated(model: str | None, dim: int) -> Product:
    """The product of a model that a person states, for a file that tells none; unknown where none is known of this size."""
    product, own_dim = STATABLE.get(model or "", (UNKNOWN_PRODUCT, 0))
    if dim != own_dim:
        return UNKNOWN_PRODUCT
    said = f"The file does not tell its model: it was stated to be {product.title}, and is decoded and credited as that."
    return replace(product, note=" ".join(filter(None, (said, product.note))))


def is_alphaearth(stated: str) -> bool:
    """Whether what a file states of its model or source, in lower case, is AlphaEarth: its name, data set or paper."""
    return any(word in stated for word in ("alphaearth", "satellite_embedding", "2507.22291"))


def year_of(path: Path) -> int | None:
    """The year in the name of a file, or of the folders of a product above it; None where there is none, or several.

    AlphaEarth's lie in annual/YEAR/ZONE, TESSERA's in YEAR/grid_LON_LAT.
    """
    tessera = _TESSERA_NAME.fullmatch(path.stem)
    named = [tessera["year"]] if tessera and tessera["year"] else [] if tessera else _YEAR.findall(path.stem)
    if not named:
        named = [folder for folder in (one.name for one in list(path.parents)[:3]) if _YEAR.fullmatch(folder)]
    return int(named[0]) if len(set(named)) == 1 else None
