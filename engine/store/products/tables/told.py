"""What a table of embeddings is taken for, from its footer `emb`, or the columns that a publisher writes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from engine.store.products.decoding import is_unit_length, median_length
from engine.store.products.known import CLAY_V0_LICENCE, MAJOR_TOM_LICENCE
from engine.store.products.tables.footprint_tiles import PIXEL_M, Footprint
from engine.store.products.tables.rows_read import MOST_ROWS, Rows
from engine.store.products.understood import UNKNOWN, Understood
from engine.store.schema import StoredTile

_CLAY = {768: "clay_v0", 1024: "clay_v1.5"}
# Earth Genome's tables: these columns alone, with a footer `emb`.
_EARTH_INDEX, _EARTH_INDEX_DIM = {"id", "embedding", "geometry"}, 384
_EARTH_INDEX_NAMES = ("earthgenome", "earthindex")
_MAJOR_TOM = {"unique_id", "grid_cell", "grid_row_u", "grid_col_r"}
_TURNED = 0.95


def understood_table(
    path: str,
    rows: Rows,
    tiles: Sequence[StoredTile],
    told: dict[str, Any],
    names: set[str],
    found: Sequence[Footprint],
    decoding: str,
) -> Understood:
    """What a table is taken for.

    Args:
        told: the footer `emb`.
        names: of its columns.
        found: the rectangles of its rows.
    """
    dim = rows.vectors.shape[1]
    title, model = _model(told, names, dim, path)
    licence, credit = _published(title, model)
    dated = sorted({moment[:4] for moment in rows.times if moment})
    zones = sorted({tile.crs for tile in tiles})
    count = rows.in_all or len(tiles)
    return Understood(
        path=path, form=f"{title} in GeoParquet", model=model, dim=dim, decoding=decoding,
        mean_length=median_length(rows.vectors), is_unit_length=is_unit_length(rows.vectors),
        nodata="zero in all numbers, NaN in one, or no list at all", year=int(dated[0]) if len(dated) == 1 else None,
        licence=_text(told.get("license")) or licence, attribution=_providers(told) or credit,
        crs=", ".join(zones[:4]) + (", ..." if len(zones) > 4 else ""), gsd_m=PIXEL_M,
        size=f"{count:,} footprints", rows=count, most_rows=MOST_ROWS, dtype="float32",
        notes=tuple(_notes(rows, found, model, dated)), bounds_lonlat=_bounds(rows.shapes),
    )  # fmt: skip


def _notes(rows: Rows, found: Sequence[Footprint], model: str, dated: Sequence[str]) -> list[str]:
    width, height = (
        float(np.median([getattr(one, side) for one in found])) for side in ("width_m", "height_m")
    )
    turned = sum(one.fills < _TURNED for one in found)
    notes = [
        f"{rows.in_all:,} rows are too many for one store of footprints: {len(found):,} of them were looked at, and a region "
        f"(--region) says which are taken." if rows.in_all else "",
        f"Footprints are {width:,.0f} x {height:,.0f} m (median); labels are read on pixels of about 10 m.",
        rows.dated or ("" if dated else "No row states a time: the embeddings have no date."),
        f"{rows.without:,} rows hold no embedding (zero or no numbers) and are left out." if rows.without else "",
        f"{turned:,} footprints are no rectangles of UTM; the rectangle around each is taken." if turned else "",
        "Nothing in the file tells which model made these embeddings. --model NAME states the model." if model == UNKNOWN else "",
    ]  # fmt: skip
    return [note for note in notes if note]


def _bounds(shapes: np.ndarray) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return west, south, east, north


def _model(told: dict[str, Any], names: set[str], dim: int, path: str) -> tuple[str, str]:
    """What the file is, and its model."""
    stated = told.get("model")
    named = _text(stated.get("id")) if isinstance(stated, dict) else _text(stated)
    if names >= _MAJOR_TOM:
        return "Major TOM embeddings", named or UNKNOWN
    if {"index", "source_url"} <= names and dim in _CLAY:
        return "Clay embeddings", named or _CLAY[dim]
    words = re.sub(r"[^a-z]", "", f"{json.dumps(told)} {Path(path).name}".lower())
    is_named = any(name in words for name in _EARTH_INDEX_NAMES)
    if is_named or (told and dim == _EARTH_INDEX_DIM and names - {"bbox"} == _EARTH_INDEX):
        return "Earth Index embeddings", named or UNKNOWN
    return "embeddings", named or UNKNOWN


def _published(title: str, model: str) -> tuple[str, str]:
    """Licence and attribution of a known publisher; empty where it states none."""
    match title:
        case "Clay embeddings":
            return (CLAY_V0_LICENCE if model == _CLAY[768] else ""), "Clay Foundation"
        case "Major TOM embeddings":
            return MAJOR_TOM_LICENCE, "Major TOM"
        case "Earth Index embeddings":
            return "", "Earth Genome, Earth Index"
        case _:
            return "", ""


def _providers(told: dict[str, Any]) -> str:
    listed = told.get("providers")
    names = (
        [_text(one.get("name") if isinstance(one, dict) else one) for one in listed]
        if isinstance(listed, list)
        else []
    )
    return ", ".join(name for name in names if name)


def _text(value: Any) -> str:
    return " ".join(value.split())[:120] if isinstance(value, str) else ""
