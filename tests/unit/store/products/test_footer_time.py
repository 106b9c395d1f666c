"""Embeddings of a table whose rows state no time take the one that its footer states, and say so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.store.importing.taking import import_embeddings
from engine.store.products.tables.footer_time import footer_time
from tests.unit.store.products.test_tables import squares, vectors_of, write_table


@pytest.mark.parametrize(
    ("told", "day", "says"),
    [
        ({"datetime": "2024"}, "2024-01-01", "dated 1 January 2024"),
        ({"datetime": 2024}, "2024-01-01", "states 2024"),
        ({"datetime": "2024-06"}, "2024-06-01", "dated 1 June 2024"),
        ({"datetime": "2024-06-05T10:00:00Z"}, "2024-06-05", "dated 5 June 2024"),
        ({"datetime": ["2024-01-01", "2024-12-31"]}, "2024-01-01", "2024-01-01 to 2024-12-31"),
        ({"datetime": "2024-01-01/2025-01-01T00:00:00Z"}, "2024-01-01", "2024-01-01 to 2025"),
        ({"datetime": None, "start_datetime": "2024-02-03", "end_datetime": "2024-12-31T23:59:59Z"}, "2024-02-03", "to 2024-12-31"),
        ({"start_datetime": "2024"}, "2024-01-01", "states 2024"),
        ({"datetime": ["2020", "2024"]}, None, "several years (2020 to 2024)"),
        ({"datetime": "last summer"}, None, "what is none"),
        ({"datetime": {"from": 2024}}, None, ""),
        ({"datetime": ".."}, None, ""),
        ({}, None, ""),
    ],
)  # fmt: skip
def test_a_footer_states_a_year_a_month_a_moment_or_a_span(
    told: dict[str, Any], day: str | None, says: str
) -> None:
    moment, said = footer_time(told)
    assert (moment and moment[:10]) == day and says in said and bool(says) == bool(said)


def test_rows_without_a_time_are_of_the_footers_year_and_rows_with_one_keep_it(tmp_path: Path) -> None:
    _, column = vectors_of(2, 16)
    without = write_table(tmp_path / "a.parquet", {"embedding": column}, squares(2), {"datetime": "2024"})
    told, store = import_embeddings(without, tmp_path / "run")
    assert told.year == 2024 and "Year: 2024" in told.in_lines()
    assert any("footer `emb` states 2024" in note for note in told.notes)
    assert not any("no date" in note for note in told.notes)
    assert {tile.datetimes for tile in store.tiles} == {("2024-01-01T00:00:00+00:00",)}
    days = [datetime(2021, 5, 1, tzinfo=UTC), None]
    dated = write_table(
        tmp_path / "b.parquet", {"embedding": column, "datetime": days}, squares(2), {"datetime": "2024"}
    )
    told, store = import_embeddings(dated, tmp_path / "other")
    assert told.year == 2021 and not any("footer" in note for note in told.notes)
    assert store.tiles[1].datetimes == (None,)
