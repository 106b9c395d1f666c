"""How severely the labelled ground burned, from labels of severity or from the fall of NBR between two dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import LabelError, SceneError, StoreError
from engine.jobs.configuration.config import LabelsConfig
from engine.labels.build import labels_for
from engine.labels.reading import MISSING
from engine.labels.sidecar import read_labels
from engine.learning.baselines.nbr import dnbr_of_tiles
from engine.learning.judging.strata import DNBR_EDGES, DNBR_TITLES
from engine.learning.tasks.table import BURN_SEVERITY
from engine.learning.truth import LabelledTile, labelled_tiles
from engine.store.store import EmbeddingStore


@dataclass(frozen=True)
class Severity:
    """Severity of pixels.

    Attributes:
        of_tile: (height_px, width_px) index among the titles by tile id, negative where it is not known; empty without any.
        source: where it comes from, or why there is none.
    """

    of_tile: Mapping[str, np.ndarray]
    titles: tuple[str, ...]
    source: str


def severity_of(
    store: EmbeddingStore, tiles: Sequence[LabelledTile], dated: EmbeddingStore | None, root: Path
) -> Severity:
    """The severity of some tiles.

    Args:
        dated: raw reflectances of two dates on the same tiles; None: there are none.
        root: where the extraction keeps what it made itself.
    """
    reading = BURN_SEVERITY.label_reading
    try:
        made = labels_for(store, LabelsConfig(name=BURN_SEVERITY.labels_name), root, reading)
        indices = {tile.id: index for index, tile in enumerate(store.tiles)}
        found = labelled_tiles(store, read_labels(made, store), [indices[one.tile.id] for one in tiles])
        titles = tuple(one.title for one in BURN_SEVERITY.classes)
        return Severity(
            {one.tile.id: one.pixels for one in found}, titles, "labels of severity of the scenes"
        )
    except (LabelError, SceneError, StoreError, OSError) as error:
        why = f"no labels of severity were read: {error}"  # most scenes bring none
    if dated is None:
        return Severity({}, (), f"Not known: the scenes have no date before the fire, and {why}")
    of_tile = {}
    for number, dnbr in dnbr_of_tiles(dated, tiles):
        pixels = np.full(tiles[number].pixels.shape, MISSING, np.int8)
        pixels[tiles[number].pixels >= 0] = np.searchsorted(DNBR_EDGES, dnbr, side="right")
        of_tile[tiles[number].tile.id] = pixels
    for one in tiles:
        of_tile.setdefault(one.tile.id, np.full(one.pixels.shape, MISSING, np.int8))
    return Severity(of_tile, DNBR_TITLES, f"dNBR of the scenes' two dates (Key & Benson 2006); {why}")
