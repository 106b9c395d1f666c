"""Random convolutional features: likeness of every pixel's surroundings to patches of the scenes, averaged over the ground.

Source: Rolf et al. 2021 (Nature Communications 12, 4392), after Coates and Ng 2012 (Learning Feature Representations with
K-means). The network's tensors are named after the bands, so that patches of other bands are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from engine.backbones.core.batch import Batch, Embedded
from engine.backbones.core.batch_checks import one_date, pick_bands, require_multiple
from engine.backbones.core.pixels import layer_numbers, standardised
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.constructor import argument
from engine.backbones.weights.checkpoint import require_same_tensors


class RandomFeatures(nn.Module):
    """Whitened likeness to N patches.

    Attributes:
        mean, deviation: of each band, in the scene's unit.
        patches: of each band, (N, k, k): what a standardised band is convolved with.
        offset: (N,), what is added.
    """

    def __init__(self, bands: Sequence[str], patches: int, kernel_px: int) -> None:
        super().__init__()
        spread = (len(bands) * kernel_px**2) ** -0.5
        self.mean = nn.ParameterDict({band: nn.Parameter(torch.zeros(())) for band in bands})
        self.deviation = nn.ParameterDict({band: nn.Parameter(torch.ones(())) for band in bands})
        self.patches = nn.ParameterDict({
            band: nn.Parameter(spread * torch.randn(patches, kernel_px, kernel_px)) for band in bands
        })  # fmt: skip
        self.offset = nn.Parameter(torch.zeros(patches))

    def forward(self, image: torch.Tensor, bands: Sequence[str]) -> torch.Tensor:
        """(B, C, H, W) standardised pixels of `bands` as (B, N, H, W) likeness, in deviations; edges are continued."""
        weight = torch.stack([self.patches[band] for band in bands], dim=1)
        margin = weight.shape[-1] // 2
        padded = nn.functional.pad(image, (margin, margin, margin, margin), mode="replicate")
        return nn.functional.conv2d(padded, weight, self.offset)


def encoder(spec: BackboneSpec) -> RandomFeatures:
    """Features of patches of noise; `drawing.draw` gives those of scenes."""
    config = spec.config
    return RandomFeatures(spec.bands, argument(config, "patches", int), argument(config, "kernel_px", int))


def load(spec: BackboneSpec, state: Mapping[str, torch.Tensor]) -> RandomFeatures:
    """Features of the patches in a file that an earlier run has drawn.

    Raises:
        WeightsError: the patches are of other bands, of another number or size.
    """
    # It is small enough to be built: a product on the meta device has torch import torch._dynamo, which takes a second.
    module = encoder(spec)
    require_same_tensors(spec.name, module.state_dict(), state)
    module.load_state_dict(state)
    return module


class RandomFeaturesBackbone:
    """Random convolutional features as a `Backbone`; see `engine.backbones.core.batch`."""

    def __init__(
        self, spec: BackboneSpec, module: RandomFeatures, weights_sha256: str, settings: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.module = module.eval().requires_grad_(False)
        self._threshold = float(settle(spec, settings)["threshold"])
        self._mean, self._deviation = (
            [float(numbers[band]) for band in spec.bands] for numbers in (module.mean, module.deviation)
        )

    @torch.no_grad()
    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Maps (B, h, w, D): how much like each patch, then how much unlike each.

        Raises:
            MissingBand: the batch lacks a band.
            BackboneError: several dates, or sides that are no multiple of the patch.
        """
        layer_numbers(self.spec, layers)
        pixels = pick_bands(batch, self.spec.bands, self.spec.name)
        image, valid = one_date(pixels, batch.valid, self.spec.name)
        require_multiple(image, self.spec.patch_px, self.spec.name)
        likeness = self.module(standardised(image, self._mean, self._deviation, valid), self.spec.bands)
        share = nn.functional.avg_pool2d(valid[:, None].float(), self.spec.patch_px)
        signs = [self._averaged(sign * likeness, valid, share) for sign in (1, -1)]
        embedding = torch.cat(signs, dim=1).permute(0, 2, 3, 1)  # (B, h, w, 2 * N)
        return Embedded([embedding for _ in layers])

    def _averaged(self, likeness: torch.Tensor, valid: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """(B, N, h, w): the mean of what exceeds the threshold over the valid pixels of a patch; 0 without any."""
        exceeding = (likeness - self._threshold).relu_()
        if valid.is_cuda or not valid.all():
            exceeding.mul_(valid[:, None])
        return nn.functional.avg_pool2d(exceeding, self.spec.patch_px) / share.clamp(min=1e-6)


def wrap(
    spec: BackboneSpec, module: RandomFeatures, weights_sha256: str, settings: Mapping[str, str]
) -> RandomFeaturesBackbone:
    """The features as a `Backbone`.

    Raises:
        BackboneError: a setting that the card does not offer.
    """
    return RandomFeaturesBackbone(spec, module, weights_sha256, settings)
