"""Maps of a store: pieces of tiles become one Cloud-Optimised GeoTIFF, sparse where there is nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from engine.concurrency.blas_threads import one_blas_thread
from engine.concurrency.ordered_map import ordered_map
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.layer_view import LayerView
from engine.views.maps.mosaic import MosaicLayout, write_pieces
from engine.views.pca import Pca, pca_of

Level = Literal["patch", "pixel"]
NO_CLASS = 255
Shown = Iterable[tuple[StoredTile, np.ndarray, np.ndarray]]
"""Tiles, what is shown of them (h, w, D), and valid_fraction (h, w)."""
# Tiles that get their colours at once.
_THREADS = 2


def write_mosaic(
    path: Path,
    pieces: Iterable[tuple[StoredTile, np.ndarray]],
    *,
    level: Level,
    nodata: float | None,
    dtype: str,
    colormap: Mapping[int, tuple[int, int, int, int]] | None = None,
    tags: Mapping[str, str] | None = None,
    band_names: Sequence[str] | None = None,
) -> Path:
    """Write pieces of tiles as one Cloud-Optimised GeoTIFF, atomically.

    The map is in the CRS of most tiles, at the finest of their patches (or pixels). Pieces that lie on its
    grid are copied as they are; others are put there by nearest neighbour. Where pieces overlap, the later
    one counts, but for its gaps. Memory holds one piece and some blocks; pieces wait in a file.

    Args:
        pieces: a tile and its values, (h, w) or (bands, h, w) in patches or pixels of the tile.
        nodata: value of gaps (NaN allowed); None: the last band is alpha, 0 where there is nothing.
        dtype: GeoTIFF type: uint8, int16, float32 ...
        colormap: value -> red, green, blue, alpha (0-255), for one band of uint8.

    Raises:
        StoreError: no pieces, pieces of different bands, or a map over the size limit.
        DiskFull: no room.
    """
    layout = MosaicLayout(level=level, nodata=nodata, dtype=dtype, colormap=colormap, tags=tags or {},
                          band_names=tuple(band_names or ()))  # fmt: skip
    return write_pieces(path, pieces, layout)


def pca_overlay(
    view: LayerView,
    out: Path,
    basis: Pca | None = None,
    tags: Mapping[str, str] | None = None,
    tiles: Shown | None = None,
) -> Pca:
    """Write the PCA colours of a view as red, green, blue and alpha; uint8.

    Args:
        basis: components of another store; None: the view's own.
        tags: what the file says besides.
        tiles: those of the view that are written; None: all.

    Raises:
        StoreError: as `pca.fit` and `write_mosaic`.
    """
    fitted = pca_of(view, components=3) if basis is None else basis
    colours_overlay(view, fitted, out, tags, tiles)
    return fitted


def colours_overlay(
    view: LayerView, fitted: Pca, out: Path, tags: Mapping[str, str] | None = None, tiles: Shown | None = None
) -> None:
    """Write a view in the colours of some components.

    Args:
        tags: what the file says besides what the view and the components say.
        tiles: those of the view that are written; None: all.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    with one_blas_thread():
        write_mosaic(
            out,
            _coloured(view.tiles() if tiles is None else tiles, fitted),
            level="patch",
            nodata=None,
            dtype="uint8",
            tags=store_tags(view.store, view.layer) | view.tags | _pca_tags(fitted) | dict(tags or {}),
            band_names=("PC1 (red)", "PC2 (green)", "PC3 (blue)", "alpha"),
        )


def class_overlay(
    path: Path,
    pieces: Iterable[tuple[StoredTile, np.ndarray]],
    *,
    colours: Mapping[int, tuple[int, int, int, int]],
    band_name: str = "class",
    names: Mapping[int, str] | None = None,
    level: Level = "pixel",
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write classes as one uint8 band with a colour table; 255 is nothing and transparent.

    Args:
        pieces: a tile and its classes, (h, w) integers 0 to 254, 255 for nothing.
        colours: class -> red, green, blue, alpha (0-255).
        names: class -> what a legend calls it; written as tags `EMBERSCOPE_CLASS_<n>`.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    legend = {f"EMBERSCOPE_CLASS_{value}": name for value, name in (names or {}).items()}
    return write_mosaic(
        path,
        pieces,
        level=level,
        nodata=NO_CLASS,
        dtype="uint8",
        colormap={**colours, NO_CLASS: (0, 0, 0, 0)},
        tags={**legend, **(tags or {})},
        band_names=(band_name,),
    )


def store_tags(store: EmbeddingStore, layer: int) -> dict[str, str]:
    """What a file made from a store says of where it comes from."""
    meta = store.meta
    return {
        "EMBERSCOPE_BACKBONE": meta.backbone,
        "EMBERSCOPE_WEIGHTS": "random (an untrained encoder)" if meta.is_random else meta.weights_sha256,
        "EMBERSCOPE_LAYER": str(layer),
        "EMBERSCOPE_SIMULATED": "yes" if meta.is_simulated else "no",
        "EMBERSCOPE_SOURCE": meta.source,
        "EMBERSCOPE_CONFIG_HASH": meta.config_hash,
        **({"EMBERSCOPE_LICENCE": meta.licence} if meta.licence else {}),
        **({"EMBERSCOPE_ATTRIBUTION": meta.attribution} if meta.attribution else {}),
    }


def _coloured(tiles: Shown, fitted: Pca) -> Iterator[tuple[StoredTile, np.ndarray]]:
    def colour(shown: tuple[StoredTile, np.ndarray, np.ndarray]) -> tuple[StoredTile, np.ndarray]:
        tile, values, valid = shown
        colours = np.moveaxis(fitted.to_rgb(values), -1, 0)  # (3, h, w)
        alpha = np.where(valid > 0, 255, 0).astype(np.uint8)
        return tile, np.concatenate([colours * (alpha > 0), alpha[None]])

    return ordered_map(tiles, colour, _THREADS, "colours")


def _pca_tags(fitted: Pca) -> dict[str, str]:
    shares = ", ".join(f"{share:.4f}" for share in fitted.explained_variance_ratio)
    return {"EMBERSCOPE_EXPLAINED_VARIANCE": shares, "EMBERSCOPE_PCA_ROWS": str(fitted.rows),
            "EMBERSCOPE_PCA_WINDOW": str(fitted.window)}  # fmt: skip
