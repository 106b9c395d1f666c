"""Which training places a decoder learns from when labels are few: the same draws for all backbones and heads."""

from __future__ import annotations

import numpy as np
import torch

from engine.errors import LabelError
from engine.learning.dataset import spans_of
from engine.learning.preparation import Prepared


def training_places(reference: Prepared) -> np.ndarray:
    """Numbers of the places that train, ascending; of those with labels, since nothing is learned of others."""
    train, known = reference.split.tiles["train"], reference.task.is_known(torch.from_numpy(reference.truth))
    has_label, spans = known.any(dim=1).numpy(), spans_of(reference.store)
    return np.unique(reference.split.places[[i for i in train.tolist() if has_label[spans[i].rows].any()]])


def number_of(share: float, places: int) -> int:
    """How many places a share of them is: one at least."""
    return max(1, round(share * places))


def drawn_places(reference: Prepared, share: float, seed: int) -> np.ndarray:
    """A share of the training places, ascending; what a smaller share draws, a larger one of the same seed holds.

    The first of the draw is a place that has all that the task needs to be learned, such as burnt and unburnt pixels, where
    there is one: a decoder that has never seen one of two classes tells nothing of its backbone.

    Args:
        reference: the store whose places and labels decide.
    """
    places = training_places(reference)
    order = np.random.default_rng([seed, 0xFE]).permutation(places)
    first = next((place for place in order if _is_complete(reference, int(place))), order[0])
    order = np.concatenate([[first], order[order != first]])
    return np.sort(order[: number_of(share, len(places))])


def tiles_of_places(prepared: Prepared, places: np.ndarray) -> np.ndarray:
    """Training tiles of a store that lie in some places."""
    train = prepared.split.tiles["train"]
    return train[np.isin(prepared.split.places[train], places)]


def _is_complete(reference: Prepared, place: int) -> bool:
    spans = spans_of(reference.store)
    rows = [spans[index].rows for index in tiles_of_places(reference, np.array([place]))]
    try:
        reference.task.require_labels({"train": np.concatenate([reference.truth[own] for own in rows])})
    except LabelError:
        return False
    return True
