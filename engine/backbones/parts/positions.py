"""Where a patch lies, as sines and cosines: the fixed position tables of the families and their resampling."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import nn


def sines_then_cosines(positions: torch.Tensor, dim: int) -> torch.Tensor:
    """(N,) positions as (N, dim): all sines, then all cosines, of position * 10000^(-j / (dim/2)).

    Computed in the precision of `positions`.
    """
    steps = torch.arange(dim // 2, dtype=positions.dtype, device=positions.device) / (dim / 2.0)
    angles = positions[:, None] * (1.0 / 10000**steps)[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def space_time_table(dim: int, frames: int, height: int, width: int) -> torch.Tensor:
    """Prithvi's fixed table, (frames, height, width, dim) float32: [column 6/16 | row 6/16 | time 4/16].

    Computed in float64 and rounded once, as in the model's own code (prithvi_mae.py, get_3d_sincos_pos_embed).
    """
    space, time = dim // 16 * 6, dim // 16 * 4
    axes = [torch.arange(size, dtype=torch.float64) for size in (frames, height, width)]
    shape = (frames, height, width)
    column = sines_then_cosines(axes[2], space)[None, None, :, :].expand(*shape, space)
    row = sines_then_cosines(axes[1], space)[None, :, None, :].expand(*shape, space)
    when = sines_then_cosines(axes[0], time)[:, None, None, :].expand(*shape, time)
    return torch.cat([column, row, when], dim=-1).float()


def transposed_table(dim: int, height: int, width: int) -> torch.Tensor:
    """TerraMind's fixed table, (height * width, dim) float32: [sin a, cos a, sin b, cos b].

    The first half varies along rows (a = k div width, b = k mod width): transposed against the usual order,
    as the tables stored in the released files are.
    """
    quarter = dim // 4
    steps = torch.arange(quarter, dtype=torch.float32) / quarter
    frequencies = 1.0 / 10000**steps
    row = torch.arange(height, dtype=torch.float32)[:, None] * frequencies
    column = torch.arange(width, dtype=torch.float32)[:, None] * frequencies
    first = torch.cat([row.sin(), row.cos()], dim=1)[:, None, :].expand(height, width, 2 * quarter)
    second = torch.cat([column.sin(), column.cos()], dim=1)[None, :, :].expand(height, width, 2 * quarter)
    return torch.cat([first, second], dim=-1).reshape(height * width, dim)


def scaled_table(dim: int, height: int, width: int, gsd_m: float) -> torch.Tensor:
    """Clay's fixed table, (height * width, dim) float32: [sin x, cos x, sin y, cos y] (x = column).

    The frequencies 10000^(-2 g / dim), g in [0, 1], are nearly constant: a quirk of the released model that
    must be kept. Large distances make angles so large that the order of the float32 operations decides
    the sines; it follows Clay's own src/utils.py.
    """
    omega = torch.arange(dim // 4) / (dim // 4 - 1)
    omega = 1.0 / (10000 ** (2 * omega / dim)) * torch.tensor(gsd_m, dtype=torch.float32)
    row = torch.arange(height)[:, None] * omega[None, :]
    column = torch.arange(width)[:, None] * omega[None, :]
    x = torch.cat([column.sin(), column.cos()], dim=1)[None, :, :].expand(height, width, dim // 2)
    y = torch.cat([row.sin(), row.cos()], dim=1)[:, None, :].expand(height, width, dim // 2)
    return torch.cat([x, y], dim=-1).reshape(height * width, dim)


def resampled(
    table: torch.Tensor,
    old: tuple[int, int],
    new: tuple[int, int],
    mode: str = "bicubic",
    align_corners: bool | None = None,
) -> torch.Tensor:
    """A table (1, h * w, D) carried to another grid, without antialiasing (timm's default would antialias)."""
    moved: torch.Tensor = resample_abs_pos_embed(
        table,
        new_size=list(new),
        old_size=list(old),
        num_prefix_tokens=0,
        interpolation=mode,
        antialias=False,
        align_corners=align_corners,
    )
    return moved


class TableCache(nn.Module):
    """Tables by what they depend on, so that a run over equal chips computes each one once.

    It holds no weights; entries derived from weights are dropped by `clear`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tables: dict[Hashable, torch.Tensor] = {}

    def get(self, key: Hashable, device: torch.device, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """The table of a key on a device, made on first use."""
        full = (key, str(device))
        if full not in self._tables:
            self._tables[full] = make().to(device)
        return self._tables[full]

    def clear(self) -> None:
        """Forget all tables, after weights that they came from have changed."""
        self._tables.clear()
