"""Patches drawn from the scenes of a run, whitened: the tensors of `encoder.RandomFeatures`."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.backbones.core.batch import Batch
from engine.backbones.core.batch_checks import pick_bands
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.constructor import argument
from engine.errors import BackboneError

# Patches by which the whitening is measured: many more than a patch has numbers.
_MEASURED = 20_000
# Share of the mean variance that is added to every direction, so that noise is not raised to the level of the ground.
_FLOOR = 0.01


def draw(spec: BackboneSpec, batches: Sequence[Batch], seed: int) -> dict[str, torch.Tensor]:
    """The tensors of a settled card.

    Args:
        batches: pixels of the scenes, as many of each as it has to count.
        seed: of the patches; the same pixels and seed draw the same ones.

    Raises:
        BackboneError: there are not enough whole patches without a gap.
    """
    wanted, side = argument(spec.config, "patches", int), argument(spec.config, "kernel_px", int)
    generator = torch.Generator().manual_seed(seed)
    chips = [(pick_bands(batch, spec.bands, spec.name), batch.valid) for batch in batches]
    pixels = torch.cat([image.movedim(2, -1)[valid] for image, valid in chips]).double()  # (n, C)
    mean = pixels.mean(dim=0)
    deviation = pixels.std(dim=0)
    deviation = torch.where(deviation > 0, deviation, 1.0)
    share = -(-_MEASURED // max(1, len(chips)))
    drawn = torch.cat([_patches(image, valid, side, share, generator) for image, valid in chips])
    if len(drawn) < wanted:
        raise BackboneError(
            f"{spec.name} draws {wanted} patches of {side} x {side} px; the scenes have {len(drawn)} without a gap. "
            f"Choose fewer features, or more ground."
        )
    standard = (drawn.double() - mean.view(-1, 1, 1)) / deviation.view(-1, 1, 1)  # (n, C, k, k)
    kernels, offset = _whitened(standard.flatten(1), wanted, generator)
    by_band = kernels.reshape(wanted, len(spec.bands), side, side).float().unbind(dim=1)
    return {
        **{f"mean.{band}": value for band, value in zip(spec.bands, mean.float(), strict=True)},
        **{f"deviation.{band}": value for band, value in zip(spec.bands, deviation.float(), strict=True)},
        **{f"patches.{band}": value.contiguous() for band, value in zip(spec.bands, by_band, strict=True)},
        "offset": offset.float(),
    }


def _patches(
    image: torch.Tensor, valid: torch.Tensor, side: int, most: int, generator: torch.Generator
) -> torch.Tensor:
    """(n, C, k, k) patches without a gap, drawn from a batch (B, T, C, H, W)."""
    whole = (
        valid.unfold(2, side, 1).unfold(3, side, 1).all(dim=-1).all(dim=-1)
    )  # (B, T, H - k + 1, W - k + 1)
    places = whole.nonzero()
    if len(places) > most:
        places = places[torch.randperm(len(places), generator=generator)[:most]]
    windows = image.unfold(3, side, 1).unfold(4, side, 1)  # (B, T, C, H - k + 1, W - k + 1, k, k)
    chip, date, row, column = places.unbind(dim=1)
    return windows[chip, date, :, row, column]


def _whitened(
    patches: torch.Tensor, wanted: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Kernels (N, d) and offsets (N,) whose product with a patch is its whitened likeness to one of the patches.

    With the whitening W and its centre m, likeness of x to p is W(x - m) along the direction of W(p - m).
    """
    centre = patches.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.cov(patches.T))
    spread = (values.clamp(min=0) + _FLOOR * values.mean()).rsqrt()
    whitening = (vectors * spread) @ vectors.T
    chosen = patches[torch.randperm(len(patches), generator=generator)[:wanted]]
    directions = torch.nn.functional.normalize((chosen - centre) @ whitening, dim=1)
    kernels = directions @ whitening
    return kernels, -kernels @ centre
