"""What chips that TerraTorch wrote are taken for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.store.emb_footer import date_range
from engine.store.footprints import footprints
from engine.store.products.decoding import AS_STORED, is_unit_length, median_length
from engine.store.products.terratorch.chip_files import ChipLayers
from engine.store.products.terratorch.summary import backbone_of
from engine.store.products.understood import UNKNOWN, Understood
from engine.store.schema import StoredTile


def understood_chips(
    path: Path,
    found: ChipLayers,
    tiles: Sequence[StoredTile],
    dim: int,
    shown: Sequence[np.ndarray],
    own: dict[str, Any],
    laid_out: Iterable[str],
) -> Understood:
    """What chips are taken for.

    Args:
        tiles: that are taken.
        shown: (h, w, D) of some of them.
        own: what the store says of itself.
        laid_out: how numbers were taken as patches, in sentences.
    """
    vectors = np.concatenate([one.reshape(-1, one.shape[-1]) for one in shown])
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    first, last = date_range(tiles)
    years = {moment[:4] for moment in (first, last) if moment}
    zones = sorted({tile.crs for tile in tiles})
    model = backbone_of(found.summary)
    notes = [
        "SIMULATED: these embeddings are of simulated imagery that no satellite has seen." if own.get("is_simulated") else "",
        "RANDOM WEIGHTS: the encoder of these embeddings was never trained." if own.get("weights_sha256") == "random" else "",
        *laid_out,
        "" if years else "No file states a time: the embeddings have no date.",
        f"No configuration_summary.json lies beside {path.name}: nothing tells which model made these embeddings. --model NAME states it."
        if model == UNKNOWN else "",
    ]  # fmt: skip
    return Understood(
        path=str(path), form="TerraTorch's tables of chips" if found.is_table else "TerraTorch folders", model=model, dim=dim,
        decoding=AS_STORED.words, mean_length=median_length(vectors) if len(vectors) else 0.0,
        is_unit_length=bool(len(vectors)) and is_unit_length(vectors), nodata="NaN" if found.is_table else "NaN, or the file's nodata",
        year=int(years.pop()) if len(years) == 1 else None, licence=str(own.get("licence", "")),
        attribution=str(own.get("attribution", "")), crs=", ".join(zones[:4]) + (", ..." if len(zones) > 4 else ""),
        gsd_m=abs(tiles[0].transform[0]), size=f"{len(tiles):,} chips, layer {', '.join(map(str, sorted(found.folders)))}",
        rows=sum(tile.rows for tile in tiles), dtype="float32", notes=tuple(note for note in notes if note),
        bounds_lonlat=_bounds(tiles),
    )  # fmt: skip


def _bounds(tiles: Sequence[StoredTile]) -> tuple[float, float, float, float]:
    """Of the corners of the tiles in degrees."""
    whole = [
        StoredTile(one.id, one.crs, one.transform, 1, 1, one.height_px, one.width_px, one.datetimes, (), None) for one in tiles
    ]  # fmt: skip
    west, south, east, north = footprints(whole).total_bounds
    return west, south, east, north
