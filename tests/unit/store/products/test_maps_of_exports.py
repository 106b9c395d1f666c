"""Maps that Emberscope exported are opened once, however many tiles lie in them, and give each tile its own cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.store.importing.taking import import_embeddings
from engine.store.products.own_exports import map_windows
from engine.views.export.forms import export
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


@pytest.mark.parametrize("window_bytes", [64_000_000, 8 * 4 * 5 * 5, 1])
def test_a_map_is_opened_once_for_all_tiles_and_windows_of_any_size_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window_bytes: int
) -> None:
    sides = [(0, 1), (2, 1), (1, 3), (3, 3), (0, 0), (5, 2)]
    tiles = [rows_at(tile_at(column, row, side=2), (8,), gaps=1) for column, row in sides]
    later = replace(tiles[0].tile, id="later", datetimes=("2021-06-01T00:00:00+00:00",))
    small = replace(tile_at(7, 3, side=1), id="small")
    store = make_store(
        tmp_path / "run",
        [*tiles, rows_at(later, (8,)), rows_at(small, (8,))],
        meta_of((8,), dtype="float32"),
    )
    export(store, None, tmp_path / "s", "stac", "float32")
    monkeypatch.setattr(map_windows, "_WINDOW_BYTES", window_bytes)
    opened: list[str] = []
    really = rasterio.open
    monkeypatch.setattr(
        rasterio,
        "open",
        lambda path, *rest, **more: (opened.append(str(path)), really(path, *rest, **more))[1],
    )
    _, back = import_embeddings(tmp_path / "s", tmp_path / "back")
    maps = len(list((tmp_path / "s").rglob("*.tif")))
    assert maps == 2 and len(opened) == 2 * maps  # to look at it, and to take it
    assert len(back.tiles) == len(store.tiles)
    for tile, values, valid in store.iterate():
        assert np.array_equal(back.read_tile(tile.id)[valid > 0], values[valid > 0]), tile.id
