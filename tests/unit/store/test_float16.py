"""What float16 cannot hold is refused when it is written, not found later as infinity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import StoreError
from engine.store.writer import StoreWriter
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


@pytest.mark.parametrize("given", ["float32", "float64", "float16"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_that_float16_cannot_hold_is_refused_with_its_layer(
    tmp_path: Path, given: str, sign: int
) -> None:
    rows = rows_at(tile_at(0))
    with np.errstate(over="ignore"):
        large = rows.embeddings[0].astype(given)
        large[3, 1], large[2, 0] = sign * 70_000, np.nan
    writer = StoreWriter(tmp_path, meta_of())
    with pytest.raises(
        StoreError, match=r"Layer .* has values up to (7e\+04|inf).*65504.*output\.dtype: float32"
    ):
        writer.append(replace(rows, embeddings=(large,)))


def test_what_float16_rounds_to_its_largest_value_and_gaps_are_kept(tmp_path: Path) -> None:
    rows = rows_at(tile_at(0))
    values, valid = rows.embeddings[0].astype(np.float32), rows.valid_fraction.copy()
    values[0, 0], values[1, 0], valid[1] = 65_519, np.inf, 0
    store = make_store(tmp_path, [replace(rows, embeddings=(values,), valid_fraction=valid)])
    assert store.read()[0, 0] == 65_504


def test_float32_holds_what_float16_does_not(tmp_path: Path) -> None:
    rows = rows_at(tile_at(0))
    large = np.full_like(rows.embeddings[0], 1e30, dtype=np.float32)
    store = make_store(tmp_path, [replace(rows, embeddings=(large,))], meta_of(dtype="float32"))
    assert (store.read() == np.float32(1e30)).all()
