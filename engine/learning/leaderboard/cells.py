"""The decoders that a leaderboard teaches: one for each store, set of layers, position, head and seed, and for its curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from engine.jobs.configuration.config import LeaderboardConfig
from engine.jobs.configuration.leaderboard import Position

ALL_GROUPS = "all"


@dataclass(frozen=True)
class Cell:
    """One decoder.

    Attributes:
        store: number of its store, of those on the board and then those of the matrix.
        layers: of the store, joined in this order.
        head: number of its head.
        share: of the training places that it learns from.
        group: number of the group that it learns from, for the matrix; None: all ground.
    """

    store: int
    layers: tuple[int, ...]
    position: Position
    head: int
    seed: int
    share: float = 1.0
    group: int | None = None

    @property
    def key(self) -> str:
        """Its name among the files of the run."""
        layers = "_".join(map(str, self.layers))
        group = "" if self.group is None else f"-group{self.group}"
        return f"store{self.store}-layers{layers}-{self.position}-head{self.head}-seed{self.seed}-share{self.share:g}{group}"

    @property
    def what(self) -> str:
        """What it is for, as events say."""
        return "travel" if self.group is not None else "few labels" if self.share < 1 else "row"

    @property
    def variant(self) -> tuple[int, tuple[int, ...], Position]:
        """What decides the embeddings that it reads."""
        return self.store, self.layers, self.position


LayerSets = Sequence[tuple[int, ...]]


def cells_of(
    config: LeaderboardConfig, layer_sets: Sequence[LayerSets], groups: Sequence[Sequence[int]]
) -> list[Cell]:
    """Every decoder, those of one store together.

    Args:
        layer_sets: of each store, those of the board first: the sets of layers of its rows.
        groups: of each store, numbers of its groups.
    """
    found = []
    for store, sets in enumerate(layer_sets):
        if store < len(config.stores):
            found += list(chain.from_iterable(row_cells(config, store, sets)))
            found += list(_few_labels(config, store, sets[0]))
        found += [
            Cell(store, sets[0], config.positions[0], head, seed, group=group)
            for group in groups[store]
            for head in range(len(config.heads))
            for seed in config.seeds
        ]
    return found


def row_cells(config: LeaderboardConfig, store: int, sets: LayerSets) -> list[list[Cell]]:
    """The decoders of each row of a store, which differ in their seeds alone."""
    return [
        [Cell(store, layers, position, head, seed) for seed in config.seeds]
        for layers in sets
        for position in config.positions
        for head in range(len(config.heads))
    ]


def _few_labels(config: LeaderboardConfig, store: int, layers: tuple[int, ...]) -> Iterator[Cell]:
    """The points of one store's curves, for the first layers and position; those of all labels are rows."""
    for share in sorted(one for one in config.label_shares if one < 1):
        for head in range(len(config.heads)):
            for seed in config.seeds:
                yield Cell(store, layers, config.positions[0], head, seed, share)
