"""How each of TerraMind's modalities becomes tokens: pixels by a convolution, token ids by a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.constructor import band_indices
from engine.backbones.parts.positions import TableCache, resampled, transposed_table
from engine.backbones.terramind.modalities import MODALITIES


@dataclass(frozen=True)
class NativeGrid:
    """Rows and columns of patches in the pre-training."""

    height: int
    width: int


class _Positions(nn.Module):
    """A stored table (1, h*w, D), interpolated once for each other grid."""

    def __init__(self, native: NativeGrid) -> None:
        super().__init__()
        self.native = (native.height, native.width)
        self._tables = TableCache()

    def clear(self) -> None:
        """Forget interpolated tables, after the stored one has changed."""
        self._tables.clear()

    def on(self, table: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        """(1, h*w, D) on the grid: bicubic, without antialiasing, corners not aligned."""
        if grid == self.native:
            return table
        return self._tables.get(grid, table.device, lambda: resampled(table, self.native, grid))


class PixelEmbedding(nn.Module):
    """Patches of raw pixels; `bands` are the checkpoint's channels that inputs bring, None for all in order."""

    pos_emb: torch.Tensor

    def __init__(
        self, channels: int, patch_px: int, dim: int, native: NativeGrid, bands: list[int] | None
    ) -> None:
        super().__init__()
        self.bands = bands
        self.proj = nn.Conv2d(channels, dim, patch_px, stride=patch_px, bias=False)
        self.mod_emb = nn.Parameter(torch.zeros(1, 1, dim))
        self.register_buffer("pos_emb", transposed_table(dim, native.height, native.width)[None])
        self.positions = _Positions(native)
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, h*w, D)."""
        weight = self.proj.weight if self.bands is None else self.proj.weight[:, self.bands]
        patches = nn.functional.conv2d(image, weight, stride=self.proj.stride)
        grid = (patches.shape[2], patches.shape[3])
        return patches.flatten(2).transpose(1, 2) + (self.positions.on(self.pos_emb, grid) + self.mod_emb)


class TokenImageEmbedding(nn.Module):
    """An image of token ids, as its FSQ tokenizer writes it."""

    pos_emb: torch.Tensor

    def __init__(self, vocabulary: int, dim: int, native: NativeGrid) -> None:
        super().__init__()
        self.token_emb = nn.Embedding(vocabulary, dim)
        self.mod_emb = nn.Parameter(torch.zeros(1, 1, dim))
        self.register_buffer("pos_emb", transposed_table(dim, native.height, native.width)[None])
        self.positions = _Positions(native)
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(B, h, w) ids -> (B, h*w, D), row-major."""
        grid = (ids.shape[1], ids.shape[2])
        tokens: torch.Tensor = self.token_emb(ids.long().flatten(1))
        return tokens + (self.positions.on(self.pos_emb, grid) + self.mod_emb)


class SequenceEmbedding(nn.Module):
    """A sequence of token ids; it takes part in attention and is left out of every map."""

    pos_emb: torch.Tensor

    def __init__(self, vocabulary: int, dim: int, longest: int) -> None:
        super().__init__()
        self.token_emb = nn.Embedding(vocabulary, dim)
        self.mod_emb = nn.Parameter(torch.zeros(1, 1, dim))
        self.register_buffer("pos_emb", torch.zeros(1, longest, dim))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(B, n) ids -> (B, n, D)."""
        tokens: torch.Tensor = self.token_emb(ids.long())
        return tokens + (self.pos_emb[:, : ids.shape[1]] + self.mod_emb)


def _forget(module: PixelEmbedding | TokenImageEmbedding, _: object) -> None:
    module.positions.clear()


def make_embedding(
    name: str, spec: BackboneSpec, patch_px: int, dim: int, native: NativeGrid, bands: Sequence[str] | None
) -> nn.Module:
    """The embedding of a modality.

    Raises:
        MissingBand: a band that the modality does not have.
    """
    modality = MODALITIES[name]
    match modality.kind:
        case "pixels":
            indices = band_indices(spec, modality.bands, bands)
            subset = None if indices == list(range(len(modality.bands))) else indices
            return PixelEmbedding(len(modality.bands), patch_px, dim, native, subset)
        case "token image":
            return TokenImageEmbedding(modality.vocabulary, dim, native)
        case "token sequence":
            return SequenceEmbedding(modality.vocabulary, dim, longest=512)
