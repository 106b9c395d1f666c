"""Rows of settings in which every pair of values that may stand together does so once or more."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

Row = dict[str, object]
Pair = tuple[tuple[str, object], tuple[str, object]]
Allowed = Callable[[Row], bool]
_TRIES = 40


def covering_rows(factors: Mapping[str, Sequence[object]], is_allowed: Allowed, seed: int = 0) -> list[Row]:
    """A small set of whole rows that covers every pair for which an allowed row exists.

    Greedy: a row begins with a pair that is not covered yet, and every other factor takes the value that covers the
    most further pairs, the first value where none does. Of several such rows, begun in random orders, the best counts.

    Args:
        factors: name -> values, the default first.
        is_allowed: of a row that may lack factors, whether it can be part of an allowed one.
    """
    rng = random.Random(seed)  # noqa: S311 - nothing secret is drawn
    left = set(possible_pairs(factors, is_allowed))
    rows: list[Row] = []
    while left:
        start = min(left, key=repr)
        tries = [_filled(dict(start), factors, is_allowed, left, rng) for _ in range(_TRIES)]
        found = [row for row in tries if row is not None]
        best = max(found, key=lambda row: len(left & pairs_of(row)))
        rows.append(best)
        left -= pairs_of(best)
    return rows


def possible_pairs(factors: Mapping[str, Sequence[object]], is_allowed: Allowed) -> list[Pair]:
    """The pairs that some allowed row holds."""
    rng = random.Random(0)  # noqa: S311
    return [
        pair
        for pair in all_pairs(factors)
        if any(_filled(dict(pair), factors, is_allowed, set(), rng) is not None for _ in range(_TRIES))
    ]


def all_pairs(factors: Mapping[str, Sequence[object]]) -> list[Pair]:
    """Every value of a factor with every value of another one."""
    return [
        ((one, a), (other, b))
        for one, other in combinations(sorted(factors), 2)
        for a, b in product(factors[one], factors[other])
    ]


def pairs_of(row: Row) -> set[Pair]:
    """The pairs that a row holds."""
    return set(combinations(sorted(row.items()), 2))


def _filled(
    row: Row,
    factors: Mapping[str, Sequence[object]],
    is_allowed: Allowed,
    left: set[Pair],
    rng: random.Random,
) -> Row | None:
    """A row with all factors, or None where this order of choices leads nowhere."""
    if not is_allowed(row):
        return None
    names = [name for name in factors if name not in row]
    rng.shuffle(names)
    for name in names:
        choices = [value for value in factors[name] if is_allowed(row | {name: value})]
        if not choices:
            return None
        row[name] = max(choices, key=lambda value: _gain(row, name, value, left))
    return row


def _gain(row: Row, name: str, value: object, left: set[Pair]) -> int:
    return sum(tuple(sorted([(name, value), known])) in left for known in row.items())
