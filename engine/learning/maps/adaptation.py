"""A decoder for another place: its standardisation drawn half way to the statistics of the embeddings there.

Other atmospheres, sensors and soils move embeddings. Drawn all the way, a place with more burnt ground than the training places
would lose it: half way did best of what was tried on scars that no decoder had seen. It helps most from simulated to real ground,
which is what `auto` adapts, and does not always help. Half of the way of the mean alone (centre) helped Galileo nano much, rcf
mostly, and changed csmask little on season version 3, where it calls more ground burnt; with the deviation too (standardise) it
gained more or lost much.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence

import numpy as np
import torch

from engine.errors import StoreError
from engine.jobs.configuration.apply import Adapt
from engine.learning.dataset import spans_of, statistics
from engine.learning.heads.decoder import Decoder
from engine.learning.keeping.card import DecoderCard
from engine.store.store import EmbeddingStore

SHARE = 0.5
FEWEST_PATCHES = 256  # fewer do not tell a mean and a deviation of a place


def settled(
    adapt: Adapt, cards: Sequence[DecoderCard], store: EmbeddingStore, only: Collection[str] | None
) -> Adapt:
    """What auto comes to on some ground: centre or none. It was measured for burn scars, from simulated to real ground.

    Args:
        cards: of all decoders that map together.
        only: ids of the tiles that are mapped; None: all.
    """
    if adapt != "auto":
        return adapt
    is_measured = all(card.is_simulated and card.task == "burn_scars" for card in cards)
    if not is_measured or store.meta.is_simulated:
        return "none"
    known = store.read_valid_fraction()[_mapped_rows(store, only)] > 0
    return "centre" if known.sum() >= FEWEST_PATCHES else "none"


def adapted(
    decoder: Decoder,
    features: np.ndarray,
    is_valid: np.ndarray,
    store: EmbeddingStore,
    only: Collection[str] | None,
    adapt: Adapt = "standardise",
) -> Decoder:
    """A copy whose mean lies half way to that of the mapped patches; standardise: whose deviation is the geometric mean of both.

    Args:
        features: (rows, D) of the store, in its dtype.
        is_valid: (rows,) bool.
        only: ids of the tiles that are mapped; None: all.
        adapt: centre or standardise.

    Raises:
        StoreError: too few patches with data.
    """
    rows = _mapped_rows(store, only)
    rows = rows[is_valid[rows]]
    if len(rows) < FEWEST_PATCHES:
        raise StoreError(
            f"{store.folder} has {len(rows)} patches with data to map, and adapt: {adapt} measures a place by "
            f"{FEWEST_PATCHES} or more. Map more ground, or use adapt: none."
        )
    mean, std = (torch.from_numpy(found) for found in statistics(features, rows))
    moved = copy.deepcopy(decoder)
    moved.mean = decoder.mean + SHARE * (mean - decoder.mean)
    if adapt == "standardise":
        moved.std = decoder.std * (std / decoder.std) ** SHARE
    return moved


def note_of_adaptation(adapt: Adapt, asked: Adapt = "standardise") -> str:
    """What is told of a map that was adapted; empty where it was not.

    Args:
        adapt: as settled.
        asked: before it was settled.
    """
    if adapt == "none":
        return ""
    why = " since it learned from simulated scenes, and these are real" if asked == "auto" else ""
    what = "the mean that it standardises by" if adapt == "centre" else "its standardisation"
    return (
        f"The decoder was adapted to this place (adapt: {adapt}){why}: {what} lies half way between its training ground and "
        f"this ground."
    )


def _mapped_rows(store: EmbeddingStore, only: Collection[str] | None) -> np.ndarray:
    spans = [span for span in spans_of(store) if only is None or span.tile.id in only]
    return np.concatenate([np.arange(span.rows.start, span.rows.stop) for span in spans] or [np.arange(0)])
