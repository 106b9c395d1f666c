"""Stores of very many tiles: tables of footprints have a tile a row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.store.schema import StoredTile
from engine.store.writer import StoreWriter
from tests.unit.store.stores import meta_of, rows_at, tile_at


def test_a_tile_costs_the_same_however_many_wait_for_their_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of footprints is a tile a row: their rows were counted anew with each, which took minutes of 15,000."""
    asked = [0]

    def counted(tile: StoredTile) -> int:
        asked[0] += 1
        return tile.h * tile.w

    monkeypatch.setattr(StoredTile, "rows", property(counted))
    writer = StoreWriter(tmp_path / "run", meta_of())
    for number in range(60):
        writer.append(rows_at(replace(tile_at(0, side=1), id=f"t{number}")))
    assert asked[0] <= 5 * 60
    writer.finish()
