"""The generator of rows covers every possible pair, and nothing that may not stand together."""

from __future__ import annotations

from tests.unit.pairs.covering import Row, all_pairs, covering_rows, pairs_of, possible_pairs

FACTORS = {"a": ("1", "2", "3"), "b": ("x", "y"), "c": ("p", "q", "r"), "d": ("on", "off")}


def not_three_on(row: Row) -> bool:
    return not (row.get("a") == "3" and row.get("d") == "on")


def test_every_pair_stands_in_a_row() -> None:
    rows = covering_rows(FACTORS, lambda _: True)
    covered = set().union(*map(pairs_of, rows))
    assert covered == set(all_pairs(FACTORS))
    assert 9 <= len(rows) <= 12  # of 36; three times three values need nine rows at least


def test_what_may_not_stand_together_does_not_and_the_rest_is_covered() -> None:
    rows = covering_rows(FACTORS, not_three_on)
    covered = set().union(*map(pairs_of, rows))
    assert set(all_pairs(FACTORS)) - covered == {(("a", "3"), ("d", "on"))}
    assert covered == set(possible_pairs(FACTORS, not_three_on))


def test_the_rows_are_the_same_every_time() -> None:
    assert covering_rows(FACTORS, not_three_on) == covering_rows(FACTORS, not_three_on)
