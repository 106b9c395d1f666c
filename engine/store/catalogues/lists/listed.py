"""What a catalogue lists over a region, before any of its files is opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from shapely.geometry.base import BaseGeometry

from engine.imagery.remote.fetching import RemoteRaster
from engine.store.products.known import Product

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.~+-]+")
_LONGEST = 100
Form = Literal["cog", "npy", "table", "zarr"]
# The form of a file by the ending of its name.
ENDINGS: dict[str, Form] = {
    ".tif": "cog", ".tiff": "cog", ".npy": "npy", ".parquet": "table", ".geoparquet": "table", ".zarr": "zarr",
}  # fmt: skip


@dataclass(frozen=True)
class ListedFile:
    """A file on another computer.

    Attributes:
        sha256: as its catalogue states it; empty where it does not. A file with one is fetched as a whole, for only that can be checked.
    """

    raster: RemoteRaster
    sha256: str = ""

    @property
    def name(self) -> str:
        """Its own name, without folders and signs that file systems do not like."""
        name = PurePosixPath(unquote(urlsplit(self.raster.address).path)).name
        return _NOT_IN_NAMES.sub("_", name)[-_LONGEST:].lstrip(".") or "file"


@dataclass(frozen=True)
class ListedItem:
    """Embeddings of one piece of ground and one year.

    Attributes:
        files: the embeddings, then what they need: of NPY the scales and the land mask.
        footprint: in lon/lat.
        moment: ISO 8601; None: 1 January of the year.
        quantization: as a STAC item states it; empty where it does not.
    """

    id: str
    form: Form
    files: tuple[ListedFile, ...]
    year: int
    footprint: BaseGeometry
    moment: str | None = None
    quantization: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """What a catalogue lists over a region.

    Attributes:
        items: of all years.
        product: what the files hold.
        dim: dimensions of an embedding; 0 where the files tell it.
        notes: in sentences.
    """

    items: tuple[ListedItem, ...]
    product: Product
    dim: int
    notes: tuple[str, ...] = ()


Index = Callable[..., Listed]


def listed_file(address: str, what: str, sha256: str = "") -> ListedFile:
    """A file that anybody may fetch."""
    return ListedFile(RemoteRaster(address, "open", what), sha256.lower())


def not_asked(title: str, why: str) -> tuple[str, ...]:
    """What is said of a list that could not be compared with the one of its server; nothing where it was."""
    if not why:
        return ()
    return (f"{title} cannot be asked now, and the list that was fetched before is used: {why}",)
