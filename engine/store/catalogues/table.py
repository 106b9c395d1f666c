"""The table of catalogues of embeddings: where each lists its files, and what is known of them before one is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from engine.errors import ConfigError
from engine.imagery.remote.settings import FILE, settings
from engine.nearest import nearest
from engine.store.products.known import ALPHAEARTH, TESSERA, UNKNOWN_PRODUCT, Product

Listing = Literal["alphaearth", "tessera", "stac", "zarr"]


@dataclass(frozen=True)
class EmbeddingCatalogue:
    """One catalogue.

    Attributes:
        listing: how it lists its files.
        address: of its index, its manifest, its collection, or the store itself.
        product: what its files hold; of a STAC catalogue the collection and the files tell it, of a Zarr store its groups.
        dim: dimensions; 0 where the files tell it.
    """

    name: str
    title: str
    listing: Listing
    address: str
    product: Product
    dim: int


def _tessera(version: str) -> Product:
    return replace(
        TESSERA, model=f"tessera_{version}", title=f"TESSERA {version}",
        note=f"Version {version[1:]} of TESSERA: embeddings of different versions must not be mixed.",
    )  # fmt: skip


# Sources: AlphaEarth's copy on Source Cooperative (source.coop/tge-labs/aef; its index is read as aef-loader and rslearn read it);
# TESSERA: geotessera 0.11, registry.py (manifests and land masks on Source Cooperative), and geotessera 0.7, registry.py
# (registry.parquet with sha256 at dl2.geotessera.org).
_PRESETS = (
    EmbeddingCatalogue(
        "alphaearth", "AlphaEarth (Source Cooperative)", "alphaearth",
        "https://data.source.coop/tge-labs/aef/v1/annual/aef_index.parquet", ALPHAEARTH, 64,
    ),
    EmbeddingCatalogue(
        "tessera", "TESSERA v1 (Source Cooperative)", "tessera",
        "https://data.source.coop/tessera/tessera/npy/v1/manifest.parquet", _tessera("v1"), 128,
    ),
    EmbeddingCatalogue(
        "tessera-v1.1", "TESSERA v1.1 (Source Cooperative)", "tessera",
        "https://data.source.coop/tessera/tessera/npy/v1.1-cam/manifest.parquet", _tessera("v1.1"), 128,
    ),
    EmbeddingCatalogue(
        "tessera-registry", "TESSERA v1 (registry with checksums)", "tessera",
        "https://dl2.geotessera.org/v1/registry.parquet", _tessera("v1"), 128,
    ),
)  # fmt: skip
PRESETS: Mapping[str, EmbeddingCatalogue] = MappingProxyType({one.name: one for one in _PRESETS})
# What catalogues of an installation are like.
_LIKE: Mapping[str, EmbeddingCatalogue] = MappingProxyType({
    "alphaearth": PRESETS["alphaearth"],
    "tessera": replace(PRESETS["tessera"], product=TESSERA),
    "stac": EmbeddingCatalogue("stac", "STAC", "stac", "", UNKNOWN_PRODUCT, 0),
    "zarr": EmbeddingCatalogue("zarr", "Zarr", "zarr", "", UNKNOWN_PRODUCT, 0),
})  # fmt: skip


def catalogues() -> dict[str, EmbeddingCatalogue]:
    """All catalogues by name: the presets, and those that this installation's settings add.

    Raises:
        ConfigError: the settings cannot be read, or name a way to list files that there is not.
    """
    found = dict(PRESETS)
    for name, own in settings().embeddings.items():
        if own.like not in _LIKE:
            raise ConfigError(
                f"The catalogue {name} in {FILE} is like {own.like!r}, which is no way to list embeddings"
                f"{nearest(own.like, _LIKE)}. Choose one of {', '.join(_LIKE)}."
            )
        found[name] = replace(_LIKE[own.like], name=name, title=own.title, address=own.address)
    return found


def catalogue(name: str) -> EmbeddingCatalogue:
    """The catalogue of a name.

    Raises:
        ConfigError: there is no such catalogue; the nearest is named.
    """
    found = catalogues()
    if name not in found:
        raise ConfigError(
            f"The catalogue of embeddings {name!r} is not known{nearest(name, found)}. Choose one of {', '.join(found)}, or add it "
            f"to the embeddings of {FILE}."
        )
    return found[name]
