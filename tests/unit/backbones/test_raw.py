"""Raw pixels as embeddings: the order that a baseline relies on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine.backbones.build import build
from engine.backbones.cards import card
from engine.backbones.core.batch import Batch
from engine.backbones.core.device import choose
from engine.errors import BackboneError


@pytest.mark.parametrize("patch_px", [1, 4, 8])
def test_every_pixel_is_found_again_at_its_row_column_and_band(
    patch_px: int, make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(2, 16, 32)
    backbone = build(card("raw"), "pretrained", choose("cpu"), {"patch_px": str(patch_px)}, bands=batch.bands)
    found = backbone.embed(batch, [0]).maps[0]
    assert found.shape == (2, 16 // patch_px, 32 // patch_px, backbone.spec.dim)
    cells = found.unflatten(-1, (patch_px, patch_px, 6))  # (B, h, w, row, column, band)
    for chip, row, column, band in [(0, 0, 0, 0), (1, 9, 21, 3), (1, 15, 31, 5)]:
        cell = cells[chip, row // patch_px, column // patch_px, row % patch_px, column % patch_px, band]
        assert cell == batch.image[chip, 0, band, row, column]


def test_nbr_from_the_embedding_is_nbr_of_the_image(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(1, 8, 8)
    bands = build(card("raw"), "pretrained", choose("cpu"), {"patch_px": "1"}, bands=batch.bands).embed(
        batch, [-1]
    )
    nir, swir = bands.maps[0][0, ..., 3], bands.maps[0][0, ..., 5]
    image = batch.image[0, 0]
    assert torch.equal((nir - swir) / (nir + swir), (image[3] - image[5]) / (image[3] + image[5]))


def test_gaps_are_zero_and_nothing_else_is(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(1, 8, 8)
    batch.valid[0, 0, 2, 3] = False
    batch.image[0, 0, :, 2, 3] = float("nan")
    found = build(card("raw"), "pretrained", choose("cpu"), {"patch_px": "1"}, bands=batch.bands).embed(
        batch, [0]
    )
    assert bool((found.maps[0][0, 2, 3] == 0).all()) and int((found.maps[0] == 0).sum()) == 6


def test_a_side_that_is_no_multiple_of_the_patch_is_refused(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(1, 10, 8)
    with pytest.raises(BackboneError, match=r"multiples of 4 px here, not 10 x 8 px"):
        build(card("raw"), "pretrained", choose("cpu"), bands=batch.bands).embed(batch, [0])
