"""Where a training stands after an epoch: kept in memory, and in a file from which a resumed run goes on.

The file holds the weights, the optimiser's state, and the state of every generator, so that a run that goes on takes the
same steps as one that was never disturbed.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from engine.files import write_atomic
from engine.jobs.events import EpochDone
from engine.learning.heads.decoder import Decoder
from engine.learning.loop.adam import Adam

CHECKPOINT = "checkpoint.pt"
State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Progress:
    """What an epoch hands to the next one, beside the weights.

    Attributes:
        epoch: the last one that is done, from 1; 0 before the first.
        step: steps done.
        best, best_epoch, best_state: the watched metric at its best, when, and the weights then.
        halvings, last_halving: of the step size (schedule: plateau), and the epoch of the last.
        told: the epochs so far.
    """

    best_state: State
    epoch: int = 0
    step: int = 0
    best: float = -math.inf
    best_epoch: int = 0
    halvings: int = 0
    last_halving: int = 0
    told: tuple[EpochDone, ...] = field(default=())

    def after(self, done: EpochDone, step: int, decoder: Decoder) -> Progress:
        """The same one epoch later."""
        ahead = dataclasses.replace(self, epoch=done.epoch, step=step, told=(*self.told, done))
        if not done.is_best:
            return ahead
        best = done.validation[done.watch]
        return dataclasses.replace(ahead, best=best, best_epoch=done.epoch, best_state=copied(decoder))

    def halved(self) -> Progress:
        """With steps of half the size from the next epoch on."""
        return dataclasses.replace(self, halvings=self.halvings + 1, last_halving=self.epoch)

    def is_better(self, value: float) -> bool:
        """Whether a metric is the best so far; of the first epoch it always is."""
        return self.best_epoch == 0 or value > self.best or (math.isnan(self.best) and not math.isnan(value))


def copied(decoder: Decoder) -> State:
    """The weights as they are now."""
    return copy.deepcopy(decoder.state_dict())


def keep(
    folder: Path,
    key: str,
    progress: Progress,
    decoder: Decoder,
    optimizer: Adam,
    generator: torch.Generator,
) -> None:
    """Write the checkpoint of a run, atomically.

    Args:
        key: identifies what is learned from and how; only a run of the same key goes on from it.

    Raises:
        DiskFull: no room.
    """
    facts = {one.name: getattr(progress, one.name) for one in dataclasses.fields(progress)}
    tree = {
        **facts,
        "best_state": dict(progress.best_state),
        "told": [dataclasses.asdict(done) for done in progress.told],
        "key": key,
        "decoder": decoder.state_dict(),
        "optimizer": optimizer.state(),
        "generator": generator.get_state(),
        "chance": decoder.chance.get_state(),
    }
    write_atomic(folder / CHECKPOINT, lambda temporary: torch.save(tree, temporary))


def go_on(
    folder: Path,
    key: str,
    decoder: Decoder,
    optimizer: Adam,
    generator: torch.Generator,
) -> Progress | None:
    """Bring weights, optimiser and generators to where a run was; None where there is nothing to go on from."""
    tree = _read(folder / CHECKPOINT)
    if tree is None or tree["key"] != key:
        return None
    decoder.load_state_dict(tree["decoder"])
    optimizer.restore(tree["optimizer"])
    generator.set_state(tree["generator"])
    decoder.chance.set_state(tree["chance"])
    told = tuple(EpochDone(**done) for done in tree["told"])
    facts = {one.name: tree[one.name] for one in dataclasses.fields(Progress)}
    return Progress(**{**facts, "told": told})


def forget(folder: Path) -> None:
    """Remove the checkpoint of a run that has come to its end."""
    (folder / CHECKPOINT).unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    """The file on the CPU, or None where it is absent or cannot be read."""
    try:
        tree = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, ImportError):
        return None
    return tree if isinstance(tree, dict) and "key" in tree else None
