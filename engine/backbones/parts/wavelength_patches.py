"""Patch embeddings written by a hyper-network from the bands' wavelengths: the idea that Clay and DOFA share.

A small transformer reads [learned weight tokens, one vector a band, a bias token] and emits one convolution
kernel a band. The two families agree in the plan and differ in every constant; both sets are below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from engine.backbones.parts.positions import TableCache, sines_then_cosines


@dataclass(frozen=True)
class Recipe:
    """The constants in which Clay and DOFA differ.

    Attributes:
        wave_scale: factor on wavelengths in micrometres.
        last_frequency: j/(d/2 - 1) where True, j/(d/2) where False, as exponents of 1/10000.
        layers: names of the two layers that refine the wavelength vector.
        transformer: name of the transformer inside the weight generator.
        kernel_layout: order in which a band's kernel is read from the generator's output.
        padding: of the convolution, in pixels.
    """

    wave_scale: float
    last_frequency: bool
    activation: Literal["gelu", "relu"]
    layers: tuple[str, str]
    transformer: str
    kernel_layout: Literal["D p p", "p p D"]
    kernel_scale: float
    bias_scale: float
    padding: int


# Clay: src/factory.py of the Clay-foundation model repository (DynamicEmbedding).
CLAY_RECIPE = Recipe(1.0, True, "gelu", ("l1", "l2"), "encoder", "D p p", 0.02, 1.0, 0)
# DOFA: wave_dynamic_layer.py of the authors, as kept in torchgeo/models/dofa.py (after its pull request 2256).
DOFA_RECIPE = Recipe(1000.0, False, "relu", ("w1", "w2"), "transformer_encoder", "p p D", 0.01, 0.01, 1)


class WavelengthPatches(nn.Module):
    """Patch embedding for any bands; kernels are computed once for each set of wavelengths while nothing is trained."""

    def __init__(
        self,
        recipe: Recipe,
        patch_px: int,
        dim: int,
        wave_dim: int,
        weight_tokens: int,
        heads: int,
        hidden: int,
    ) -> None:
        super().__init__()
        self.recipe, self.patch_px, self.dim, self.wave_dim = recipe, patch_px, dim, wave_dim
        self.fclayer = nn.ModuleDict({name: nn.Linear(wave_dim, wave_dim) for name in recipe.layers})
        self.weight_generator = _WeightGenerator(
            recipe.transformer, patch_px * patch_px * dim, dim, wave_dim, weight_tokens, heads, hidden
        )
        self._kernels = TableCache()
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    def kernels(self, wavelengths_um: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The convolution for these bands: weight (D, C, p, p) and bias (D,), in float32."""
        recipe, weight = self.recipe, self.weight_generator.weight_tokens
        with torch.autocast(weight.device.type, enabled=False):
            waves = wavelengths_um.to(device=weight.device, dtype=torch.float32) * recipe.wave_scale
            vectors = self._refined(self._encoded(waves).to(weight.dtype))  # (C, d)
            kernel, bias = self.weight_generator(vectors)  # (C, p*p*D), (D,)
        side = self.patch_px
        if recipe.kernel_layout == "D p p":
            kernel = kernel.view(-1, self.dim, side, side).transpose(0, 1)
        else:
            kernel = kernel.view(-1, side, side, self.dim).permute(3, 0, 1, 2)
        return (kernel * recipe.kernel_scale).contiguous(), bias * recipe.bias_scale

    def _encoded(self, waves: torch.Tensor) -> torch.Tensor:
        """(C,) scaled wavelengths as (C, wave_dim): sines, then cosines."""
        if not self.recipe.last_frequency:
            return sines_then_cosines(waves, self.wave_dim)
        half = self.wave_dim // 2
        omega = 1.0 / (10000 ** (torch.arange(half, device=waves.device) / (half - 1)))
        angles = waves[:, None] * omega[None, :]
        return torch.cat([angles.sin(), angles.cos()], dim=1)

    def _refined(self, vectors: torch.Tensor) -> torch.Tensor:
        active = nn.functional.gelu if self.recipe.activation == "gelu" else nn.functional.relu
        first, second = (self.fclayer[name] for name in self.recipe.layers)
        return vectors + active(second(active(first(vectors))))

    def grid(self, image: torch.Tensor) -> tuple[int, int]:
        """(h, w) of the patches of an image."""
        reach = 2 * self.recipe.padding - self.patch_px
        return (image.shape[-2] + reach) // self.patch_px + 1, (image.shape[-1] + reach) // self.patch_px + 1

    def forward(self, image: torch.Tensor, wavelengths_um: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) pixels of bands at `wavelengths_um` (C,) as (B, h*w, D), row-major."""
        if torch.is_grad_enabled() and self.training:
            weight, bias = self.kernels(wavelengths_um)
        else:
            weight, bias = self._cached(wavelengths_um)
        patches = nn.functional.conv2d(
            image,
            weight.to(image.dtype),
            bias.to(image.dtype),
            stride=self.patch_px,
            padding=self.recipe.padding,
        )
        return patches.flatten(2).transpose(1, 2)

    def _cached(self, wavelengths_um: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        waves = tuple(wavelengths_um.tolist())
        device = self.weight_generator.weight_tokens.device
        both = self._kernels.get(waves, device, lambda: _joined(*self.kernels(wavelengths_um)))
        return both[:, :-1].view(self.dim, len(waves), self.patch_px, self.patch_px), both[:, -1]


def _forget(module: WavelengthPatches, _: object) -> None:
    module._kernels.clear()


class _WeightGenerator(nn.Module):
    """Band vectors to kernels: one post-norm transformer layer over a sequence without a batch axis."""

    def __init__(
        self,
        transformer: str,
        kernel: int,
        dim: int,
        wave_dim: int,
        weight_tokens: int,
        heads: int,
        hidden: int,
    ) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            wave_dim, heads, hidden, dropout=0.0, activation="gelu", norm_first=False, layer_norm_eps=1e-5
        )
        stack = nn.ModuleDict({"layers": nn.ModuleList([layer])})
        self.add_module(transformer, stack)
        self._layer = (transformer, "layers", "0")
        self.weight_tokens = nn.Parameter(torch.empty(weight_tokens, wave_dim))
        self.bias_token = nn.Parameter(torch.empty(1, wave_dim))
        self.fc_weight = nn.Linear(wave_dim, kernel)
        self.fc_bias = nn.Linear(wave_dim, dim)
        nn.init.normal_(self.weight_tokens, std=0.02)
        nn.init.normal_(self.bias_token, std=0.02)

    def forward(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(C, wave_dim) -> kernels (C, p*p*D) and bias (D,), both unscaled."""
        sequence = torch.cat([self.weight_tokens, vectors, self.bias_token])
        out = self.get_submodule(".".join(self._layer))(sequence)
        bands = out[len(self.weight_tokens) : -1] + vectors  # residual with the layer's input
        return self.fc_weight(bands), self.fc_bias(out[-1])


def _joined(weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """(D, C*p*p + 1): a kernel and its bias as one table to keep."""
    return torch.cat([weight.flatten(1), bias[:, None]], dim=1).detach()
