"""Several decoders as one: the mean of their probabilities, and how far they disagree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.jobs.configuration.apply import Adapt
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.predict import TileOutputs, tile_outputs
from engine.learning.tasks.task import Task
from engine.store.store import EmbeddingStore

# Probabilities nearer to 0 and 1 than this are drawn back: their logarithm has an end.
_LEAST = 1e-7


@dataclass(frozen=True)
class Agreed:
    """What some decoders say of a tile together.

    Attributes:
        found: outputs whose probability, or number, is the mean of theirs.
        disagreement: (rows, pixels) float32: standard deviation, over the decoders, of the number, or of the probability of
            the class that is mapped (of several classes a tile each one's): 0 where all say the same, 0.5 where half are
            certain of one class and half of another.
    """

    found: TileOutputs
    disagreement: np.ndarray


def ensemble_outputs(
    runs: Sequence[TrainRun],
    store: EmbeddingStore,
    only: Collection[str] | None = None,
    adapt: Adapt = "none",
) -> Iterator[Agreed]:
    """What the decoders say together, tile by tile, in the order of the store.

    Raises:
        StoreError: the store is not what one of them learned to read.
    """
    task = runs[0].decoder.taught
    for members in zip(*(tile_outputs(run, store, only, adapt) for run in runs), strict=True):
        yield agreed(members, task)


@torch.no_grad()
def agreed(members: Sequence[TileOutputs], task: Task) -> Agreed:
    """The mean of the members' probabilities as outputs of one decoder, and their disagreement."""
    number = len(task.classes)
    outputs = torch.stack([one.outputs.double() for one in members])  # (M, rows, L)
    if task.link == "identity":
        return Agreed(replace(members[0], outputs=outputs.mean(dim=0).float()), _std(outputs))
    if task.link == "logit":
        each = torch.sigmoid(outputs)  # (M, rows, pixels)
        mean = each.mean(dim=0).clamp(_LEAST, 1 - _LEAST)
        return Agreed(replace(members[0], outputs=torch.logit(mean)), _std(each))
    shares = outputs.unflatten(-1, (-1, number)).softmax(dim=-1)  # (M, rows, pixels, classes)
    mean = shares.mean(dim=0).clamp(min=_LEAST)
    chosen = mean.argmax(dim=-1, keepdim=True).expand(len(members), *mean.shape[:-1], 1)
    of_chosen = shares.gather(-1, chosen)[..., 0]
    return Agreed(replace(members[0], outputs=mean.log().flatten(-2)), _std(of_chosen))


def _std(each: torch.Tensor) -> np.ndarray:
    return np.asarray(each.std(dim=0, correction=0).float().numpy())
