"""The decoders that a leaderboard teaches: one for each store, set of layers, position, head and seed, and for its curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.jobs.configuration.config import LeaderboardConfig
from engine.jobs.configuration.leaderboard import Position

ALL_GROUPS = "all"


@dataclass(frozen=True)
class Cell:
    """One decoder.

    Attributes:
        store: number of its store, of those on the board and then those of the matrix.
        layers: as configured; None: all that the store has.
        head: number of its head.
        share: of the training places that it learns from.
        group: number of the group that it learns from, for the matrix; None: all ground.
    """

    store: int
    layers: tuple[int, ...] | None
    position: Position
    head: int
    seed: int
    share: float = 1.0
    group: int | None = None

    @property
    def key(self) -> str:
        """Its name among the files of the run."""
        layers = "all" if self.layers is None else "_".join(map(str, self.layers))
        group = "" if self.group is None else f"-group{self.group}"
        return f"store{self.store}-layers{layers}-{self.position}-head{self.head}-seed{self.seed}-share{self.share:g}{group}"

    @property
    def what(self) -> str:
        """What it is for, as events say."""
        return "travel" if self.group is not None else "few labels" if self.share < 1 else "row"

    @property
    def variant(self) -> tuple[int, tuple[int, ...] | None, Position]:
        """What decides the embeddings that it reads."""
        return self.store, self.layers, self.position


def cells_of(config: LeaderboardConfig, stores: int, groups: Sequence[Sequence[int]]) -> list[Cell]:
    """Every decoder, those that read the same embeddings together.

    Args:
        stores: all that are open, those of the board first.
        groups: of each store, numbers of its groups.
    """
    found = []
    for store in range(stores):
        if store < len(config.stores):
            found += list(_board(config, store))
        found += [
            Cell(store, config.layers[0], config.positions[0], head, seed, group=group)
            for group in groups[store]
            for head in range(len(config.heads))
            for seed in config.seeds
        ]
    return sorted(found, key=lambda one: (one.store, found.index(one)))


def _board(config: LeaderboardConfig, store: int) -> Iterator[Cell]:
    """The rows of one store, and the points of its curves for the first layers and position."""
    for layers in config.layers:
        for position in config.positions:
            for head in range(len(config.heads)):
                for seed in config.seeds:
                    yield Cell(store, layers, position, head, seed)
    for share in sorted(one for one in config.label_shares if one < 1):
        for head in range(len(config.heads)):
            for seed in config.seeds:
                yield Cell(store, config.layers[0], config.positions[0], head, seed, share)
