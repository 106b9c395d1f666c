"""A trained decoder over a store: the probability of burnt for every pixel, and the maps made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.errors import StoreError
from engine.labels.sidecar import to_pixels
from engine.learning.dataset import Span, read_features, spans_of
from engine.learning.heads import Decoder, build_decoder
from engine.learning.result import CLASS_COLOURS, FALSE_ALARM, HIT, MISS, NODATA, RIGHT, TrainRun
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.overlay import class_overlay

_PATCHES_A_STEP = 65_536


def predict_map(run_folder: Path, store_folder: Path, out: Path) -> Path:
    """Map a store with a trained run: uint8 GeoTIFF, 0 not burnt, 1 burnt, 255 no data.

    Raises:
        JobError: the run is no finished training.
        StoreError: the store is not what the decoder learned to read.
    """
    run, store = TrainRun.open(run_folder), EmbeddingStore.open(store_folder)
    pieces = ((tile, classes_of(burned)) for tile, burned in predict_tiles(run, store))
    return class_overlay(out, pieces, colours=CLASS_COLOURS, band_name="burnt")


def predict_tiles(
    run: TrainRun, store: EmbeddingStore, only: Collection[str] | None = None
) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Tiles of a store with their (height_px, width_px) float32 probability of burnt; NaN without valid pixels.

    Args:
        only: ids of the tiles wanted; None: all.

    Raises:
        JobError: the run is no finished training.
        StoreError: the store is not what the decoder learned to read.
    """
    card = run.decoder
    card.require_fit(store)
    decoder = load_decoder(run)
    features = torch.from_numpy(read_features(store, card.layers))
    is_valid = store.read_valid_fraction() > 0
    features[torch.from_numpy(~is_valid)] = decoder.mean.to(features.dtype)
    for span in (span for span in spans_of(store) if only is None or span.tile.id in only):
        yield span.tile, _tile_probability(decoder, features, is_valid, span)


def load_decoder(run: TrainRun) -> Decoder:
    """The decoder of a finished training, on the CPU, for use.

    Raises:
        StoreError: its file is absent, damaged or of another shape.
    """
    card = run.decoder
    blank = torch.zeros(sum(card.dims))
    cpu = torch.device("cpu")
    decoder = build_decoder(card.head_config, blank, blank + 1, card.patch_px, torch.Generator(), cpu)
    try:
        decoder.load_state_dict(load_file(run.weights))
    except (OSError, SafetensorError, RuntimeError) as err:
        raise StoreError(
            f"the decoder's weights were wanted, found {run.weights} unusable ({str(err).splitlines()[0][:100]}). Train again."
        ) from err
    return decoder.eval()


@torch.no_grad()
def probabilities(decoder: Decoder, features: torch.Tensor, tile: StoredTile) -> torch.Tensor:
    """(h * w, D) of one tile -> (h * w, p * p) probability of burnt."""
    if decoder.sees_neighbours:
        return decoder(features.view(1, tile.h, tile.w, -1))[0].flatten(0, 1).sigmoid()
    return torch.cat([decoder(block).sigmoid() for block in features.split(_PATCHES_A_STEP)])


def classes_of(burned: np.ndarray) -> np.ndarray:
    """Probabilities as uint8: 1 from one half on, 0 below, 255 where NaN."""
    return np.where(np.isnan(burned), NODATA, burned >= 0.5).astype(np.uint8)


def errors_of(burned: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Where the map is right and wrong, uint8: 0 rightly not, 1 hit, 2 false alarm, 3 miss, 255 unknown.

    Args:
        burned: (H, W) probability, NaN without valid pixels.
        truth: (H, W) int8: 1 burnt, 0 not, -1 missing.
    """
    says = classes_of(burned)
    kinds = np.array([[RIGHT, FALSE_ALARM], [MISS, HIT]], dtype=np.uint8)
    known = (says != NODATA) & (truth >= 0)
    return np.where(known, kinds[np.where(known, truth, 0), np.where(known, says, 0)], NODATA).astype(
        np.uint8
    )


def _tile_probability(
    decoder: Decoder, features: torch.Tensor, is_valid: np.ndarray, span: Span
) -> np.ndarray:
    burned = probabilities(decoder, features[span.rows], span.tile).numpy()
    return to_pixels(np.where(is_valid[span.rows, None], burned, np.float32(np.nan)), span.tile)
