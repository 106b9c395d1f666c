"""A store leaves in each form and comes back through `import` as it was, within what its numbers were made smaller by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.store.check import check_store
from engine.store.products.taking import import_embeddings
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.export.forms import FORMS, export

# Largest difference, as a share of the largest number of an embedding: half a step of 127, or half a unit of 11 bits.
TOLERANCE = {"float32": 0.0, "float16": 2**-11, "int8": 0.51 / 127}
Ground = dict[tuple[str, int, int, str | None], np.ndarray]


def ground(store: EmbeddingStore) -> Ground:
    """Embeddings by CRS, centre of the patch in decimetres and date; none of gaps."""
    found: Ground = {}
    for tile, values, valid in store.iterate():
        for row, column in np.argwhere(valid > 0).tolist():
            x, y = tile.patch_transform @ (column + 0.5, row + 0.5)
            found[tile.crs, round(10 * x), round(10 * y), day(tile)] = values[row, column].astype(np.float32)
    return found


def day(tile: StoredTile) -> str | None:
    return tile.datetimes[-1][:10] if tile.datetimes[-1] else None


OWN = [(name, dtype) for name in ("npz", "geoparquet", "terratorch") for dtype in FORMS[name].dtypes]


@pytest.mark.parametrize(("form", "dtype"), OWN)
def test_a_store_comes_back_with_its_places_dates_gaps_and_facts(
    hard_store: EmbeddingStore, tmp_path: Path, form: str, dtype: str
) -> None:
    store, out = hard_store, tmp_path / f"e{FORMS[form].ending}"
    written = export(store, None, out, form, None if dtype == "store" else dtype)
    told, back = import_embeddings(out, tmp_path / "back")
    assert check_store(tmp_path / "back") == []
    assert back.tiles == store.tiles or {tile.id for tile in back.tiles} == {tile.id for tile in store.tiles}
    before, after = ground(store), ground(back)
    assert before.keys() == after.keys()
    for key, exact in before.items():
        assert np.abs(after[key] - exact).max() <= TOLERANCE[written.dtype] * np.abs(exact).max(), key
    for fact in (
        "backbone",
        "weights_sha256",
        "bands",
        "sensor",
        "level",
        "is_simulated",
        "patch_px",
        "licence",
        "attribution",
    ):
        assert getattr(back.meta, fact) == getattr(store.meta, fact), fact
    said = " ".join(told.notes)
    assert "SIMULATED" in said and "RANDOM WEIGHTS" in said
