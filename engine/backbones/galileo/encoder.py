"""Galileo's encoder: a token for each group, patch and date, told by four quarters what, when and where it is.

Source: Tseng et al. 2025 (arXiv:2502.09356); nasaharvest/galileo, single_file_galileo.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.galileo.groups import GROUPS, KNOWN_GROUPS, LOCATION_ROW
from engine.backbones.parts.blocks import layer_norm, through, trunk
from engine.backbones.parts.constructor import argument
from engine.backbones.parts.positions import sines_then_cosines

MONTHS = 12
# Positions count patches of 10 m (the reference's BASE_GSD).
_BASE_GSD_M = 10.0


@dataclass(frozen=True)
class Seen:
    """What the encoder is shown of a batch; groups that are not in it do not exist for it.

    Attributes:
        space_time: group -> (B, T, C, H, W), standardised.
        space: group -> (B, C, H, W), standardised.
        months: (B, T) int64, 0 to 11.
        gsd_m: ground sampling distance.
        location: (B, 3) on the unit sphere, or None.
    """

    space_time: Mapping[str, torch.Tensor]
    space: Mapping[str, torch.Tensor]
    months: torch.Tensor
    gsd_m: float
    location: torch.Tensor | None = None


class GalileoEncoder(nn.Module):
    """Tokens in the order: space-time groups, each by date and patch; space groups by patch; the location."""

    def __init__(
        self, dim: int, depth: int, heads: int, mlp_ratio: float, longest: int, patch_px: int
    ) -> None:
        super().__init__()
        quarter = dim // 4
        self.patch_px, self.quarter = patch_px, quarter
        self.patches = nn.ModuleDict({
            name: nn.Conv2d(len(group.channels), dim, patch_px, stride=patch_px)
            for name, group in GROUPS.items()
        })  # fmt: skip
        self.location = nn.Linear(3, dim)
        self.kinds = nn.ParameterDict({
            kind: nn.Parameter(0.02 * torch.randn(rows, quarter)) for kind, rows in KNOWN_GROUPS.items()
        })  # fmt: skip
        self.pos_embed = nn.Parameter(sines_then_cosines(torch.arange(longest, dtype=torch.float32), quarter))
        self.month_embed = nn.Embedding(MONTHS, quarter)
        self.blocks = trunk(dim, depth, heads, mlp_ratio, layer_norm(1e-5))
        self.norm = nn.LayerNorm(dim, eps=1e-5)

    def grid(self, seen: Seen) -> tuple[int, int]:
        """Rows and columns of patches."""
        height, width = next(iter((*seen.space_time.values(), *seen.space.values()))).shape[-2:]
        return height // self.patch_px, width // self.patch_px

    def tokens_in(self, seen: Seen) -> torch.Tensor:
        """(B, N, D) tokens with what tells them apart."""
        grid = self.grid(seen)
        where = self._space(grid, seen.gsd_m)  # (h*w, D/4)
        tokens = [self._of_dates(name, image, seen.months, where) for name, image in seen.space_time.items()]
        for name, image in seen.space.items():
            patches = self.patches[name](image).flatten(2).transpose(1, 2)  # (B, h*w, D)
            what = self.kinds["space"][GROUPS[name].row].expand(len(where), -1)
            nothing = torch.zeros_like(where)
            tokens.append(patches + torch.cat([what, nothing, nothing, where], dim=-1))
        if seen.location is not None:
            what = nn.functional.pad(self.kinds["static"][LOCATION_ROW], (0, 3 * self.quarter))
            tokens.append((self.location(seen.location) + what)[:, None])
        return torch.cat(tokens, dim=1)

    def _of_dates(
        self, name: str, image: torch.Tensor, months: torch.Tensor, where: torch.Tensor
    ) -> torch.Tensor:
        """(B, T*h*w, D) tokens of a group with dates."""
        chips, dates = image.shape[:2]
        patches = self.patches[name](image.flatten(0, 1)).flatten(2).transpose(1, 2)  # (B*T, h*w, D)
        shape = (chips, dates, len(where), self.quarter)
        quarters = [
            self.kinds["space_time"][GROUPS[name].row].expand(shape),
            self.pos_embed[:dates, None].expand(shape),
            self.month_embed(months)[:, :, None].expand(shape),
            where.expand(shape),
        ]
        tokens: torch.Tensor = patches.unflatten(0, (chips, dates)) + torch.cat(quarters, dim=-1)
        return tokens.flatten(1, 2)

    def _space(self, grid: tuple[int, int], gsd_m: float) -> torch.Tensor:
        """(h*w, D/4): half for the column, half for the row; of the usual frequencies only the highest quarter."""
        device = self.pos_embed.device
        exponents = torch.arange(self.quarter // 4, dtype=torch.float32, device=device) / self.quarter
        frequencies = (1.0 / 10000**exponents) * (gsd_m * self.patch_px / _BASE_GSD_M)
        row, column = (torch.arange(side, device=device)[:, None] * frequencies for side in grid)
        of_row, of_column = (torch.cat([angle.sin(), angle.cos()], dim=-1) for angle in (row, column))
        halves = [of_column[None].expand(grid[0], -1, -1), of_row[:, None].expand(-1, grid[1], -1)]
        return torch.cat(halves, dim=-1).flatten(0, 1)

    def forward(self, seen: Seen, layers: Collection[int]) -> dict[int, torch.Tensor]:
        """Layer -> (B, N, D); the final norm is on the last layer only."""
        return through(self.blocks, self.norm, self.tokens_in(seen), layers)


def encoder(spec: BackboneSpec) -> GalileoEncoder:
    """The encoder of a card, untrained; works on the meta device."""
    config = spec.config
    return GalileoEncoder(
        dim=argument(config, "embed_dim", int),
        depth=argument(config, "depth", int),
        heads=argument(config, "num_heads", int),
        mlp_ratio=argument(config, "mlp_ratio", float, 4.0),
        longest=argument(config, "max_sequence_length", int, 24),
        patch_px=argument(config, "patch_size", int),
    )
